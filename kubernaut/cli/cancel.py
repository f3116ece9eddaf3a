"""`kubernaut cancel`."""

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
