"""`kubernaut watch`: the journal as it is written."""

import click

from .api import ApiClient
from .options import output_option, socket_option
from .tables import emit, plain


@click.command()
@click.argument("remediation_id", required=False, metavar="[ID]")
@click.option("--after", type=int, default=None, help="Begin behind this entry; 0 is the beginning. Default: now.")
@output_option("text", "json")
@socket_option
def watch(remediation_id: str | None, after: int | None, output: str, client: ApiClient) -> None:
    """Follow the journal of all remediations, or of one, until Ctrl-C."""
    start = client.get("/v1/status")["journal_seq"] if after is None else after
    params = {"after": start, "follow": "true", "remediation": remediation_id or ""}
    for entry in client.stream("/v1/journal", params):
        if "heartbeat" in entry:
            continue
        if output == "json":
            emit(entry, "json")
            continue
        where = entry["remediation_id"] or "-"
        who = "" if entry["actor"] == "kubernaut" else f"{entry['actor']}: "
        click.echo(f"{entry['time'][11:23]}Z {where:<9} {entry['kind']:<12} {who}{plain(entry['message'])}")
