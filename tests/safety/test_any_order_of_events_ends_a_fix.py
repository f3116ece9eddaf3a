"""Whatever happens in whatever order to a permanent fix: it ends, with one pull request at most, of which everybody knows."""

import asyncio
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubernaut.adapters.store import SqliteStore
from kubernaut.diagnosis.analyst import RulesAnalyst
from kubernaut.domain.analysis import Analysis, Finding
from kubernaut.domain.approvals import Principal, Role
from kubernaut.domain.assessment import AssessmentPhase
from kubernaut.domain.errors import KubernautError, Refused, Temporary
from kubernaut.domain.policy import Decision
from kubernaut.domain.proposals import ChangeProposal, ChangeRequest, Ownership, PullRequest, PullRequestState
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import SignalSource, SignalSummary
from kubernaut.domain.story import story
from kubernaut.domain.tracks import GitOpsPhase, GitOpsTrack
from kubernaut.domain.values import Severity
from kubernaut.gitops.text import branch_name
from kubernaut.pipeline.control import ControlDesk
from kubernaut.pipeline.gitops import run_gitops
from kubernaut.pipeline.outside import Limits, Outside
from kubernaut.pipeline.runner import Runner
from kubernaut.ports import Change, ClusterHealth

from . import objects
from .conftest import WEB, HeldClock, House
from .memory_cluster import MemoryCluster
from .test_the_world_changes_between_vote_and_write import Denying

_G = GitOpsPhase
ID, URL = "rr-aaaaaa", "https://git.example/shop.git"
APP = ResourceRef("prod", "Application", "web", "argocd")
SIA = Principal("sia", (), Role.SENIOR)
EVENTS = (
    *("look",) * 12, *("sleep",) * 2, *("merge",) * 2, *("sync",) * 2, *("up", "configure") * 2, "hour", "day", "back",
    "close", "cancel", "escalate", "resolve", "crash", "die-after-look", "silence", "speak", "down", "ill", "well",
    "remove", "remove-application", "rewrite", "unconfigure",
)  # fmt: skip
MOST_LIVES, MOST_LOOKS = 50, 3000


@dataclass
class Repository:
    """A forge with one repository; people do in it what they like."""

    clock: HeldClock
    pulls: list[PullRequest] = field(default_factory=list)
    silent: bool = False
    rewritten: bool = False

    def _answer(self) -> None:
        if self.silent:
            raise Temporary("the forge does not answer")

    async def propose(self, request: ChangeRequest) -> PullRequest:
        self._answer()
        if not self.pulls:
            now = self.clock.now()
            self.pulls.append(
                PullRequest(
                    1, "shop", URL, request.branch, "main", PullRequestState.OPEN, request.title, "", "", "h", now, now
                )
            )
        return self.pulls[0]

    async def of_branch(self, repo_url: str, branch: str) -> PullRequest | None:
        self._answer()
        return next((pull for pull in self.pulls if pull.branch == branch), None)

    async def pull_request(self, repo_url: str, number: int) -> PullRequest:
        self._answer()
        return self.pulls[number - 1]

    async def close(self, repo_url: str, number: int, by: str, comment: str = "") -> PullRequest:
        self._answer()
        if self.pulls[0].state is PullRequestState.MERGED:
            raise Refused("it is merged")
        self.say(PullRequestState.CLOSED, comments=(f"{by}: {comment}",))
        return self.pulls[0]

    async def contains(self, repo_url: str, revision: str, commit: str) -> bool:
        self._answer()
        return revision == commit and not self.rewritten

    def say(self, state: PullRequestState, **changes: Any) -> None:
        """Somebody merges or closes it."""
        if self.pulls and self.pulls[0].state is PullRequestState.OPEN:
            merged = {"merge_commit": "m" * 40} if state is PullRequestState.MERGED else {}
            self.pulls[0] = replace(self.pulls[0], state=state, **merged, **changes)


