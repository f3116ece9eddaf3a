"""`kubernaut actions`."""

import click

from kubernaut.actions.catalogue import DECLARATIVE, IMPERATIVE

from .options import output_option
from .tables import emit, table


@click.command()
@output_option("table", "json", "yaml")
def actions(output: str) -> None:
    """The catalogue of actions."""
    items = [
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
    if output != "table":
        emit({"items": items}, output)
        return
    rows = [(i["name"], i["kind"], i["risk"], i["inverse"] or "none") for i in items]
    click.echo(table(("ACTION", "KIND", "RISK", "UNDONE BY"), rows))
