"""`kubernaut watch`: the journal as it is written."""

import time
from typing import Any

import click

from kubernaut.domain.errors import Temporary

from .api import ApiClient
from .exits import NoDaemonError
from .options import output_option, socket_option
from .tables import compact, emit, say

_PATIENCE_S = 30.0
"""How long a daemon may be away, as for an upgrade, before following it ends."""
_PAUSE_S = 0.5


@click.command()
@click.argument("remediation_id", required=False, metavar="[ID]")
@click.option(
    "--after", type=click.IntRange(0), default=None, help="Begin behind this entry; 0 is the beginning. Default: now."
)
@output_option()
@socket_option
def watch(remediation_id: str | None, after: int | None, output: str, client: ApiClient) -> None:
    """Follow the journal of all remediations, or of one, until Ctrl-C.

    A daemon that restarts is followed again from the last entry seen. With `-o json` each line is one entry.

    \b
    Examples:
      kubernaut watch
      kubernaut watch rr-a1b2c3 --after 0
      kubernaut watch -o json | jq -r 'select(.kind == "escalation") | .message'
    """
    last = client.get("/v1/status")["journal_seq"]  # where there is no daemon, this says so at once
    seq = last if after is None else after
    heard = time.monotonic()
    while True:
        try:
            params = {"after": seq, "follow": "true", "remediation": remediation_id or ""}
            for entry in client.stream("/v1/journal", params):
                heard, seq = time.monotonic(), entry["seq"]
                if "heartbeat" not in entry:
                    _print(entry, output)
        except (NoDaemonError, Temporary):
            if time.monotonic() - heard > _PATIENCE_S:
                raise
        time.sleep(_PAUSE_S)


def _print(entry: dict[str, Any], output: str) -> None:
    if output == "json":
        click.echo(compact(entry))
        return
    if output == "yaml":
        click.echo("---")
        emit(entry, "yaml")
        return
    where = entry["remediation_id"] or "-"
    who = "" if entry["actor"] == "kubernaut" else f"{entry['actor']}: "
    say(f"{entry['time'][11:23]}Z {where:<9} {entry['kind']:<12} {who}{entry['message']}")
