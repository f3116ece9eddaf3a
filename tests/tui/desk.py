"""A whole daemon without clusters, filled through the store's own ports: what the console is tried on."""

import asyncio
import os
import pwd
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from kubernaut.daemon import Running, running
from kubernaut.domain.approvals import Approval
from kubernaut.domain.journal import JournalDraft
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.tracks import GitOpsPhase
from kubernaut.ports import Change, Query
from kubernaut.settings import Settings
from kubernaut_tui.app import Console
from kubernaut_tui.client import Client

from .incidents import NOW, failing_disk, nothing_found, out_of_memory, steady, timeline


@dataclass
class Desk:
    """A running daemon and hands that change what it holds."""

    running: Running

    @property
    def socket(self) -> Path:
        return self.running.socket

    async def hold(self, item: Remediation, *approvals: Approval, journal: Sequence[JournalDraft] = ()) -> None:
        """Put an incident in as the pipeline does."""
        tracks = tuple(replace(t, version=0) for t in item.tracks)
        first = JournalDraft(NOW, "signal", f"{item.signal.name} on {item.target}", remediation_id=item.id)
        await self.running.store.commit(
            Change(replace(item, version=0), tracks, tuple(approvals), journal=(first, *journal))
        )

    async def four(self) -> None:
        """The four incidents of the golden screens."""
        drafts = [JournalDraft(e.at, e.kind, e.message, e.actor, e.remediation_id, e.track) for e in timeline()]
        await self.hold(out_of_memory(), journal=drafts)
        drain, approval = failing_disk()
        await self.hold(drain, replace(approval, groups=(), expires_at=approval.expires_at.replace(year=2100)))
        await self.hold(nothing_found())
        await self.hold(steady())

    async def says(self, remediation_id: str, reason: str) -> None:
        """A mitigation says something new of its verification."""
        item = await self.running.store.remediation(remediation_id)
        assert item is not None
        assert item.imperative is not None
        track = replace(item.imperative, reason=reason)
        note = JournalDraft(NOW, "verification", reason, remediation_id=remediation_id, track="imperative")
        await self.running.store.commit(Change(tracks=(track,), journal=(note,)))

    async def overdue(self, remediation_id: str) -> None:
        """A pull request waits too long: its story and its mark change."""
        item = await self.running.store.remediation(remediation_id)
        assert item is not None
        assert item.gitops is not None
        note = JournalDraft(NOW, "pull-request", "nobody merged it", remediation_id=remediation_id, track="gitops")
        track = replace(item.gitops, phase=GitOpsPhase.OVERDUE)
        await self.running.store.commit(Change(tracks=(track,), journal=(note,)))

    async def approval(self) -> Approval:
        found = await self.running.store.approval("ap-09c1de")
        assert found is not None
        return found

    async def all(self) -> tuple[Remediation, ...]:
        return (await self.running.store.list(Query(limit=500))).items


def settings_for(folder: Path) -> Settings:
    """No cluster, any free port, the tester is everything."""
    tokens = folder / "tokens.txt"
    tokens.write_text("0123456789abcdef0123456789abcdef  # the tests\n", "utf-8")
    mine = {"users": [pwd.getpwuid(os.getuid()).pw_name]}
    return Settings(
        state_dir=folder / "state", gateway={"listen": "127.0.0.1:0", "tokens_file": tokens}, clusters=[],
        roles={"approver": mine, "senior": mine, "admin": mine},
    )  # fmt: skip


@asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[Desk]:
    """A daemon for the duration of the block."""
    async with running(settings_for(folder)) as live:
        yield Desk(live)


def console(socket: Path) -> Console:
    """A console that shows changes at once."""
    return Console(Client(socket), pulse_s=0.05)


def screen(app: Console) -> str:
    """What is painted."""
    canvas = app.query_one("#canvas")
    return "\n".join(canvas.render_line(y).text.rstrip() for y in range(app.size.height))


async def until(app: Console, *texts: str, within_s: float = 20.0) -> str:
    """Wait until all texts are on the screen; returns it.

    Raises:
        AssertionError: they did not come; shows what is there.
    """
    try:
        async with asyncio.timeout(within_s):
            while not all(text in screen(app) for text in texts):  # noqa: ASYNC110 - the screen has no event to wait for
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not all of {texts} on\n{screen(app)}") from None
    return screen(app)
