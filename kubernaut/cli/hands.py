"""`kubernaut cancel`, `escalate` and `note`: a person's hands on a remediation, beside the votes."""

from typing import Any

import click

from .api import ApiClient
from .options import composed, output_option, socket_option
from .tables import emitted

_remediation = click.argument("remediation_id", metavar="ID")
_reason = click.option("--reason", required=True, help="Why, for the journal.")
_ends = composed(_remediation, _reason, output_option(), socket_option)


@click.command()
@_ends
def cancel(**given: Any) -> None:
    """Stop a remediation after its running step; what ran is rolled back where it can be, its pull request is closed.

    \b
    Example:
      kubernaut cancel rr-a1b2c3 --reason "planned restart, INC-481"
    """
    _end("cancel", "is being cancelled; `kubernaut describe rr {id}` tells how it ends", **given)


@click.command()
@_ends
def escalate(**given: Any) -> None:
    """Take a remediation over as it stands: nothing more is done, nothing is undone, its pull request stays open.

    \b
    Example:
      kubernaut escalate rr-a1b2c3 --reason "I look into it myself, INC-481"
    """
    _end("escalate", "is yours; `kubernaut describe rr {id}` tells what was done", **given)


def _end(way: str, told: str, remediation_id: str, reason: str, output: str, client: ApiClient) -> None:
    after = client.post(f"/v1/remediations/{remediation_id}/{way}", {"reason": reason})
    if not emitted(after, output):
        click.echo(f"{remediation_id} {told.format(id=remediation_id)}")


@click.command()
@_remediation
@click.argument("text")
@output_option()
@socket_option
def note(remediation_id: str, text: str, output: str, client: ApiClient) -> None:
    """Write a remark into a remediation's timeline; changes nothing else.

    \b
    Example:
      kubernaut note rr-a1b2c3 "the disk is replaced tomorrow at nine"
    """
    after = client.post(f"/v1/remediations/{remediation_id}/note", {"text": text})
    if not emitted(after, output):
        click.echo("noted")
