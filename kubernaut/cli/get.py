"""`kubernaut get`: lists."""

from typing import Any

import click

from .api import ApiClient
from .options import output_option, socket_option
from .tables import age, emitted, table, target_text

_TRACK = {
    "Planning": "plan", "Validating": "check", "AwaitingApproval": "ask", "Executing": "run", "Verifying": "verify",
    "RollingBack": "undo", "Completed": "done", "RolledBack": "undone", "PartiallyRolledBack": "undone?",
    "Failed": "FAILED", "Rejected": "refused", "TimedOut": "expired", "Cancelled": "stopped",
    "Proposing": "write", "AwaitingMerge": "PR?", "Overdue": "PR!", "Syncing": "sync", "Closed": "closed",
}  # fmt: skip


_WHOLE = 100
"""Whole remediations that the API gives at a time."""


@click.group()
def get() -> None:
    """List remediations (rr), approvals or clusters.

    \b
    Examples:
      kubernaut get rr
      kubernaut get approvals
      kubernaut get clusters -o json
    """


@get.command("rr")
@click.argument("remediation_id", required=False, metavar="[ID]")
@click.option("--phase", multiple=True, help="Only this phase; may be given several times.")
@click.option("--cluster", default="", help="Only this cluster.")
@click.option("--text", default="", help="Words that must occur; !word must not.")
@click.option("--needs-you", is_flag=True, help="Only what waits for a person.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 500))
@output_option()
@socket_option
def remediations(
    remediation_id: str | None, phase: tuple[str, ...], cluster: str, text: str, needs_you: bool, limit: int,
    output: str, client: ApiClient,
) -> None:  # fmt: skip
    """Remediations: what needs you first, then what runs, then what is done.

    \b
    Examples:
      kubernaut get rr --needs-you
      kubernaut get rr --phase Executing --phase Verifying -o wide
      kubernaut get rr --text 'checkout !staging' -o json | jq -r '.items[].id'
      kubernaut get rr rr-a1b2c3 -o yaml
    """
    if remediation_id:
        items, total = [client.get(f"/v1/remediations/{remediation_id}")], 1
    else:
        params = {
            "phase": list(phase) or None, "cluster": cluster, "text": text,
            "needs_you": "true" if needs_you else None,
        }  # fmt: skip
        items, total = _pages(client, params, limit, whole=output in ("json", "yaml"))
    if emitted(items[0] if remediation_id else {"items": items, "total": total}, output):
        return
    if not items:
        click.echo("no remediations")
        return
    click.echo(_table(items, wide=output == "wide"))
    if total > len(items):
        click.echo(f"{len(items)} of {total}; --limit shows more", err=True)


def _pages(client: ApiClient, params: dict[str, Any], limit: int, *, whole: bool) -> tuple[list[dict[str, Any]], int]:
    """As many as were asked for, and how many there are. A program gets whole remediations, which come in smaller pages."""
    most = _WHOLE if whole else limit
    items: list[dict[str, Any]] = []
    while True:
        here = {"limit": min(most, limit - len(items)), "offset": len(items), "whole": "true" if whole else None}
        page = client.get("/v1/remediations", params | here)
        items += page["items"]
        if len(items) >= min(limit, page["total"]) or not page["items"]:
            return items, page["total"]


def _table(items: list[dict[str, Any]], *, wide: bool) -> str:
    headers = ["", "ID", "SEV", "CLUSTER", "TARGET", "PHASE", "K8S", "GIT", "AGE", "STORY"]
    headers += ["SIGNAL", "COUNT", "ENVIRONMENT", "PRIORITY"] if wide else []
    rows = []
    for item in items:
        tracks = {track["kind"]: _TRACK.get(track["phase"], track["phase"]) for track in item["tracks"]}
        row = [
            "!" if item["needs_you"] else "", item["id"], item["severity"], item["cluster"], target_text(item["target"]),
            item["phase"], tracks.get("imperative", "-"), tracks.get("gitops", "-"), age(item["created"]), item["story"],
        ]  # fmt: skip
        signal = item["signal"]
        row += [signal["name"], signal["count"], item["environment"], item["priority"]] if wide else []
        rows.append(row)
    return table(headers, rows)


@get.command()
@click.option("--all", "everything", is_flag=True, help="Also those that are over.")
@output_option()
@socket_option
def approvals(everything: bool, output: str, client: ApiClient) -> None:
    """Approvals that wait, the most urgent first.

    \b
    Examples:
      kubernaut get approvals
      kubernaut get approvals --all -o wide
    """
    page = client.get("/v1/approvals", {"pending": None if everything else "true"})
    items = page["items"]
    if emitted({"items": items, "total": page["total"]}, output):
        return
    if not items:
        click.echo("nothing waits for an approval")
        return
    headers = ["ID", "REMEDIATION", "ACTION", "TARGET", "CLUSTER", "PHASE", "VOTES", "RULE", "EXPIRES", "YOU"]
    rows = [
        [
            item["id"], item["remediation_id"], item["action"], target_text(item["target"]), item["cluster"], item["phase"],
            f"{sum(v['verdict'] == 'approve' for v in item['votes'])}/{item['min_approvers']}", item["rule"],
            item["expires"][11:19] + "Z", "may" if item["may_vote"] else "may not",
        ]
        for item in items
    ]  # fmt: skip
    if output == "wide":
        headers += ["ENVIRONMENT", "ROLE", "GROUPS", "PLAN", "BECAUSE"]
        for row, item in zip(rows, items, strict=True):
            groups = ", ".join(item["groups"]) or "-"
            row += [item["environment"], item["role"], groups, item["plan_hash"][:12], item["because"]]
    click.echo(table(headers, rows))
    if page["total"] > len(items):
        click.echo(f"{len(items)} of {page['total']}: the most urgent", err=True)


@get.command()
@output_option()
@socket_option
def clusters(output: str, client: ApiClient) -> None:
    """Clusters and how fresh the view of each is.

    \b
    Example:
      kubernaut get clusters
    """
    items = client.get("/v1/clusters")["items"]
    if emitted({"items": items}, output):
        return
    if not items:
        click.echo("no clusters are configured")
        return
    rows = [
        (i["name"], i["state"], f"{i['watch_age_s']:.0f}s", i["server_version"], i["environment"], i["reason"] or "-")
        for i in items
    ]
    click.echo(table(("NAME", "STATE", "WATCH", "VERSION", "ENVIRONMENT", "REASON"), rows))
