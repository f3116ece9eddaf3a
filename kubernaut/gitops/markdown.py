"""Text from a cluster goes into a pull request as text: no mark-up, no mention, no link, no secret of its own."""

import re
from collections.abc import Sequence

from kubernaut.domain.redaction import redact

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~>-])")
_GAP = "\u200b"  # breaks what forges recognise in running text: @names, #12, www., https:
_TRIGGER = re.compile(r"(@|(?<!\w)(?:GH-)(?=\d)|#(?=\d)|https?(?=:)|ftp(?=:)|(?<!\w)www(?=\.))", re.IGNORECASE)


def line(text: object, limit: int = 300) -> str:
    """One line without control characters and secrets, shortened."""
    plain = " ".join(_CONTROL.sub(" ", redact(str(text)[: 20 * limit])).split())
    return plain if len(plain) <= limit else f"{plain[: limit - 1]}…"


def prose(text: object, limit: int = 600) -> str:
    """One line of running text in which nothing is mark-up."""
    plain = line(text, limit).replace("&", "&amp;").replace("<", "&lt;")
    return _TRIGGER.sub(lambda found: found[0] + _GAP, _SPECIAL.sub(r"\\\1", plain))


def code(text: object, limit: int = 300) -> str:
    """One line as a code span, safe in a table."""
    plain = line(text, limit)
    if not plain:
        return ""
    longest = max((len(run) for run in re.findall(r"`+", plain)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{fence}{pad}{plain}{pad}{fence}".replace("|", "\\|")


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """A table's lines; the cells are Markdown already."""
    return [f"| {' | '.join(cells)} |" for cells in (head, ("---",) * len(head), *rows)]
