"""README's pictures are what the console paints of `picture/*.json`, which the API said during a demo.

`KUBERNAUT_PICTURES=write pytest tests/docs` paints them anew; read the diff.
"""

import json
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from kubernaut_tui.effects import Effect, Load
from kubernaut_tui.events import Commanded, Connected, Event, Loaded, Painted, Pulse, Resized
from kubernaut_tui.lines import plain
from kubernaut_tui.reduce import reduce
from kubernaut_tui.screens.frame import present
from kubernaut_tui.state import State

from .pages import ROOT

_README = ROOT / "README.md"
_DOCUMENTS = Path(__file__).parent / "picture"
_PICTURE = re.compile(r"^```\n( kubernaut  .*?)^```\n", re.MULTILINE | re.DOTALL)
_BLANK_LINES = 2
"""So many of the blank lines of a screen are shown."""


def document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_DOCUMENTS / f"{name}.json").read_text("utf-8"))
    return found


class Console:
    """A console of 80x24 whose daemon says what stands in the documents."""

    def __init__(self) -> None:
        status = document("status")
        wall = datetime.fromisoformat(status["time"]).timestamp()
        self.at = 1000.0
        self.state = State(at=self.at, wall=wall)
        self.feed(Resized(80, 24))
        self.feed(Connected(status, self.at))
        self.feed(Pulse(self.at, wall, last_line=self.at))

    def feed(self, event: Event) -> None:
        self.state, effects = reduce(self.state, event)
        for effect in effects:
            self.answer(effect)

    def answer(self, effect: Effect) -> None:
        if isinstance(effect, Load) and effect.kind in ("page", "rows"):
            self.feed(Loaded(effect, document("page")))
        elif isinstance(effect, Load) and effect.kind == "remediation":
            self.feed(Loaded(effect, document("detail")))
        elif isinstance(effect, Load) and effect.kind == "approvals-of":
            self.feed(Loaded(effect, {"items": []}))

    def press(self, *commands: str) -> None:
        for command in commands:
            self.at += 1.0
            self.feed(Pulse(self.at, self.state.wall, last_line=self.at))
            self.feed(Commanded(command, self.at))
            self.feed(Painted(self.at))

    def picture(self) -> str:
        lines = [plain(line).rstrip() for line in present(self.state)]
        while lines.count("") > _BLANK_LINES:
            lines.remove("")
        return "\n".join(lines) + "\n"


def pictures() -> list[str]:
    """The list, and what `enter` opens on the remediation that has both tracks."""
    target = document("detail")["id"]
    console = Console()
    overview = console.picture()
    places = [item["id"] for item in document("page")["items"]]
    console.press(*["down"] * places.index(target), "open")
    return [overview, console.picture()]


def test_the_pictures_are_what_the_console_paints() -> None:
    text = _README.read_text("utf-8")
    wanted = pictures()
    if os.environ.get("KUBERNAUT_PICTURES") == "write":
        painted = iter(wanted)
        text = _PICTURE.sub(lambda _: f"```\n{next(painted)}```\n", text, count=len(wanted))
        _README.write_text(text, "utf-8")
    assert _PICTURE.findall(text)[: len(wanted)] == wanted
