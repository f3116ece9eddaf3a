"""`kubernaut config check|show`."""

from pathlib import Path

import click
import yaml

from kubernaut.domain.errors import BadInput
from kubernaut.settings import Settings, load

from .options import output_option
from .tables import emit

config_option = click.option(
    "--config", "path", type=click.Path(path_type=Path), envvar="KUBERNAUT_CONFIG", default=Path("config/kubernaut.yaml"),
    show_default=True, help="The configuration file; KUBERNAUT_CONFIG names it, too.",
)  # fmt: skip


@click.group()
def config() -> None:
    """Check the configuration, or show it with its defaults."""


@config.command()
@config_option
def check(path: Path) -> None:
    """Say what is wrong with the configuration and everything that it points at; exit status 2 when anything is."""
    faults = faults_of(load(path))
    if faults:
        raise BadInput("\n".join(faults), place=str(path))
    click.echo(f"{path}: in order")


@config.command()
@config_option
@output_option("yaml", "json")
def show(path: Path, output: str) -> None:
    """All keys with the values in force, the environment's overrides included."""
    emit(load(path).model_dump(mode="json"), output)


def faults_of(settings: Settings) -> list[str]:
    """Faults that only a look at the files shows, one sentence each."""
    faults = []
    if not settings.clusters:
        faults.append("clusters: none is configured, so there is nothing to look after")
    for index, cluster in enumerate(settings.clusters):
        if cluster.kubeconfig and not cluster.kubeconfig.is_file():
            faults.append(f"clusters[{index}].kubeconfig: {cluster.kubeconfig} is not a file")
        elif cluster.kubeconfig:
            faults += _context_fault(index, cluster.kubeconfig, cluster.context)
    tokens = settings.gateway.tokens_file
    if tokens is None:
        faults.append("gateway.tokens_file: is not set, so no webhook is taken")
    elif not tokens.is_file():
        faults.append(
            f"gateway.tokens_file: {tokens} is not a file; write one token a line, as `openssl rand -hex 32` makes it"
        )
    if settings.policies.dir and not settings.policies.dir.is_dir():
        faults.append(f"policies.dir: {settings.policies.dir} is not a folder")
    if not any((settings.roles.approver.users, settings.roles.approver.groups, settings.roles.senior.users,
                settings.roles.senior.groups, settings.roles.admin.users, settings.roles.admin.groups)):  # fmt: skip
        faults.append("roles: nobody may approve; give roles.approver users or groups")
    return faults


def _context_fault(index: int, kubeconfig: Path, context: str | None) -> list[str]:
    try:
        document = yaml.safe_load(kubeconfig.read_text("utf-8")) or {}
        names = [entry["name"] for entry in document.get("contexts") or ()]
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError, UnicodeDecodeError):
        return [f"clusters[{index}].kubeconfig: {kubeconfig} is not a kubeconfig"]
    wanted = context or document.get("current-context")
    if wanted not in names:
        return [
            f"clusters[{index}].context: {wanted!r} is not in {kubeconfig} (contexts: {', '.join(names) or 'none'})"
        ]
    return []
