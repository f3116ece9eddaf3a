"""`kubernaut signal create`."""

import click

from kubernaut.domain.errors import BadInput

from .api import ApiClient
from .diagnose import parse_target
from .options import output_option, socket_option
from .tables import emitted


@click.group()
def signal() -> None:
    """Raise signals by hand.

    \b
    Example:
      kubernaut signal create deployment/checkout -n shop
    """


@signal.command()
@click.argument("target", nargs=-1, required=True, metavar="KIND/NAME")
@click.option("-n", "--namespace", default="default", show_default=True)
@click.option("--cluster", default="", help="Needed when several are configured.")
@click.option(
    "--severity", default="warning", show_default=True, type=click.Choice(("critical", "high", "warning", "info"))
)
@click.option("--summary", default="", help="What you saw, for the journal.")
@output_option()
@socket_option
def create(
    target: tuple[str, ...], namespace: str, cluster: str, severity: str, summary: str, output: str, client: ApiClient
) -> None:
    """Have KIND/NAME looked at as if an alert had fired. You are the requester, so policy may want somebody else's vote.

    \b
    Examples:
      kubernaut signal create deployment/checkout -n shop --summary "slow since noon"
      kubernaut signal create node/n5 --cluster prod-eu --severity critical
    """
    ref = parse_target(target, namespace, cluster)
    body = {
        "cluster": cluster, "kind": ref.kind, "namespace": ref.namespace, "name": ref.name, "severity": severity,
        "summary": summary,
    }  # fmt: skip
    answer = client.post("/v1/signals", body)
    if not answer["remediation_id"]:
        raise BadInput("the signal named nothing that could be remediated")
    if not emitted(answer, output):
        click.echo(f"{answer['remediation_id']} {answer['outcome']}")
