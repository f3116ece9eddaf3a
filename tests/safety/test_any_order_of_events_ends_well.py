"""Whatever happens in whatever order: a mitigation ends, writes at most once, and leaves no question and no riddle behind."""

import asyncio
import copy
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubernaut.adapters.forge.local import LocalForge
from kubernaut.adapters.rego.engine import RegoPolicyEngine
from kubernaut.adapters.rego.shipped import shipped_policies
from kubernaut.adapters.store import SqliteStore
from kubernaut.diagnosis.analyst import RulesAnalyst
from kubernaut.domain.approvals import ApprovalPhase, Principal, Role, Verdict
from kubernaut.domain.errors import KubernautError, Refused, Temporary, Unknown
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.story import story
from kubernaut.domain.tracks import ImperativePhase
from kubernaut.pipeline.control import ControlDesk
from kubernaut.pipeline.outside import Limits, Outside
from kubernaut.pipeline.runner import Runner
from kubernaut.pipeline.voting import VotingDesk
from kubernaut.ports import ClusterHealth, PolicyEngine

from . import objects
from .conftest import N1, WEB, HeldClock, House
from .memory_cluster import MemoryCluster
from .test_the_world_changes_between_vote_and_write import Denying

SIA = Principal("sia", (), Role.SENIOR)
EVENTS = (
    *("look",) * 12, *("sleep",) * 2, *("approve",) * 3, *("heal",) * 2, *("up", "configure", "allow") * 2, "hour", "back",
    "reject", "cancel", "escalate", "resolve", "crash", "crash", "lose-reply", "lose-write", "refuse", "hold", "down",
    "edit", "replace", "remove", "deny", "freeze", "unconfigure", "ill", "well", "uncordon",
)  # fmt: skip
MOST_LIVES, MOST_LOOKS = 50, 3000


class World:
    """A house, and everything that can happen to it."""

    def __init__(self, house: House, target: ResourceRef) -> None:
        self.house = house
        self.target = target
        self.policy = house.out.policy
        self.cluster = house.cluster
        self.health = house.cluster.health

    async def happen(self, event: str) -> None:
        house, cluster = self.house, self.cluster
        match event:
            case "look":
                await self.look()
            case "sleep":
                house.move(2)
            case "hour":
                house.move(3600)
            case "back":
                house.move(-1800)
            case "approve" | "reject":
                await self.vote(Verdict(event))
            case "cancel" | "escalate":
                desk = ControlDesk(house.store, house.clock, lambda: None)
                await (desk.cancel if event == "cancel" else desk.escalate)("rr-aaaaaa", SIA, "")
            case "resolve":
                if (await house.get()).signal.resolved_at is None:
                    await house.resolve()
            case "crash":
                house.restart()
            case "lose-reply":
                cluster.before, cluster.after = None, _raising(Unknown("the reply was lost"))
            case "lose-write":
                cluster.before, cluster.after = _raising(Unknown("the reply was lost")), None
            case "refuse":
                cluster.before, cluster.after = _raising(Refused("forbidden")), None
            case "hold":
                cluster.before, cluster.after = _raising(Temporary("the budget does not allow it")), None
            case "heal":
                cluster.before = cluster.after = None
            case "down":
                cluster.health = lambda: ClusterHealth("prod", "DOWN", 60.0, "refused")  # type: ignore[method-assign]
            case "up":
                cluster.health = self.health  # type: ignore[method-assign]
            case "deny":
                house.using(policy=Denying())
            case "freeze":
                house.using(freeze=True)
            case "allow":
                house.using(policy=self.policy, freeze=False)
            case "unconfigure":
                house.using(clusters={})
            case "configure":
                house.using(clusters={"prod": cluster})
            case _:
                self.change(event)

    def change(self, event: str) -> None:
        """Somebody else changes the cluster."""
        key = (self.target.kind, self.target.namespace, self.target.name)
        item = self.cluster.objects.get(key)
        if item is None:
            return
        item = copy.deepcopy(item)
        match event:
            case "edit":
                if "generation" in item["metadata"]:
                    item["metadata"]["generation"] += 1
            case "replace":
                item["metadata"]["uid"] += "-anew"
            case "remove":
                self.cluster.remove(*key)
                return
            case "uncordon":
                item["spec"].pop("unschedulable", None)
            case "ill" | "well":
                ready = 1 if event == "ill" else 4
                for owner in [o for (kind, _, _), o in self.cluster.objects.items() if kind.endswith(("Set", "ment"))]:
                    owner["status"] |= {"readyReplicas": ready, "availableReplicas": ready}
                return
        self.cluster.put(item)

    async def look(self) -> None:
        """The runner's look, if there is something to look at."""
        item = await self.house.get()
        track = item.imperative
        assert track is not None
        if not track.ended and track.wake_at is not None:
            if track.wake_at > self.house.clock.now():
                self.house.clock.moment = track.wake_at
            await self.house.turn()

    async def vote(self, verdict: Verdict) -> None:
        asked = await self.house.store.approvals(ApprovalPhase.PENDING, "rr-aaaaaa")
        if asked:
            desk = VotingDesk(self.house.store, self.house.clock, lambda: None)
            await desk.vote(asked[0].id, SIA, verdict, asked[0].plan_hash, "", asked[0].confirm)


