"""`kubernaut cancel`."""

import click

from .api import ApiClient
from .options import output_option, socket_option
from .tables import emit


@click.command()
@click.argument("remediation_id", metavar="ID")
@click.option("--reason", required=True, help="Why, for the journal.")
@output_option("text", "json")
@socket_option
def cancel(remediation_id: str, reason: str, output: str, client: ApiClient) -> None:
    """Stop a remediation after its running step; what ran is rolled back where it can be, its pull request is closed."""
    after = client.post(f"/v1/remediations/{remediation_id}/cancel", {"reason": reason})
    if output == "json":
        emit(after, "json")
    else:
        click.echo(f"{remediation_id} is being cancelled; `kubernaut describe rr {remediation_id}` tells how it ends")
