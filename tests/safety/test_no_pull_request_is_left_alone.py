"""However a fix ends: its pull request is closed and says why, or it stays open and the story says so. Real git."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubernaut.adapters.forge.local import LocalForge
from kubernaut.domain.analysis import Analysis, Finding
from kubernaut.domain.assessment import AssessmentPhase
from kubernaut.domain.errors import Conflict, Refused, Temporary
from kubernaut.domain.policy import Decision
from kubernaut.domain.proposals import ChangeProposal, FileChange, Ownership, PullRequest, PullRequestState
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import SignalSource, SignalSummary
from kubernaut.domain.story import story
from kubernaut.domain.tracks import GitOpsPhase, GitOpsTrack
from kubernaut.domain.values import Severity
from kubernaut.gitops.text import branch_name
from kubernaut.pipeline.control import ControlDesk
from kubernaut.pipeline.gitops import run_gitops
from kubernaut.ports import Change

from .conftest import ANA, WEB, House

_G = GitOpsPhase
URL = "https://git.example/shop.git"
PATH = "apps/web.yaml"
OLD, NEW = "memory: 64Mi\n", "memory: 128Mi\n"
ID = "rr-aaaaaa"


def git(*words: str) -> str:
    identity = ("-c", "user.name=bo", "-c", "user.email=bo@example.org")
    return subprocess.run(["git", *identity, *words], check=True, capture_output=True, text=True, timeout=30).stdout


@pytest.fixture
async def opening(house: House, tmp_path: Path) -> GitOpsTrack:
    """A fix that is written down and about to be proposed to a real repository."""
    bare, clone = tmp_path / "git" / "shop.git", tmp_path / "clone"
    git("init", "-q", "--bare", "-b", "main", str(bare))
    git("clone", "-q", str(bare), str(clone))
    (clone / "apps").mkdir()
    (clone / PATH).write_text(OLD)
    git("-C", str(clone), "add", ".")
    git("-C", str(clone), "commit", "-q", "-m", "Start")
    git("-C", str(clone), "push", "-q", "origin", "HEAD:main")
    house.using(forge=LocalForge(bare.parent, {URL: "shop"}, house.clock))
    now = house.clock.now()
    signal = SignalSummary("Odd", SignalSource.ALERTMANAGER, Severity.CRITICAL, "o", now, now)
    finding = Finding(WEB, "OOMKilled", "Odd.", 0.95)
    item = Remediation(
        ID, "f", WEB, signal, now, assessment=AssessmentPhase.DECIDED, analysis=Analysis((finding,)),
        environment="production",
    )  # fmt: skip
    ownership = Ownership("argocd", ResourceRef("prod", "Application", "web", "argocd"), URL, "main", "apps")
    commit = git("--git-dir", str(bare), "rev-parse", "main").strip()
    proposal = ChangeProposal(
        ownership, WEB, "update-resources", {}, (FileChange(PATH, OLD, NEW, 1),), "Raise the memory", "Because.",
        branch_name(ID), commit,
    )  # fmt: skip
    track = GitOpsTrack(f"{ID}-git", ID, _G.PROPOSING, Decision.fail_closed("r"), proposal, now, now, now)
    await house.store.commit(Change(item, (track,)))
    return track


async def track_of(house: House) -> GitOpsTrack:
    track = (await house.get()).gitops
    assert track is not None
    return track


async def look(house: House) -> GitOpsTrack:
    await house.turn(part="gitops")
    return await track_of(house)


async def opened_but_not_written_down(house: House) -> PullRequest:
    """The pull request is in the forge; the daemon died before its transition was persisted."""
    item, track = await house.get(), await track_of(house)
    await run_gitops(house.out, item, track)
    house.restart()
    assert (await track_of(house)).proposal.pull_request is None
    return await only(house)


async def only(house: House) -> PullRequest:
    (pull,) = await house.out.forge.pull_requests()
    return pull


def desk(house: House) -> ControlDesk:
    return ControlDesk(house.store, house.clock, lambda: None)


async def merge(house: House) -> None:
    pull = await only(house)
    await house.out.forge.merge(URL, pull.number, "bo", pull.head_commit)


async def test_a_cancel_finds_what_was_opened_in_the_moment_before(house: House, opening: GitOpsTrack) -> None:
    await opened_but_not_written_down(house)
    await desk(house).cancel(ID, ANA, "we do it otherwise")
    track = await look(house)
    assert track.phase is _G.CANCELLED
    pull = await only(house)
    assert pull.state is PullRequestState.CLOSED
    assert pull.comments == ("kubernaut: cancelled by ana: we do it otherwise",)
    assert track.proposal.pull_request is not None


async def test_a_cancel_before_anything_was_opened(house: House, opening: GitOpsTrack) -> None:
    await desk(house).cancel(ID, ANA, "")
    assert (await look(house)).phase is _G.CANCELLED
    assert list(await house.out.forge.pull_requests()) == []


async def test_a_cancel_waits_until_it_is_known_whether_something_was_opened(
    house: House, opening: GitOpsTrack
) -> None:
    await opened_but_not_written_down(house)
    working = house.out.forge
    house.using(forge=Silent(working))
    await desk(house).cancel(ID, ANA, "")
    track = await look(house)
    assert not track.ended
    assert "waits" in track.reason
    house.using(forge=working)
    assert (await look(house)).phase is _G.CANCELLED
    assert (await only(house)).state is PullRequestState.CLOSED


async def test_a_merge_that_came_before_cancel_and_bookkeeping_is_watched(house: House, opening: GitOpsTrack) -> None:
    await opened_but_not_written_down(house)
    await merge(house)
    await desk(house).cancel(ID, ANA, "")
    await look(house)
    track = await look(house)
    assert track.phase is _G.SYNCING
    assert track.proposal.pull_request is not None
    assert track.proposal.pull_request.state is PullRequestState.MERGED
    with pytest.raises(Conflict, match="merged"):
        await desk(house).cancel(ID, ANA, "really")


async def test_a_merge_before_our_bookkeeping_is_found(house: House, opening: GitOpsTrack) -> None:
    await opened_but_not_written_down(house)
    await merge(house)
    await look(house)
    assert (await look(house)).phase is _G.SYNCING
    assert len(await house.out.forge.pull_requests()) == 1


@pytest.mark.parametrize("written_down", [True, False])
async def test_who_takes_it_over_keeps_the_pull_request(house: House, opening: GitOpsTrack, written_down: bool) -> None:
    if written_down:
        await look(house)
    else:
        await opened_but_not_written_down(house)
    await desk(house).escalate(ID, ANA, "mine")
    track = await look(house)
    assert track.phase is _G.FAILED
    assert (await only(house)).state is PullRequestState.OPEN
    assert track.reason == "taken over by ana: mine; PR#1 stays open: merge or close it yourself"
    item = await house.get()
    assert item.phase == "Escalated"
    assert "PR#1 left open" in story(item)
    assert [e.message for e in await house.journal() if e.kind == "escalation"][-1] == track.reason


async def test_who_takes_it_over_after_the_merge_knows_that_it_comes(house: House, opening: GitOpsTrack) -> None:
    await look(house)
    await merge(house)
    await look(house)
    await desk(house).escalate(ID, ANA, "")
    track = await look(house)
    assert track.phase is _G.FAILED
    assert "PR#1 is merged: see that it arrives" in track.reason


async def test_a_defect_in_the_moment_after_opening(house: House, opening: GitOpsTrack) -> None:
    house.using(forge=Breaking(house.out.forge))
    track = await look(house)
    assert track.phase is _G.FAILED
    assert "PR#1 stays open" in track.reason
    assert "PR#1 left open" in story(await house.get())


async def test_a_forge_that_is_gone_when_it_is_given_up(house: House, opening: GitOpsTrack) -> None:
    await opened_but_not_written_down(house)
    house.using(forge=Silent(house.out.forge))
    await desk(house).escalate(ID, ANA, "")
    track = await look(house)
    assert track.phase is _G.FAILED
    assert f"look for the branch {branch_name(ID)} in {URL}" in track.reason


async def test_a_pull_request_that_may_not_be_closed_is_not_tried_for_ever(house: House, opening: GitOpsTrack) -> None:
    await look(house)
    house.using(forge=Closed(house.out.forge))
    await desk(house).cancel(ID, ANA, "")
    track = await look(house)
    assert track.phase is _G.FAILED
    assert "can't be closed: no right" in track.reason
    assert "PR#1 stays open" in track.reason


@pytest.mark.parametrize("how", ["close", "delete"])
async def test_a_person_closes_it_or_deletes_its_branch(
    house: House, opening: GitOpsTrack, tmp_path: Path, how: str
) -> None:
    await look(house)
    if how == "close":
        await house.out.forge.close(URL, 1, "bo")
    else:
        git("-C", str(tmp_path / "clone"), "push", "-q", "origin", "--delete", branch_name(ID))
    house.move(10)
    assert (await look(house)).phase is _G.CLOSED
    assert (await house.get()).phase == "Rejected"


async def test_one_that_nobody_merges_is_reminded_of_each_day(house: House, opening: GitOpsTrack) -> None:
    await look(house)
    for _ in range(4 * 24):
        house.move(3600)
        await look(house)
    told = [e.message for e in await house.journal() if e.kind == "escalation"]
    assert [message.split(":")[0] for message in told] == [f"PR#1 waits for {h} h" for h in (24, 48, 72, 96)]
    assert (await track_of(house)).phase is _G.OVERDUE


async def test_days_in_which_nobody_looked_are_one_reminder(house: House, opening: GitOpsTrack) -> None:
    await look(house)
    house.move(9 * 86_400)
    for _ in range(5):
        await look(house)
        house.move(10)
    assert len([e for e in await house.journal() if e.kind == "escalation"]) == 1


class _Between:
    """Something between the pipeline and the forge."""

    def __init__(self, forge: Any) -> None:
        self._forge = forge

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return getattr(self._forge, name)  # type: ignore[no-any-return]


class Silent(_Between):
    """It does not answer."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def nothing(*_: Any) -> None:
            raise Temporary("the forge does not answer")

        return nothing


class Breaking(_Between):
    """It opens a pull request, and then something of ours breaks."""

    async def propose(self, request: Any) -> PullRequest:
        pull = await self._forge.propose(request)
        return replace(pull, title=object())  # type: ignore[arg-type]


class Closed(_Between):
    """It lets nobody close anything."""

    async def close(self, *_: Any) -> PullRequest:
        raise Refused("no right")
