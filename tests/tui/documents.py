"""States of the console made of what the API says of the incidents."""

from dataclasses import replace
from typing import Any

from kubernaut.domain.reviews import Quorum
from kubernaut.server import present as api
from kubernaut_tui.effects import Effect, Load, Send
from kubernaut_tui.events import Commanded, Connected, Event, Loaded, Painted, Pressed, Pulse, Resized
from kubernaut_tui.keys import KEYS
from kubernaut_tui.lines import plain, width_of
from kubernaut_tui.prompts import swallows
from kubernaut_tui.reduce import reduce
from kubernaut_tui.screens.frame import present
from kubernaut_tui.state import State

from .incidents import ANA, NOW, failing_disk, nothing_found, out_of_memory, steady, timeline

WALL = NOW.timestamp()
AT = 1000.0
NAMES = {"/": "slash", ".": "full_stop", "-": "minus", ":": "colon", "?": "question_mark", " ": "space"}
"""What Textual calls the keys that write these characters."""
CHARACTERS = {"escape": "\x1b", "enter": "\r", "space": " ", "tab": "\t"}


def status(*, armed: bool = True, role: str = "senior", clusters: tuple[str, ...] = ("prod-eu",)) -> dict[str, Any]:
    mode = {"armed": armed, "until": "2026-03-01T03:24:00.000Z" if armed else None, "reason": "oom"}
    return {
        "version": "1", "time": api.when(NOW), "me": {"name": "ana", "groups": ["sre"], "role": role}, "mode": mode,
        "counts": {"needs_you": 3, "active": 2, "total": 4, "by_phase": {}}, "policy_revision": "r", "journal_seq": 6,
        "clusters": [
            {"name": n, "state": "LIVE", "watch_age_s": 1.0, "reason": "", "server_version": "v1.36.3", "environment": ""}
            for n in clusters
        ],
    }  # fmt: skip


def page() -> dict[str, Any]:
    drain, _ = failing_disk()
    items = [out_of_memory(), drain, nothing_found(), steady()]
    return {"items": [api.remediation(i, whole=False) for i in items], "total": 4, "offset": 0}


def reply(load: Load) -> dict[str, Any]:
    """What the daemon answers to a load."""
    drain, approval = failing_disk()
    whole = {i.id: i for i in (out_of_memory(), drain, nothing_found(), steady())}
    if load.kind in ("page", "rows"):
        return page()
    if load.kind in ("remediation", "wish", "readback"):
        entries = timeline() if load.target == "rr-4f2abc" else ()
        return api.remediation(whole[load.target], whole=True, timeline=entries)
    if load.kind in ("approvals", "approvals-of"):
        mine = load.kind == "approvals" or load.target == drain.id
        return {"items": [api.approval(approval, ANA)] if mine else []}
    if load.kind == "approval":
        return api.approval(approval, ANA)
    if load.kind in ("diff", "wish-diff"):
        track = whole[load.target].gitops
        pull = track.proposal.pull_request if track else None
        files = track.proposal.files if track else ()
        return {
            "files": [api.file_change(f) for f in files],
            "pull_request": api.pull_request(pull, Quorum(), ANA) if pull else None,
        }
    if load.kind == "logs":
        text = "level=info msg=starting\nlevel=error msg=\x1b[31mout of memory\x1b[0m\n"
        return {"logs": [{"pod": "checkout-7d9f-x2x4", "container": "app", "previous": True, "text": text}]}
    if load.kind == "yaml":
        return {"yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: checkout\n"}
    if load.kind == "tree":
        return tree()
    return status()


def tree() -> dict[str, Any]:
    """The family of a Deployment of which one pod does not run."""
    rows = (
        ("Application", "argocd", "checkout", 0, "Synced, Degraded", False),
        ("Deployment", "shop", "checkout", 1, "2/3 ready, revision 41", False),
        ("ReplicaSet", "shop", "checkout-7d9f", 2, "2/3 ready, revision 41", False),
        ("Pod", "shop", "checkout-7d9f-x2x4", 3, "CrashLoopBackOff 0/1, 6 restarts, on n5", False),
        ("Pod", "shop", "checkout-7d9f-q8v7", 3, "Running 1/1, on n3", True),
        ("Pod", "shop", "checkout-7d9f-zz11", 3, "Running 1/1, on n4", True),
    )
    names = ("kind", "namespace", "name", "depth", "state", "well")
    objects = [{**dict(zip(names, row, strict=True)), "target": row[0] == "Deployment"} for row in rows]
    return {"objects": objects, "missing": ["poddisruptionbudgets in shop: forbidden"]}


class Driver:
    """Feeds events as the application does, answers loads from the incidents and keeps all other effects."""

    def __init__(self, width: int = 80, height: int = 24, *, armed: bool = True, **given: Any) -> None:
        self.at = AT
        self.effects: list[Effect] = []
        self.held: list[Load] = []
        self.hold = False
        self.state = State(at=AT, wall=WALL, **given)
        self.feed(Resized(width, height))
        self.status = status(armed=armed)
        self.feed(Connected(self.status, AT))

    def feed(self, event: Event) -> None:
        self.state, effects = reduce(self.state, event)
        for effect in effects:
            if not isinstance(effect, Load):
                self.effects.append(effect)
            elif self.hold:
                self.held.append(effect)
            else:
                self.feed(Loaded(effect, self.status if effect.kind == "status" else reply(effect)))

    def press(self, *commands: str) -> None:
        """Commands of the key table, one a second."""
        for command in commands:
            self.wait(1.0)
            self.feed(Commanded(command, self.at))
            self.feed(Painted(self.at))

    def key(self, *keys: str, after_s: float = 1.0) -> None:
        """Raw keys, as a prompt sees them."""
        for name in keys:
            self.wait(after_s)
            self.feed(Pressed(name, name if len(name) == 1 else "\x1b" if name == "escape" else "", self.at))

    def wait(self, seconds: float, *, heard: bool = True) -> None:
        self.at += seconds
        last = self.at if heard else 0.0
        self.feed(Pulse(self.at, self.state.wall, last_line=last))

    @property
    def lines(self) -> list[str]:
        drawn = present(self.state)
        assert len(drawn) == self.state.height
        assert {width_of(each) for each in drawn} == {self.state.width}
        return [plain(each) for each in drawn]

    @property
    def text(self) -> str:
        return "\n".join(each.rstrip() for each in self.lines) + "\n"

    @property
    def prompt_line(self) -> str:
        return self.lines[-2]

    def without(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
        self.status = changes.get("status", self.status)

    def type(self, *keys: str, after_s: float = 1.0) -> None:
        """Keys as the application routes them: to a torn sequence or a question first, else to the key table."""
        for name in keys:
            self.wait(after_s)
            event = Pressed(name, CHARACTERS.get(name, name if len(name) == 1 else ""), self.at)
            taken = swallows(self.state, event)
            self.feed(event)
            named = NAMES.get(name, name)
            command = next((key.id for key in KEYS if named in key.keys.split(",")), "")
            if command and not taken:
                self.feed(Commanded(command, self.at))
            self.feed(Painted(self.at))

    @property
    def sent(self) -> list[Send]:
        return [effect for effect in self.effects if isinstance(effect, Send)]
