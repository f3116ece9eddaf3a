"""`kubernaut config check|show|example`."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import yaml

from kubernaut.domain.errors import BadInput, KubernautError
from kubernaut.domain.redaction import redact
from kubernaut.settings import Settings, load, places

from .options import output_option
from .tables import emit, say

Places = Mapping[tuple[str | int, ...], str]
config_option = click.option(
    "--config", "path", type=click.Path(path_type=Path), envvar="KUBERNAUT_CONFIG", default=Path("config/kubernaut.yaml"),
    show_default=True, help="The configuration file; KUBERNAUT_CONFIG names it, too.",
)  # fmt: skip


@click.group()
def config() -> None:
    """Check the configuration, show what is in force, or print an example.

    \b
    Examples:
      kubernaut config example > kubernaut.yaml
      kubernaut config check --config kubernaut.yaml
    """


@config.command()
@config_option
def check(path: Path) -> None:
    """Say what is wrong with the configuration and everything that it points at; exit status 2 when anything is.

    Kubeconfigs, contexts, tokens, policies and repositories are looked at, too; no cluster is asked.

    \b
    Example:
      kubernaut config check --config /etc/kubernaut/kubernaut.yaml
    """
    settings = load(path)
    faults = asyncio.run(faults_of(settings, path, places(path)))
    if faults:
        raise BadInput("\n".join(faults))
    for caution in cautions_of(settings, path, places(path)):
        say(f"kubernaut: caution: {caution}", err=True)
    click.echo(f"{path}: in order")


@config.command()
@config_option
@output_option("yaml", "json")
def show(path: Path, output: str) -> None:
    """All keys with the values in force, the environment's overrides included; what looks like a secret is hidden.

    \b
    Example:
      KUBERNAUT_TIMES__STABILITY_S=30 kubernaut config show -o json | jq .times
    """
    emit(_hidden(load(path).model_dump(mode="json")), output)


@config.command()
def example() -> None:
    """A file with every key, its default and a sentence, to begin with.

    \b
    Example:
      kubernaut config example > kubernaut.yaml
    """
    from .example import example as text

    click.echo(text(), nl=False)


def _hidden(value: Any) -> Any:
    if isinstance(value, dict):
        return {redact(key): _hidden(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_hidden(inner) for inner in value]
    return redact(value) if isinstance(value, str) else value


async def faults_of(settings: Settings, path: Path, where: Places) -> list[str]:
    """Faults that only a look at the files shows, one sentence each with its place."""
    faults = [
        *_cluster_faults(settings),
        *_token_faults(settings),
        *_role_faults(settings),
        *_forge_faults(settings),
        *await _policy_faults(settings),
    ]
    return [f"{_place(key, path, where)}: {_dotted(key)}: {text}" for key, text in faults]


def cautions_of(settings: Settings, path: Path, where: Places) -> list[str]:
    """What works and is unwise, one sentence each with its place."""
    from kubernaut.server.gateway.tokens import Tokens

    caution = Tokens(settings.gateway.tokens_file).caution()
    key = ("gateway", "tokens_file")
    return [f"{_place(key, path, where)}: {_dotted(key)}: {caution}"] if caution else []


Fault = tuple[tuple[str | int, ...], str]


def _cluster_faults(settings: Settings) -> list[Fault]:
    if not settings.clusters:
        return [(("clusters",), "none is configured, so there is nothing to look after")]
    faults: list[Fault] = []
    for index, cluster in enumerate(settings.clusters):
        if cluster.kubeconfig is None:
            continue
        if not cluster.kubeconfig.is_file():
            faults.append((("clusters", index, "kubeconfig"), f"{cluster.kubeconfig} is not a file"))
        else:
            faults += _context_faults(index, cluster.kubeconfig, cluster.context)
    return faults


def _context_faults(index: int, kubeconfig: Path, context: str | None) -> list[Fault]:
    try:
        document = yaml.safe_load(kubeconfig.read_text("utf-8")) or {}
        names = [str(entry["name"]) for entry in document.get("contexts") or ()]
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError, UnicodeDecodeError):
        return [(("clusters", index, "kubeconfig"), f"{kubeconfig} is not a kubeconfig")]
    wanted = context or document.get("current-context")
    if wanted in names:
        return []
    known = f"contexts: {', '.join(names) or 'none'}"
    return [(("clusters", index, "context"), f"{wanted!r} is not in {kubeconfig} ({known})")]


def _token_faults(settings: Settings) -> list[Fault]:
    from kubernaut.server.gateway.tokens import Tokens

    key = ("gateway", "tokens_file")
    tokens = settings.gateway.tokens_file
    if tokens is None:
        return [(key, "is not set, so no webhook is taken")]
    if not tokens.is_file():
        return [(key, f"{tokens} is not a file; write one token a line, as `openssl rand -hex 32` makes it")]
    try:
        loaded = Tokens(tokens)
    except BadInput as error:
        return [(key, str(error))]
    return [] if loaded else [(key, f"{tokens} holds no token, so no webhook is taken")]


def _role_faults(settings: Settings) -> list[Fault]:
    roles = settings.roles
    if any(role.users or role.groups for role in (roles.approver, roles.senior, roles.admin)):
        return []
    return [(("roles",), "nobody may approve; give roles.approver users or groups")]


def _forge_faults(settings: Settings) -> list[Fault]:
    faults: list[Fault] = []
    for url, name in settings.forge.repositories.items():
        candidates = [settings.forge_root / name, settings.forge_root / f"{name}.git"]
        if not any(folder.is_dir() for folder in candidates):
            faults.append(
                (("forge", "repositories", url), f"{candidates[0]} is not a folder; `git init --bare` makes one")
            )
    return faults


async def _policy_faults(settings: Settings) -> list[Fault]:
    from kubernaut.adapters.rego.engine import RegoPolicyEngine
    from kubernaut.adapters.rego.shipped import shipped_policies

    key = ("policies", "dir") if settings.policies.dir else ("policies", "settings")
    if settings.policies.dir and not settings.policies.dir.is_dir():
        return [(key, f"{settings.policies.dir} is not a folder")]
    try:
        engine = await RegoPolicyEngine.load(settings.policies.dir or shipped_policies(), settings.policy_overrides())
    except KubernautError as error:
        return [(key, str(error))]
    engine.close()
    return []


def _place(key: tuple[str | int, ...], path: Path, where: Places) -> str:
    return next((where[key[:n]] for n in range(len(key), 0, -1) if key[:n] in where), str(path))


def _dotted(key: tuple[str | int, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".")
