"""`kubernaut cancel`, `escalate` and `note`: a person's hands on a remediation, beside the votes."""

import click

from .api import ApiClient
from .options import output_option, socket_option
from .tables import emitted


@click.command()
@click.argument("remediation_id", metavar="ID")
@click.option("--reason", required=True, help="Why, for the journal.")
@output_option()
@socket_option
def cancel(remediation_id: str, reason: str, output: str, client: ApiClient) -> None:
    """Stop a remediation after its running step; what ran is rolled back where it can be, its pull request is closed.

    \b
    Example:
      kubernaut cancel rr-a1b2c3 --reason "planned restart, INC-481"
    """
    after = client.post(f"/v1/remediations/{remediation_id}/cancel", {"reason": reason})
    if not emitted(after, output):
        click.echo(f"{remediation_id} is being cancelled; `kubernaut describe rr {remediation_id}` tells how it ends")


@click.command()
@click.argument("remediation_id", metavar="ID")
@click.option("--reason", required=True, help="Why, for the journal.")
@output_option()
@socket_option
def escalate(remediation_id: str, reason: str, output: str, client: ApiClient) -> None:
    """Take a remediation over as it stands: nothing more is done, nothing is undone, its pull request stays open.

    \b
    Example:
      kubernaut escalate rr-a1b2c3 --reason "I look into it myself, INC-481"
    """
    after = client.post(f"/v1/remediations/{remediation_id}/escalate", {"reason": reason})
    if not emitted(after, output):
        click.echo(f"{remediation_id} is yours; `kubernaut describe rr {remediation_id}` tells what was done")


@click.command()
@click.argument("remediation_id", metavar="ID")
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