def _raising(error: KubernautError) -> object:
    async def hook(verb: str, ref: ResourceRef) -> None:
        raise error

    return hook


async def _live(folder: Path, policy: PolicyEngine, action: str, environment: str, events: list[str]) -> None:
    clock, cluster = HeldClock(), MemoryCluster()
    store = await SqliteStore.open(folder / "kubernaut.db", clock)
    try:
        out = Outside(
            store, {"prod": cluster}, LocalForge(folder, {}, clock), policy, RulesAnalyst(), clock,
            replace(Limits(), outage_s=600.0), {"prod": {"environment": environment}},
        )  # fmt: skip
        house = House(cluster, store, clock, out, Runner(out))
        target = N1 if action.endswith("node") else WEB
        for name in ("n1", "n2"):
            cluster.put(objects.node(name))
        cluster.put(objects.namespace("shop", environment))
        owner = cluster.put(objects.replica_set(cluster.put(objects.deployment(replicas=4))))
        for number in range(4):
            cluster.put(objects.pod(f"web-1-{number}", owner, node=f"n{number % 2 + 1}"))
        await house.open(action, target, environment=environment)
        world = World(house, target)
        for event in events:
            try:
                await world.happen(event)
            except KubernautError:
                continue  # a person's word that came too late is refused
            await _holds(house)
        for event in ("heal", "up", "configure"):
            await world.happen(event)
        looks = 0
        while not (await house.get()).ended:
            await world.look()
            await _holds(house)
            looks += 1
            assert looks < MOST_LOOKS, (await house.track()).reason
        await _holds(house)
    finally:
        await store.close()


async def _holds(house: House) -> None:
    item = await house.get()
    track = item.imperative
    assert track is not None
    assert (track.wake_at is None) == track.ended
    pending = await house.store.approvals(ApprovalPhase.PENDING, item.id)
    waits = [track.approval_id] if track.phase is ImperativePhase.AWAITING_APPROVAL else []
    assert all(approval.id in waits for approval in pending)
    told = [entry.message for entry in await house.journal()]
    assert not [message for message in told if "internal error" in message], told[-1]
    assert len(told) < 200
    restarts = [ref for verb, ref in house.cluster.writes if verb == "patch" and ref.startswith("shop/")]
    assert len(restarts) <= 1, "restarted twice"
    evicted = [ref for verb, ref in house.cluster.writes if verb == "evict"]
    assert len(evicted) == len(set(evicted))
    assert story(item)


@pytest.mark.timeout(400)
def test_it_ends_and_writes_once() -> None:
    with asyncio.Runner() as runner:
        policy = runner.run(RegoPolicyEngine.load(shipped_policies()))

        @settings(max_examples=MOST_LIVES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(
            action=st.sampled_from(["restart-deployment", "drain-node", "cordon-node"]),
            environment=st.sampled_from(["production", "test"]),
            events=st.lists(st.sampled_from(EVENTS), max_size=40),
        )
        def lives(action: str, environment: str, events: list[str]) -> None:
            with tempfile.TemporaryDirectory() as folder:
                runner.run(_live(Path(folder), policy, action, environment, events))

        lives()
        policy.close()
