"""All that the console knows, as one value. `reduce` makes the next one, `present` makes it visible."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from .effects import Load, Send
from .views import START, Screen, View

Document = Mapping[str, Any]

WIDE = 100
"""From this many columns a list has what its cursor is on beside it."""
PAGE = 150
"""Rows asked for at once; at most 500 are ever held."""
STALE_S = 10.0
"""Two heartbeats missed: what is shown may be old."""
FREEZE_S = 15.0
"""How long the order stays as it is after the last key in a list, in seconds."""
SETTLE_S = 0.3
"""How long keys are dropped after a question was painted, in seconds."""


class Word(StrEnum):
    """How fresh the screen is."""

    CONNECTING = "CONNECTING"
    LIVE = "LIVE"
    STALE = "STALE"
    DOWN = "DOWN"


class Answer(StrEnum):
    """How a prompt is answered."""

    LETTER = "letter"
    WORD = "word"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question on the prompt line.

    Args:
        question: what is asked, target and cluster included.
        answer: by one letter, by a typed word (both confirm something), or by text that Enter ends.
        expects: letter → what is sent, in order; for a word: the word.
        purpose: for texts: `filter`, `command`, `note`.
        painted_at: when the question was on the screen; None before. Keys read earlier than SETTLE_S later are dropped.
    """

    question: str
    answer: Answer
    expects: tuple[tuple[str, Send], ...] = ()
    purpose: str = ""
    remediation: str = ""
    typed: str = ""
    painted_at: float | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """A changing key that waits for facts: what was pressed, and on what."""

    command: str
    remediation: str
    cluster: str
    at: float


@dataclass(frozen=True, slots=True)
class Rows:
    """A window on the daemon's list.

    Args:
        items: at most 500 rows, in the order shown.
        offset: place of the first one in the whole list.
        wanted: the offset of the window that was asked for last; replies about others are dropped.
        cursor: the id under the cursor; rows are addressed by id, never by place.
        index: where the cursor is in `items`.
        top: the first visible row's place in `items`.
        unseen: rows that came while the order was frozen.
    """

    items: tuple[Document, ...] = ()
    offset: int = 0
    wanted: int = 0
    total: int = 0
    cursor: str = ""
    index: int = 0
    top: int = 0
    unseen: int = 0
    known: bool = False

    @property
    def current(self) -> Document | None:
        """The row under the cursor."""
        return self.items[self.index] if 0 <= self.index < len(self.items) else None


@dataclass(frozen=True, slots=True)
class State:
    """The console.

    Args:
        views: where one came from, the last is shown.
        before: the view shown before this one.
        documents: what was loaded for the views, by (kind, target).
        problems: why a load failed, by (kind, target).
        scrolls: first visible line by view.
        rewrapped: screens whose long lines are not treated as usual.
        dirty: kinds that are to be loaded again at the next pulse.
        heard: remediations that changed since they were loaded.
        loading: loads in flight.
        reason: why there is no connection.
        lost_wall: since when there is none, in seconds since 1970.
        uncertain: remediation → what was sent and never answered.
        escape: a torn escape sequence: `esc`, `csi`, `ss3` or empty.
        read_only: no change is ever sent (`--read-only`).
        single: one pane, however wide the terminal is.
    """

    width: int = 80
    height: int = 24
    at: float = 0.0
    wall: float = 0.0
    views: tuple[View, ...] = (START,)
    before: View | None = None
    rows: Rows = field(default_factory=Rows)
    asked: Rows = field(default_factory=Rows)
    filter: str = ""
    faults: bool = False
    acted_at: float = -1e9
    documents: Mapping[tuple[str, str], Document] = field(default_factory=dict)
    problems: Mapping[tuple[str, str], str] = field(default_factory=dict)
    scrolls: Mapping[View, int] = field(default_factory=dict)
    rewrapped: frozenset[Screen] = frozenset()
    connected: bool = False
    ever: bool = False
    reason: str = ""
    lost_wall: float = 0.0
    last_line: float = 0.0
    status: Document | None = None
    dirty: frozenset[str] = frozenset()
    heard: frozenset[str] = frozenset()
    loading: frozenset[Load] = frozenset()
    prompt: Prompt | None = None
    wish: Wish | None = None
    sending: frozenset[str] = frozenset()
    uncertain: Mapping[str, str] = field(default_factory=dict)
    notice: str = ""
    notice_style: str = ""
    notice_until: float = 0.0
    escape: str = ""
    escape_at: float = -1e9
    status_at: float = -1e9
    read_only: bool = False
    single: bool = False

    @property
    def beside(self) -> bool:
        """Whether a list has what its cursor is on beside it."""
        return self.width >= WIDE and not self.single

    @property
    def view(self) -> View:
        """What is shown."""
        return self.views[-1]

    @property
    def body_height(self) -> int:
        """Lines between crumbs and prompt."""
        return max(1, self.height - 4)

    @property
    def word(self) -> Word:
        """LIVE, STALE or DOWN."""
        if not self.connected:
            return Word.DOWN if self.reason else Word.CONNECTING
        return Word.STALE if self.stale_s >= STALE_S else Word.LIVE

    @property
    def stale_s(self) -> float:
        """Seconds since the daemon was last heard."""
        return max(0.0, self.at - self.last_line)

    @property
    def frozen(self) -> bool:
        """Whether the list keeps its order."""
        return self.prompt is not None or self.wish is not None or self.at - self.acted_at < FREEZE_S

    @property
    def armed(self) -> bool:
        """Whether production takes changes from this person now."""
        return bool(self.status and self.status["mode"]["armed"])

    def wraps(self, screen: Screen) -> bool:
        """Whether long lines are wrapped: in texts they are, in pictures only when somebody asks."""
        return (screen in (Screen.TIMELINE, Screen.LOGS, Screen.YAML)) is not (screen in self.rewrapped)

    def document(self, kind: str, target: str) -> Document | None:
        """What was loaded of one thing."""
        return self.documents.get((kind, target))

    def say(self, text: str, style: str = "", for_s: float = 8.0) -> "State":
        """The state with a notice on the prompt line."""
        return replace(self, notice=text, notice_style=style, notice_until=self.at + for_s)

    def mentioned(self) -> str:
        """The id of the remediation that the view, or its cursor, is about; empty when there is none."""
        view = self.view
        if view.screen is Screen.REMEDIATIONS:
            return self.rows.cursor
        if view.screen is Screen.APPROVALS:
            item = self.asked.current
            return str(item["remediation_id"]) if item else ""
        if view.screen is Screen.APPROVAL:
            item = self.document("approval", view.target)
            return str(item["remediation_id"]) if item else ""
        return view.target
