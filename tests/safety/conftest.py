"""A pipeline with a real store and the shipped policies on a cluster whose moods the test decides."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kubernaut.actions.catalogue import find
from kubernaut.adapters.forge.local import LocalForge
from kubernaut.adapters.rego.engine import RegoPolicyEngine
from kubernaut.adapters.rego.shipped import shipped_policies
from kubernaut.adapters.store import SqliteStore
from kubernaut.diagnosis.analyst import RulesAnalyst
from kubernaut.domain.analysis import ActionProposal, Analysis, Finding
from kubernaut.domain.approvals import Approval, Principal, Role, Verdict
from kubernaut.domain.assessment import AssessmentPhase
from kubernaut.domain.journal import JournalEntry
from kubernaut.domain.limits import Limits
from kubernaut.domain.policy import Decision
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import Signal, SignalSource, SignalStatus, SignalSummary, fingerprint
from kubernaut.domain.tracks import ImperativePhase, ImperativeTrack
from kubernaut.domain.values import Severity
from kubernaut.pipeline.outside import Outside
from kubernaut.pipeline.planning import plan_for
from kubernaut.pipeline.runner import Runner
from kubernaut.pipeline.voting import VotingDesk
from kubernaut.ports import Change, Intake

from . import objects
from .memory_cluster import MemoryCluster

START = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
WEB = ResourceRef("prod", "Deployment", "web", "shop")
N1 = ResourceRef("prod", "Node", "n1")
ANA = Principal("ana", ("sre",), Role.APPROVER)


class HeldClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = START

    def now(self) -> datetime:
        return self.moment


@dataclass
class House:
    """The parts, and the few things that tests do with them."""

    cluster: MemoryCluster
    store: SqliteStore
    clock: HeldClock
    out: Outside
    runner: Runner

    async def open(
        self, action: str, target: ResourceRef, *, of: ResourceRef | None = None, environment: str = "production",
        id_: str = "rr-aaaaaa", failure_class: str = "CrashLoop",
    ) -> str:  # fmt: skip
        """A remediation that has decided to do `action`; returns its id."""
        now, owner = self.clock.now(), of or target
        signal = SignalSummary("Odd", SignalSource.ALERTMANAGER, Severity.CRITICAL, f"o-{id_}", now, now)
        proposal = ActionProposal(action, target)
        finding = Finding(target, failure_class, "It is odd.", 0.95, immediate=proposal)
        item = Remediation(
            id_, fingerprint(owner, failure_class + id_), owner, signal, now, failure_class=failure_class,
            assessment=AssessmentPhase.DECIDED, environment=environment, analysis=Analysis((finding,)),
        )  # fmt: skip
        plan = await plan_for(self.out, proposal)
        decision = Decision.fail_closed("not decided yet")
        track = ImperativeTrack(f"{id_}-k8s", id_, ImperativePhase.PLANNING, decision, plan, now, now, now)
        await self.store.commit(Change(item, (track,)))
        return id_

    async def get(self, id_: str = "rr-aaaaaa") -> Remediation:
        found = await self.store.remediation(id_)
        assert found is not None
        return found

    async def track(self, id_: str = "rr-aaaaaa") -> ImperativeTrack:
        track = (await self.get(id_)).imperative
        assert track is not None
        return track

    async def turn(self, id_: str = "rr-aaaaaa", part: str = "imperative") -> Remediation:
        """One stage, as the runner carries it out, whatever the clock says."""
        after = await self.runner._advance(await self.get(id_), part)
        assert after is not None
        return after

    async def until(self, *phases: ImperativePhase, id_: str = "rr-aaaaaa", most: int = 40) -> ImperativeTrack:
        """Stage after stage, time going on as the track wants it, until it is in one of the phases."""
        for _ in range(most):
            track = await self.track(id_)
            if track.phase in phases or track.ended:
                break
            self.clock.moment = max(self.clock.moment, track.wake_at or self.clock.moment)
            await self.turn(id_)
        return await self.track(id_)

    async def approval(self, id_: str = "rr-aaaaaa") -> Approval:
        found = await self.store.approval((await self.track(id_)).approval_id)
        assert found is not None
        return found

    async def approve(self, who: Principal = ANA, id_: str = "rr-aaaaaa") -> None:
        asked = await self.approval(id_)
        desk = VotingDesk(self.store, self.clock, lambda: None)
        await desk.vote(asked.id, who, Verdict.APPROVE, asked.plan_hash, "", asked.confirm)

    async def resolve(self, id_: str = "rr-aaaaaa") -> None:
        """The alert says that the trouble is gone."""
        item, now = await self.get(id_), self.clock.now()
        gone = Signal(
            item.signal.name, item.signal.source, item.cluster, SignalStatus.RESOLVED, item.signal.severity,
            item.target, item.failure_class, item.signal.occurrence, now, now,
        )  # fmt: skip
        taken = await self.store.take([Intake(gone, item.target, item.fingerprint, "rr-zzzzzz", now, 300.0)])
        assert taken[0].outcome == "resolved"

    def move(self, seconds: float) -> None:
        self.clock.moment += timedelta(seconds=seconds)

    def restart(self) -> None:
        """A new process: nothing but the store is remembered."""
        self.out = replace(self.out, unsent=type(self.out.unsent)())
        self.runner = Runner(self.out)

    def using(self, **changes: Any) -> None:
        """The same house with other parts."""
        self.out = replace(self.out, **changes)
        self.runner = Runner(self.out)

    async def journal(self, id_: str = "rr-aaaaaa") -> list[JournalEntry]:
        return list(await self.store.journal(0, 10_000, id_))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    clock, cluster = HeldClock(), MemoryCluster()
    for spare in ("n8", "n9"):  # so that a node that is taken out is not most of its pool
        cluster.put(objects.node(spare))
    store = await SqliteStore.open(tmp_path / "kubernaut.db", clock)
    policy = await RegoPolicyEngine.load(shipped_policies())
    forge = LocalForge(tmp_path / "forge", {}, clock)
    out = Outside(store, {"prod": cluster}, forge, policy, RulesAnalyst(), clock, Limits())
    yield House(cluster, store, clock, out, Runner(out))
    policy.close()
    await store.close()


__all__ = ["ANA", "N1", "START", "WEB", "House", "find"]
