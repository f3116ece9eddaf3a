"""`kubernaut config check|show|example`."""

import asyncio
from pathlib import Path
from typing import Any

import click

from kubernaut.domain.errors import BadInput
from kubernaut.domain.redaction import redact
from kubernaut.settings import load, places

from .options import output_option
from .tables import emit, say

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

    Kubeconfigs, contexts, tokens, policies, repositories, folders, addresses and groups are looked at, too; no cluster is
    asked. What works and is unwise is a caution, and the status is 0.

    \b
    Example:
      kubernaut config check --config /etc/kubernaut/kubernaut.yaml
    """
    from .checks import cautions_of, faults_of, told

    settings, where = load(path), places(path)
    if faults := asyncio.run(faults_of(settings)):
        raise BadInput("\n".join(told(fault, path, where) for fault in faults))
    for caution in cautions_of(settings):
        say(f"kubernaut: caution: {told(caution, path, where)}", err=True)
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
