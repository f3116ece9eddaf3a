"""`kubernaut actions`."""

from typing import Any

import click

from kubernaut.actions.catalogue import DECLARATIVE, IMPERATIVE

from .options import output_option
from .tables import emitted, table


@click.command()
@output_option()
def actions(output: str) -> None:
    """The catalogue of actions: what kubernaut can do, how risky it is and how it is undone.

    \b
    Example:
      kubernaut actions -o wide
    """
    items: list[dict[str, Any]] = [
        {
            "name": a.name, "kind": "imperative", "risk": a.risk.value, "reversible": a.reversible, "inverse": a.inverse,
            "targets": list(a.target_kinds),
        }
        for a in IMPERATIVE.values()
    ]  # fmt: skip
    items += [
        {"name": name, "kind": "declarative", "risk": "medium", "reversible": True, "inverse": "revert", "targets": []}
        for name in DECLARATIVE
    ]
    if emitted({"items": items}, output):
        return
    headers = ["ACTION", "KIND", "RISK", "UNDONE BY"] + (["TARGETS"] if output == "wide" else [])
    rows = [[i["name"], i["kind"], i["risk"], i["inverse"] or "none"] for i in items]
    if output == "wide":
        rows = [[*row, ", ".join(item["targets"]) or "any"] for row, item in zip(rows, items, strict=True)]
    click.echo(table(headers, rows))
