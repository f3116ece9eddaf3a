"""`kubernaut approve` and `kubernaut reject`."""

import sys
from typing import Any

import click

from kubernaut.domain.errors import BadInput, Conflict, NotFound, Refused

from .api import ApiClient
from .options import output_option, socket_option
from .tables import emitted, say, target_text

_SHORTEST_HASH = 8
_HELP_ID = "ID is an approval (ap-…) or a remediation (rr-…) that asks for exactly one."


@click.command(epilog=_HELP_ID)
@click.argument("wanted", metavar="ID")
@click.option("--reason", default="", help="Why; needed in production unless the console has armed you.")
@click.option("--confirm", default=None, help="The word that the question asks to type; asked for on a terminal.")
@click.option("--plan-hash", default=None, help="Approve only if the plan still has this hash.")
@output_option()
@socket_option
def approve(
    wanted: str, reason: str, confirm: str | None, plan_hash: str | None, output: str, client: ApiClient
) -> None:
    """Approve what a remediation asks for.

    \b
    Examples:
      kubernaut approve rr-a1b2c3
      kubernaut approve rr-a1b2c3 --confirm n5 --reason "disk fails, INC-481" --plan-hash 3fa9c11b20de
    """
    approval = _find(client, wanted)
    _check_hash(approval, plan_hash)
    if not approval["may_vote"]:
        raise Refused(approval["why_not"])
    if output in ("table", "wide"):
        say(*question(approval))
    word = approval["confirm"]
    if confirm is None:
        confirm = _asked_word(word)
    if confirm != word:
        raise BadInput(f"not approved: {word!r} was asked for", field="--confirm")
    _send(client, approval, "approve", reason or _asked_reason(), confirm, output)


@click.command(epilog=_HELP_ID)
@click.argument("wanted", metavar="ID")
@click.option("--reason", default="", help="Why; the journal and the others will see it.")
@output_option()
@socket_option
def reject(wanted: str, reason: str, output: str, client: ApiClient) -> None:
    """Reject what a remediation asks for.

    \b
    Example:
      kubernaut reject rr-a1b2c3 --reason "it heals by itself"
    """
    _send(client, _find(client, wanted), "reject", reason or _asked_reason(), "", output)


def _asked_word(word: str) -> str:
    if not sys.stdin.isatty():
        raise BadInput(f"without a terminal to ask on, give --confirm {word}", field="--confirm")
    text = f"Type {word} to approve, anything else leaves it"
    return str(click.prompt(text, default="", show_default=False, err=True))


def _asked_reason() -> str:
    if not sys.stdin.isatty():
        return ""
    return str(click.prompt("Reason, for the journal", default="", show_default=False, err=True))


def _check_hash(approval: dict[str, Any], plan_hash: str | None) -> None:
    if plan_hash is not None and len(plan_hash) < _SHORTEST_HASH:
        raise BadInput(f"needs at least {_SHORTEST_HASH} characters", field="--plan-hash")
    if plan_hash is not None and not approval["plan_hash"].startswith(plan_hash):
        raise Conflict(f"the plan is {approval['plan_hash'][:12]} now, not {plan_hash}: look again")


def _find(client: ApiClient, wanted: str) -> dict[str, Any]:
    if not wanted.startswith("rr-"):
        return client.get(f"/v1/approvals/{wanted}")
    items = client.get("/v1/approvals", {"remediation": wanted, "pending": "true"})["items"]
    if not items:
        raise NotFound(f"{wanted} asks for nothing now (kubernaut get approvals)")
    if len(items) > 1:
        raise BadInput(f"{wanted} asks for {', '.join(item['id'] for item in items)}: name one of them", field="ID")
    return dict(items[0])


def _send(client: ApiClient, approval: dict[str, Any], verdict: str, reason: str, confirm: str, output: str) -> None:
    body = {"verdict": verdict, "plan_hash": approval["plan_hash"], "reason": reason, "confirm": confirm}
    after = client.post(f"/v1/approvals/{approval['id']}/vote", body)
    if emitted(after, output):
        return
    votes = sum(v["verdict"] == "approve" for v in after["votes"])
    click.echo(f"{after['id']} is {after['phase'].lower()}: {votes} of {after['min_approvers']} approvals")


def question(approval: dict[str, Any]) -> list[str]:
    """What is asked, in the console's words."""
    radius = approval["blast_radius"]
    return [
        f"{approval['action']} {target_text(approval['target'])} in {approval['environment']} {approval['cluster']}?",
        f"  touches  {radius['pods']} pods of {radius['workloads']} workloads, {radius['nodes']} nodes",
        f"  because  {approval['because']}",
        f"  asks     rule {approval['rule']}: {approval['reason']}",
        f"  undo     {approval['rollback']}",
        *(f"  dry run  {line}" for line in approval["dry_run"]),
        f"  plan     {approval['plan_hash'][:12]}, expires {approval['expires'][11:19]}Z",
    ]
