"""`kubernaut policy explain`: which rule decided, on which facts it hangs, and what would have been decided otherwise."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from kubernaut.domain.errors import BadInput, NotFound
from kubernaut.domain.policy import Decision

from .api import ApiClient, find_socket
from .options import output_option
from .policy import asked_locally, decision_lines, request_of
from .tables import emitted, plain, say, table


@click.command()
@click.argument("remediation_id", required=False, metavar="[ID]")
@click.option(
    "--input", "source", metavar="FILE", help="A request as JSON instead of a remediation; - is standard input."
)
@click.option(
    "--policies", "directory", type=click.Path(path_type=Path),
    help="Explain by these policies. Default: the daemon's for ID, the shipped ones for --input.",
)  # fmt: skip
@output_option()
@click.option("--socket", type=click.Path(path_type=Path), metavar="PATH", help="The daemon's Unix socket.")
def explain(
    remediation_id: str | None, source: str | None, directory: Path | None, output: str, socket: Path | None
) -> None:
    """Says why policy decided as it did.

    Each fact of the request is changed by itself and policy is asked again: a fact matters when that changes the decision. It
    works for any rules, and changes nothing. With ID the daemon's record tells what was asked, also when it was denied.

    \b
    Examples:
      kubernaut policy explain rr-a1b2c3
      kubernaut policy explain rr-a1b2c3 --policies ./stricter
      kubernaut policy explain --input request.json -o json | jq .because
    """
    if (remediation_id is None) == (source is None):
        raise BadInput("give either a remediation's ID or --input FILE", field="ID")
    if source is not None:
        found = asyncio.run(asked_locally(directory, [request_of(source)]))[0]
        if not emitted(found, output):
            say(*lines_of(found, wide=output == "wide"))
        return
    document = ApiClient(find_socket(socket)).get(f"/v1/remediations/{remediation_id}/policy")
    if not document["items"]:
        raise NotFound(f"policy was not asked about {remediation_id} yet, or before it kept a record")
    if directory is not None:
        requests = [item["request"] for item in document["items"]]
        for item, now in zip(document["items"], asyncio.run(asked_locally(directory, requests)), strict=True):
            item["now"] = now
    if emitted(document, output):
        return
    for number, item in enumerate(document["items"]):
        say(*([""] if number else []), *_recorded(item), *lines_of(item["now"], wide=output == "wide"))


def _recorded(item: Mapping[str, Any]) -> list[str]:
    """What was asked and said then, where it differs from now."""
    request, then, now = item["request"], item["recorded"], item["now"]["decision"]
    target = request["target"]
    name = (
        f"{target['namespace']}/{target['name']}"
        if target["namespace"]
        else f"{target['kind'].lower()}/{target['name']}"
    )
    lines = [
        f"{'ASKED':<10} {request['action']['name']} {name}, {item['time'][:19]}Z, policies {item['revision'][:12]}"
    ]
    if (then["approval_type"], then["rule"]) != (now["approval_type"], now["rule"]):
        lines.append(f"{'THEN':<10} {then['approval_type']}, rule {then['rule']}: {then['reason']}")
        lines.append(f"{'NOW':<10} the policies or the confidence gate say something else:")
    return lines


def lines_of(found: Mapping[str, Any], *, wide: bool) -> list[str]:
    """An explanation for people."""
    lines = decision_lines(Decision.from_document(found["decision"]))
    because = [f"{each['field']} is {_said(each['value'])}" for each in found["because"]]
    for label, facts in (("BECAUSE", because), ("WHATEVER", found["indifferent"])):
        lines += [f"{label if not number else '':<10} {fact}" for number, fact in enumerate(_packed(facts))]
    if found["alternatives"]:
        headers = ["IF", "WERE", "THEN", "RULE"] + (["REASON"] if wide else [])
        rows = [
            [each["field"], each["instead"], each["approval_type"], each["rule"], *([each["reason"]] if wide else [])]
            for each in found["alternatives"]
        ]
        lines += ["", *table(headers, rows).split("\n")]
    return [plain(line) for line in lines]


def _packed(facts: list[str], width: int = 68) -> list[str]:
    """Facts with commas, as many to a line as fit."""
    lines: list[str] = []
    for fact in facts:
        if lines and len(lines[-1]) + len(fact) + 2 <= width:
            lines[-1] += f", {fact}"
        else:
            lines.append(fact)
    return lines


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value) or "empty"
