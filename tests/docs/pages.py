"""The project's pages, taken apart: commands, code, links and headings, each with the place where it stands."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^```")
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_WORK = ("kubernaut", "kubernaut-tui", "scripts/")


@dataclass(frozen=True, slots=True)
class Piece:
    """Something that a page says, and where: `docs/store.md:12`."""

    text: str
    place: str


def pages() -> list[Path]:
    """Every page that is part of the project."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def _lines(page: Path) -> Iterator[tuple[bool, Piece]]:
    """Each line, with whether it is inside of a code block."""
    fenced = False
    for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
        if _FENCE.match(line.strip()):
            fenced = not fenced
            continue
        yield fenced, Piece(line, f"{page.relative_to(ROOT)}:{number}")


def inline_code(page: Path) -> list[Piece]:
    """What stands between backticks."""
    return [Piece(c, line.place) for fenced, line in _lines(page) if not fenced for c in _INLINE.findall(line.text)]


def links(page: Path) -> list[Piece]:
    """Where links lead."""
    return [Piece(to, line.place) for fenced, line in _lines(page) if not fenced for to in _LINK.findall(line.text)]


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[Piece]:
    """Commands of ours, in code blocks and between backticks, without prompts, comments and what a pipe follows."""
    found = inline_code(page) + [line for fenced, line in _lines(page) if fenced]
    bare = [Piece(re.split(r"\s\s|\s[|>#;&]|\)", p.text.removeprefix("$ "))[0], p.place) for p in found]
    return [piece for piece in bare if piece.text.split(" ")[0].startswith(_WORK) and _is_command(piece.text)]


def _is_command(text: str) -> bool:
    first = text.split(" ")[0]
    return first in ("kubernaut", "kubernaut-tui") or first.startswith("scripts/")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found = set()
    for fenced, line in _lines(page):
        if not fenced and line.text.startswith("#"):
            words = line.text.lstrip("#").strip().lower()
            found.add(re.sub(r"[^\w\- ]", "", words).replace(" ", "-"))
    return found
