"""Plain tables and times for the terminal; nothing that a cluster wrote can steer it."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click
import yaml


def plain(text: object) -> str:
    """Text without control characters."""
    return "".join(sign if sign.isprintable() else " " for sign in str(text))


def say(*lines: str, err: bool = False) -> None:
    """Print lines that may quote a cluster: whatever could steer a terminal is blanked."""
    for line in lines:
        click.echo(plain(line), err=err)


def table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns two spaces apart, as kubectl prints them."""
    cells = [list(headers), *([plain(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headers))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join(lines)


def age(moment: str | None, now: datetime | None = None) -> str:
    """How long ago, in the largest unit that is not zero: 42s, 7m, 3h, 2d."""
    if not moment:
        return "-"
    seconds = int(((now or datetime.now(UTC)) - datetime.fromisoformat(moment)).total_seconds())
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{max(0, seconds)}s"


def emit(document: Any, output: str) -> None:
    """Print a document as JSON or YAML."""
    if output == "yaml":
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
        if not _harmless(text):
            text = yaml.safe_dump(document, sort_keys=False, allow_unicode=False)
        click.echo(text.rstrip())
    else:
        click.echo(compact(document, indent=2))


def emitted(document: Any, output: str) -> bool:
    """Whether a program is to read it; then it is printed already."""
    if output not in ("json", "yaml"):
        return False
    emit(document, output)
    return True


def compact(document: Any, indent: int | None = None) -> str:
    """A document as JSON that no terminal takes for a command: JSON escapes the old control characters, not the newer."""
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    return text if _harmless(text) else json.dumps(document, indent=indent)


def _harmless(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


def target_text(document: dict[str, Any]) -> str:
    """`shop/checkout` or `node/n5`."""
    namespace, name = document.get("namespace"), document["name"]
    return f"{namespace}/{name}" if namespace else f"{document['kind'].lower()}/{name}"
