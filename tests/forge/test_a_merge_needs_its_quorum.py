"""A merge through kubernaut needs as many people as policy says, each for the very commit, and says who is missing."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from forge_world import PATH, URL, Colleague, StillClock, memory_request

from kubernaut.adapters.forge.local import LocalForge
from kubernaut.adapters.store import SqliteStore
from kubernaut.domain.approvals import Principal, Role, Verdict
from kubernaut.domain.assessment import AssessmentPhase
from kubernaut.domain.errors import Conflict, Refused
from kubernaut.domain.policy import ApprovalType, Decision
from kubernaut.domain.proposals import ChangeProposal, Ownership, PullRequest, PullRequestState
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.reviews import policy_check
from kubernaut.domain.signals import SignalSource, SignalSummary
from kubernaut.domain.tracks import GitOpsPhase, GitOpsTrack
from kubernaut.domain.values import Severity
from kubernaut.pipeline.pulls import PullDesk
from kubernaut.ports import Change

BRANCH = "kubernaut/rr-2a3b4c"
ANA = Principal("ana", ("sre",), Role.APPROVER)
SIA, SAM, ADA = (Principal(name, ("leads",), Role.SENIOR) for name in ("sia", "sam", "ada"))
ONE = Decision(
    ApprovalType.GIT_PR_REQUIRED, False, True, False, "Git owns it.", "gitops_managed", 1, ("senior",), (), True
)  # fmt: skip
TWO = replace(ONE, min_approvers=2)


class Desk:
    """The desk over a genuine store and forge, with one remediation whose fix waits for its merge."""

    def __init__(self, store: SqliteStore, forge: LocalForge, clock: StillClock, colleague: Colleague) -> None:
        self.store, self.forge, self.clock, self.colleague = store, forge, clock, colleague
        self.pulls = PullDesk(store, forge, clock, lambda: None)

    async def open(self, decision: Decision, requester: str = "") -> PullRequest:
        request = replace(memory_request(self.colleague.tip()), checks=(policy_check(decision),))
        pull = await self.forge.propose(request)
        now = self.clock.now()
        target = ResourceRef("prod", "Deployment", "checkout", "shop")
        signal = SignalSummary("Odd", SignalSource.MANUAL, Severity.CRITICAL, "o", now, now, requester=requester)
        application = ResourceRef("prod", "Application", "checkout", "argocd")
        proposal = ChangeProposal(
            Ownership("argocd", application, URL, "main", "apps"), target, "update-resources", {}, branch=BRANCH,
            pull_request=pull,
        )  # fmt: skip
        track = GitOpsTrack("rr-2a3b4c-git", "rr-2a3b4c", GitOpsPhase.AWAITING_MERGE, decision, proposal, now, now, now)
        item = Remediation(
            "rr-2a3b4c", "f", target, signal, now, assessment=AssessmentPhase.DECIDED, environment="production",
            decision=decision, gitops=track,
        )  # fmt: skip
        await self.store.commit(Change(item, (track,)))
        return pull

    async def approve(self, who: Principal, head: str, verdict: Verdict = Verdict.APPROVE) -> PullRequest:
        return await self.pulls.review("shop", 1, who, verdict, head, "looked at it")

    async def merge(self, who: Principal, head: str) -> PullRequest:
        return await self.pulls.merge("shop", 1, who, head, "seen")


@pytest.fixture
async def desk(forge: LocalForge, clock: StillClock, colleague: Colleague, tmp_path: Path) -> AsyncIterator[Desk]:
    store = await SqliteStore.open(tmp_path / "kubernaut.db", clock)
    yield Desk(store, forge, clock, colleague)
    await store.close()


async def test_one_person_is_not_two(desk: Desk, colleague: Colleague) -> None:
    pull = await desk.open(TWO)
    before = colleague.tip()
    for _ in range(2):
        with pytest.raises(
            Refused, match=r"wants 2 approvals of senior, nobody so far: 1 more person must say .*sia incl"
        ):
            await desk.merge(SIA, pull.head_commit)
    seen = await desk.approve(SIA, pull.head_commit)
    assert (seen.approvals, seen.checks["kubernaut/approvals"]) == (("sia",), "pending")
    await desk.approve(SIA, pull.head_commit)
    with pytest.raises(Refused, match=r"sia so far: 1 more person must say `kubernaut pr approve shop/1`"):
        await desk.merge(SIA, pull.head_commit)
    assert colleague.tip() == before
    merged = await desk.merge(SAM, pull.head_commit)
    assert (merged.state, merged.approvals) == (PullRequestState.MERGED, ("sia", "sam"))
    assert merged.checks == {"kubernaut/policy": "success", "kubernaut/approvals": "success"}
    assert "memory: 256Mi" in colleague.show(f"main:{PATH}")
    journal = [(entry.kind, entry.actor) for entry in await desk.store.journal(0, 100, "rr-2a3b4c")]
    assert [row for row in journal if row[1] != "kubernaut"] == [
        ("vote", "sia"),
        ("vote", "sia"),
        ("pull-request", "sam"),
    ]


async def test_the_merge_commit_names_who_agreed(desk: Desk, colleague: Colleague) -> None:
    pull = await desk.open(TWO)
    await desk.approve(SIA, pull.head_commit)
    await desk.merge(SAM, pull.head_commit)
    said = colleague.git("log", "-1", "--format=%B", "main", folder=colleague.bare).splitlines()
    assert said[-3:] == ["Approved-by: sia", "Approved-by: sam", "Merged-by: sam"]


async def test_only_those_whom_policy_names_count(desk: Desk) -> None:
    pull = await desk.open(TWO)
    with pytest.raises(Refused, match="ana needs the role senior"):
        await desk.approve(ANA, pull.head_commit)
    with pytest.raises(Refused, match="ana needs the role senior"):
        await desk.merge(ANA, pull.head_commit)
    assert (await desk.forge.pull_request(URL, 1)).reviews == ()


async def test_a_group_of_the_directory_may_be_asked_for(desk: Desk) -> None:
    pull = await desk.open(replace(TWO, approver_groups=("dba",)))
    with pytest.raises(Refused, match="sia is in none of the groups dba"):
        await desk.approve(SIA, pull.head_commit)
    first, second = (Principal(name, ("dba",), Role.APPROVER) for name in ("dora", "dan"))
    await desk.approve(first, pull.head_commit)
    assert (await desk.merge(second, pull.head_commit)).state is PullRequestState.MERGED


async def test_who_asked_for_it_does_not_count_but_may_merge_when_others_agreed(desk: Desk) -> None:
    pull = await desk.open(TWO, requester="sia")
    with pytest.raises(Refused, match="another pair of eyes"):
        await desk.approve(SIA, pull.head_commit)
    with pytest.raises(Refused, match=r"2 more people must say .*sia asked for this change"):
        await desk.merge(SIA, pull.head_commit)
    await desk.approve(SAM, pull.head_commit)
    await desk.approve(ADA, pull.head_commit)
    assert (await desk.merge(SIA, pull.head_commit)).approvals == ("sam", "ada")


async def test_who_wrote_a_part_of_the_branch_does_not_count(desk: Desk, colleague: Colleague) -> None:
    await desk.open(ONE)
    head = colleague.commit({"extra.txt": "x\n"}, branch=BRANCH)
    assert (await desk.pulls.find("shop", 1)).authors == ("ada",)
    with pytest.raises(Refused, match="ada wrote a part of this branch"):
        await desk.merge(ADA, head)
    assert (await desk.merge(SAM, head)).state is PullRequestState.MERGED


async def test_without_four_eyes_who_asked_may_merge(desk: Desk) -> None:
    pull = await desk.open(replace(ONE, four_eyes=False), requester="sia")
    assert (await desk.merge(SIA, pull.head_commit)).state is PullRequestState.MERGED


async def test_a_new_commit_voids_reviews_and_checks(desk: Desk, colleague: Colleague) -> None:
    pull = await desk.open(TWO)
    await desk.approve(SIA, pull.head_commit)
    head = colleague.commit({"extra.txt": "x\n"}, branch=BRANCH)
    seen = await desk.pulls.find("shop", 1)
    assert (seen.approvals, set(seen.checks.values())) == ((), {"pending"})
    with pytest.raises(Conflict, match="changed since you looked"):
        await desk.approve(SAM, pull.head_commit)
    with pytest.raises(Refused, match="nobody so far"):
        await desk.merge(SAM, head)
    await desk.approve(SIA, head)
    assert (await desk.merge(SAM, head)).state is PullRequestState.MERGED


async def test_a_rejection_holds_until_it_is_taken_back(desk: Desk) -> None:
    pull = await desk.open(ONE)
    await desk.approve(SIA, pull.head_commit, Verdict.REJECT)
    with pytest.raises(Refused, match="sia rejected this commit: looked at it"):
        await desk.merge(SAM, pull.head_commit)
    assert (await desk.pulls.find("shop", 1)).checks["kubernaut/approvals"] == "failure"
    await desk.approve(SIA, pull.head_commit)
    merged = await desk.merge(SAM, pull.head_commit)
    assert (merged.state, merged.checks["kubernaut/approvals"]) == (PullRequestState.MERGED, "success")


async def test_reviews_at_once_all_count(desk: Desk) -> None:
    pull = await desk.open(replace(TWO, min_approvers=5))
    people = [Principal(f"s{n}", (), Role.SENIOR) for n in range(4)]
    await asyncio.gather(*(desk.approve(who, pull.head_commit) for who in people))
    assert set((await desk.pulls.find("shop", 1)).approvals) == {"s0", "s1", "s2", "s3"}
    assert (await desk.merge(SIA, pull.head_commit)).state is PullRequestState.MERGED


async def test_reviews_survive_a_restart(desk: Desk, root: Path, clock: StillClock) -> None:
    pull = await desk.open(TWO)
    await desk.approve(SIA, pull.head_commit)
    again = LocalForge(root, {URL: "shop"}, clock)
    seen = await again.pull_request(URL, 1)
    assert [(r.reviewer, r.verdict, r.groups, r.role) for r in seen.reviews] == [
        ("sia", "approve", ("leads",), "senior")
    ]
    assert seen.checks == {"kubernaut/policy": "success", "kubernaut/approvals": "pending"}


async def test_what_is_over_takes_no_review(desk: Desk) -> None:
    pull = await desk.open(ONE)
    await desk.pulls.close("shop", 1, SIA, "not now")
    with pytest.raises(Refused, match="closed already"):
        await desk.approve(SAM, pull.head_commit)
    assert (await desk.pulls.find("shop", 1)).comments == ("sia: not now",)