class World:
    """A house, its repository, and everything that can happen to both."""

    def __init__(self, house: House, forge: Repository) -> None:
        self.house, self.forge = house, forge
        self.health = house.cluster.health

    async def happen(self, event: str) -> None:
        house, forge = self.house, self.forge
        match event:
            case "look" | "die-after-look":
                await self.look(dies=event != "look")
            case "sleep" | "hour" | "day" | "back":
                house.move({"sleep": 2, "hour": 3600, "day": 86_400, "back": -1800}[event])
            case "merge" | "close":
                forge.say(PullRequestState.MERGED if event == "merge" else PullRequestState.CLOSED)
            case "cancel" | "escalate":
                desk = ControlDesk(house.store, house.clock, lambda: None)
                await (desk.cancel if event == "cancel" else desk.escalate)(ID, SIA, "")
            case "resolve":
                if (await house.get()).signal.resolved_at is None:
                    await house.resolve()
            case "crash":
                house.restart()
            case "silence" | "speak":
                forge.silent = event == "silence"
            case "rewrite":
                forge.rewritten = True
            case "down":
                house.cluster.health = lambda: ClusterHealth("prod", "DOWN", 60.0, "refused")  # type: ignore[method-assign]
            case "up":
                house.cluster.health = self.health  # type: ignore[method-assign]
            case "configure" | "unconfigure":
                house.using(clusters={"prod": house.cluster} if event == "configure" else {})
            case _:
                self.change(event)

    def change(self, event: str) -> None:
        """The cluster moves on, or somebody moves it."""
        known = self.house.cluster.objects
        match event:
            case "sync" if ("Application", "argocd", "web") in known:
                known["Application", "argocd", "web"]["status"] = {"sync": {"status": "Synced", "revision": "m" * 40}}
            case "ill" | "well" if ("Deployment", "shop", "web") in known:
                ready = 1 if event == "ill" else 2
                known["Deployment", "shop", "web"]["status"] |= {"readyReplicas": ready, "availableReplicas": ready}
            case "remove":
                known.pop(("Deployment", "shop", "web"), None)
            case "remove-application":
                known.pop(("Application", "argocd", "web"), None)

    async def look(self, *, dies: bool = False) -> None:
        """The runner's look; the daemon may die after what it did, before that is written down."""
        item = await self.house.get()
        track = item.gitops
        assert track is not None
        if track.ended or track.wake_at is None:
            return
        self.house.clock.moment = max(self.house.clock.moment, track.wake_at)
        if not dies:
            await self.house.turn(part="gitops")
            return
        await run_gitops(self.house.out, item, track)
        self.house.restart()


async def _open(house: House) -> None:
    now = house.clock.now()
    signal = SignalSummary("Odd", SignalSource.ALERTMANAGER, Severity.CRITICAL, f"o-{ID}", now, now)
    finding = Finding(WEB, "ImagePullBackOff", "Odd.", 0.95)
    item = Remediation(
        ID, "f" * 16, WEB, signal, now, failure_class="ImagePull", assessment=AssessmentPhase.DECIDED,
        analysis=Analysis((finding,)),
    )  # fmt: skip
    parameters: Mapping[str, object] = {"container": "app", "to": "shop/web:2"}
    proposal = ChangeProposal(
        Ownership("argocd", APP, URL, "main", "apps"), WEB, "update-image", dict(parameters), title="Mend the image",
        branch=branch_name(ID),
    )  # fmt: skip
    track = GitOpsTrack(f"{ID}-git", ID, _G.PROPOSING, Decision.fail_closed("r"), proposal, now, now, now)
    await house.store.commit(Change(item, (track,)))
    house.cluster.put({"kind": "Application", "metadata": {"name": "web", "namespace": "argocd"}, "spec": {}})
    web = objects.deployment()
    web["spec"]["template"]["spec"]["containers"][0]["image"] = "shop/web:2"
    owner = house.cluster.put(objects.replica_set(house.cluster.put(web)))
    for number in (1, 2):
        house.cluster.put(objects.pod(f"web-1-{number}", owner))


async def _live(folder: Path, events: list[str]) -> None:
    clock, cluster = HeldClock(), MemoryCluster()
    forge = Repository(clock)
    store = await SqliteStore.open(folder / "kubernaut.db", clock)
    try:
        limits = replace(Limits(), outage_s=600.0)
        out = Outside(store, {"prod": cluster}, forge, Denying(), RulesAnalyst(), clock, limits)  # type: ignore[arg-type]
        house = House(cluster, store, clock, out, Runner(out))
        await _open(house)
        world = World(house, forge)
        for event in events:
            try:
                await world.happen(event)
            except KubernautError:
                continue
            await _holds(house, forge)
        for event in ("speak", "up", "configure", "look", "look", "close"):
            await world.happen(event)
        looks = 0
        while not (await house.get()).ended:
            await world.look()
            await _holds(house, forge)
            looks += 1
            assert looks < MOST_LOOKS, (await house.get()).gitops
        await _holds(house, forge)
    finally:
        await store.close()


async def _holds(house: House, forge: Repository) -> None:
    item = await house.get()
    track = item.gitops
    assert track is not None
    assert (track.wake_at is None) == track.ended
    told = [entry.message for entry in await house.journal()]
    assert not [message for message in told if "internal error" in message], told[-1]
    assert len(told) < 300
    assert len(forge.pulls) <= 1
    assert story(item)
    is_open = bool(forge.pulls) and forge.pulls[0].state is PullRequestState.OPEN
    if track.phase is _G.CANCELLED:
        assert not is_open, "cancelled, and its pull request is open"
    if is_open and track.ended:
        assert "stays open" in track.reason or "look for the branch" in track.reason, track.reason


@pytest.mark.timeout(400)
def test_it_ends_with_one_pull_request() -> None:
    with asyncio.Runner() as runner:

        @settings(max_examples=MOST_LIVES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(events=st.lists(st.sampled_from(EVENTS), max_size=40))
        def lives(events: list[str]) -> None:
            with tempfile.TemporaryDirectory() as folder:
                runner.run(_live(Path(folder), events))

        lives()
