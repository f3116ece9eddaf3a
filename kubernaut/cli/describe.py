"""`kubernaut describe`: everything about one remediation, readable at 80 columns."""

import textwrap
from typing import Any

import click

from .api import ApiClient
from .options import output_option, socket_option
from .tables import emitted, plain, say, target_text


@click.group()
def describe() -> None:
    """Everything about one remediation.

    \b
    Example:
      kubernaut describe rr rr-a1b2c3
    """


@describe.command("rr")
@click.argument("remediation_id", metavar="ID")
@output_option()
@socket_option
def remediation(remediation_id: str, output: str, client: ApiClient) -> None:
    """Cause with evidence, policy's word, both tracks and the timeline.

    \b
    Examples:
      kubernaut describe rr rr-a1b2c3
      kubernaut describe rr rr-a1b2c3 -o json | jq .timeline
    """
    item = client.get(f"/v1/remediations/{remediation_id}")
    if emitted(item, output):
        return
    say(*text_of(item))


def text_of(item: dict[str, Any]) -> list[str]:
    """A remediation as lines of at most 80 columns."""
    signal = item["signal"]
    place = f"{item['environment']} {item['cluster']}"
    lines = [f"{item['id']}  {target_text(item['target'])}  {item['phase']}  {place}", f"  {plain(item['story'])}", ""]
    lines += [f"signal    {signal['name']} x{signal['count']} from {signal['source']}, {item['severity']}"]
    lines += _cause(item["analysis"])
    if item["decision"]:
        lines += _wrapped("policy", f"{item['decision']['reason']} (rule {item['decision']['rule']})")
    if item["reason"]:
        lines += _wrapped("note", item["reason"])
    for track in item["tracks"]:
        lines += ["", *_track(track)]
    lines += ["", "timeline"]
    for entry in item["timeline"]:
        who = "" if entry["actor"] == "kubernaut" else f"{entry['actor']}: "
        lines += _wrapped(f"{entry['time'][11:23]}", f"{who}{plain(entry['message'])}", 14)
        lines += [f"{'':14}{plain(line)}" for line in str(entry["data"].get("patch", "")).splitlines()]
    return lines


def _cause(analysis: dict[str, Any] | None) -> list[str]:
    if not analysis or not analysis["cause"]:
        return [line for seen in (analysis or {}).get("seen", ()) for line in _wrapped("looked at", seen)]
    lines = _wrapped("cause", f"{analysis['cause']} (confidence {analysis['confidence']:.2f})")
    for fact in analysis["evidence"]:
        lines += _wrapped("evidence", f"{fact['object']} {fact['field']} = {fact['value']}")
    return lines


def _track(track: dict[str, Any]) -> list[str]:
    lines = [f"{track['kind']}: {track['phase']}" + (f" ({plain(track['reason'])})" if track["reason"] else "")]
    if "plan" in track:
        for step in track["plan"]["steps"]:
            text = f"{step['action']} {target_text(step['target'])}: {step['phase']}; undo: {step['rollback']}"
            lines += _wrapped("step", text)
        return lines
    proposal = track["proposal"]
    pull = proposal["pull_request"]
    where = ", ".join(f"{f['path']}:{f['line']}" for f in proposal["files"])
    lines += _wrapped("change", f"{proposal['action']} {where}")
    if pull:
        lines += _wrapped("pull", f"#{pull['number']} {pull['state']}: {pull['title']} ({pull['url']})")
    return lines


def _wrapped(label: str, text: str, indent: int = 10) -> list[str]:
    first = f"{label:<{indent}}"
    return textwrap.wrap(plain(text), 80, initial_indent=first, subsequent_indent=" " * indent) or [first.rstrip()]
