"""A daemon without clusters that holds ten thousand remediations, in a process of its own: what the console is measured on.

    python -m kubernaut.lab.bench.crowd FOLDER COUNT

Prints `ready SOCKET`. Then takes lines: `pace N` (from now on so many changes a second), `change N` (remediation number N says
something new); each is answered by the same line when it holds. Ends with its standard input.
"""

import asyncio
import logging
import os
import pwd
import random
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from kubernaut.daemon import running
from kubernaut.domain.analysis import Analysis, Evidence, Finding
from kubernaut.domain.assessment import AssessmentPhase
from kubernaut.domain.journal import JournalDraft
from kubernaut.domain.plans import Plan, Step, StepPhase, StepRun
from kubernaut.domain.policy import Decision
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import SignalSource, SignalSummary, fingerprint
from kubernaut.domain.tracks import ImperativePhase, ImperativeTrack
from kubernaut.domain.values import Severity
from kubernaut.ports import Change, Store
from kubernaut.settings import Settings

from .waiting import waiting

ASKING = 5
"""So many of them wait for a vote; the others run."""
_NEAR = 60
_NEAR_SHARE = 0.2
_BATCH = 500
_TICK_S = 0.1
_FAR = datetime(2100, 1, 1, tzinfo=UTC)


def asking(number: int) -> Change:
    """One drain that waits for a vote, which takes the node's name."""
    change = waiting(number)
    approvals = tuple(replace(each, confirm=each.target.name) for each in change.approvals)
    return replace(change, approvals=approvals)


def verifying(number: int) -> Change:
    """One restarted Deployment that is being verified; nothing is due before 2100."""
    now, id_ = datetime.now(UTC) - timedelta(seconds=number), f"rr-{number:06}"
    target = ResourceRef("prod-eu", "Deployment", f"app-{number}", "shop")
    fact = Evidence(f"pod/app-{number}", "status.containerStatuses[app].lastState.terminated.reason", "OOMKilled", now)
    finding = Finding(target, "OOMKilled", "Container app ran out of its 128Mi memory 6 times.", 0.96, (fact,) * 6)
    closed = Decision.fail_closed("Low risk: it runs alone.")
    decision = replace(closed, rule="low_risk", auto_approve=True, require_approval=False, min_approvers=0)
    plan = Plan((Step("restart", "restart-deployment", target, expected={"uid": f"uid-{number}"}),))
    ran = StepRun("restart", StepPhase.APPLIED, outcome="restarted", ended_at=now)
    track = ImperativeTrack(
        f"{id_}-k8s", id_, ImperativePhase.VERIFYING, decision, plan, now, now, _FAR, steps=(ran,), reason="0/3 ready",
        mutated_at=now,
    )  # fmt: skip
    signal = SignalSummary("KubePodCrashLooping", SignalSource.ALERTMANAGER, Severity.CRITICAL, id_, now, now)
    remediation = Remediation(
        id_, fingerprint(target, "CrashLoop"), target, signal, now, "CrashLoop", AssessmentPhase.DECIDED,
        environment="production", analysis=Analysis((finding,)), decision=decision,
    )  # fmt: skip
    note = JournalDraft(now, "mutation", f"restarted shop/app-{number}", remediation_id=id_, track="imperative")
    return Change(remediation, (track,), (), (note,))


class Crowd:
    """Lets remediations say something new: one, or so many a second, a fifth of them among those on the first screens."""

    def __init__(self, store: Store, count: int) -> None:
        self.pace = 0
        self._store = store
        self._count = count
        self._random = random.Random(7)  # noqa: S311 - a repeatable order, no secret

    async def fill(self) -> None:
        """Put all of them in."""
        for start in range(0, self._count, _BATCH):
            numbers = range(start, min(self._count, start + _BATCH))
            changes = (asking(n) if n < ASKING else verifying(n) for n in numbers)
            await asyncio.gather(*(self._store.commit(change) for change in changes))

    async def change(self, number: int) -> None:
        """One of them says how many of its pods are ready."""
        item = await self._store.remediation(f"rr-{number:06}")
        if item is None or item.imperative is None:
            return
        reason = f"{self._random.randint(0, 9)}/{self._random.randint(3, 9)} ready"
        note = JournalDraft(datetime.now(UTC), "verification", reason, remediation_id=item.id, track="imperative")
        await self._store.commit(Change(tracks=(replace(item.imperative, reason=reason),), journal=(note,)))

    async def run(self) -> None:
        """Change at the pace that is set, for ever."""
        while True:
            numbers = {self._pick() for _ in range(round(self.pace * _TICK_S))}
            await asyncio.gather(*(self.change(n) for n in numbers))
            await asyncio.sleep(_TICK_S)

    def _pick(self) -> int:
        last = _NEAR if self._random.random() < _NEAR_SHARE else self._count - 1
        return self._random.randint(ASKING, last)


def _settings(folder: Path) -> Settings:
    tokens = folder / "tokens.txt"
    tokens.write_text("0123456789abcdef0123456789abcdef  # the benchmark\n", "utf-8")
    mine = {"users": [pwd.getpwuid(os.getuid()).pw_name]}
    return Settings(
        state_dir=folder / "state", gateway={"listen": "127.0.0.1:0", "tokens_file": tokens}, clusters=[],
        roles={"approver": mine, "senior": mine},
    )  # fmt: skip


async def main(folder: Path, count: int) -> None:
    """Serve until standard input ends."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))  # its output is for answers
    async with running(_settings(folder)) as live:
        crowd = Crowd(live.store, count)
        await crowd.fill()
        lines = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        changing = asyncio.ensure_future(crowd.run())
        print(f"ready {live.socket}", flush=True)
        try:
            while line := await lines.readline():
                word, _, number = line.decode().strip().partition(" ")
                if word == "pace":
                    crowd.pace = int(number)
                else:
                    await crowd.change(int(number))
                print(line.decode().strip(), flush=True)
        finally:
            changing.cancel()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
