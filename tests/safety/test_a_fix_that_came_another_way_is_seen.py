"""Somebody resolves a conflict by hand, or is faster: what counts is that Git has the value, and then the cluster."""

import subprocess
from pathlib import Path

import pytest

from kubernaut.adapters.forge.local import LocalForge
from kubernaut.domain.analysis import ActionProposal, Analysis, Finding
from kubernaut.domain.assessment import AssessmentPhase
from kubernaut.domain.policy import Decision
from kubernaut.domain.proposals import ChangeProposal, Ownership, PullRequestState
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import SignalSource, SignalSummary
from kubernaut.domain.tracks import GitOpsPhase, GitOpsTrack
from kubernaut.domain.values import Severity
from kubernaut.ports import Change

from .conftest import WEB, House

URL = "https://git.example/shop.git"
BRANCH = "kubernaut/rr-aaaaaa"
SETTINGS = ResourceRef("prod", "ConfigMap", "settings", "shop")
HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata:\n"
WRONG = f"{HEAD}  URL: http://bad\n  TIMEOUT: 3s\n"
_G = GitOpsPhase


class Repository:
    """A bare repository and somebody with a clone of it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "git"
        self.work = folder / "work"
        self.work.mkdir()
        self.git("init", "-q", "--bare", "-b", "main", str(self.root / "shop.git"))
        self.git("init", "-q", "-b", "main")
        self.git("remote", "add", "origin", str(self.root / "shop.git"))
        self.commit(WRONG)

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@shop.example"]
        command = ["git", *identity, *arguments]
        return subprocess.run(
            command, cwd=self.work, check=True, capture_output=True, text=True, timeout=30
        ).stdout.strip()

    def commit(self, text: str) -> str:
        (self.work / "apps").mkdir(exist_ok=True)
        (self.work / "apps" / "settings.yaml").write_text(text)
        self.git("add", ".")
        self.git("commit", "-q", "-m", "Work")
        self.git("push", "-q", "origin", "main")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
async def repository(house: House, tmp_path: Path) -> Repository:
    """The fix is proposed and waits for its merge."""
    found = Repository(tmp_path)
    house.using(forge=LocalForge(found.root, {URL: "shop"}, house.clock))
    now = house.clock.now()
    signal = SignalSummary("Odd", SignalSource.ALERTMANAGER, Severity.CRITICAL, "o", now, now)
    wanted = ActionProposal("update-configmap", SETTINGS, {"key": "URL", "from": "http://bad", "to": "http://good"})
    finding = Finding(SETTINGS, "CrashLoop", "The URL is wrong.", 0.95, permanent=wanted)
    ownership = Ownership("argocd", ResourceRef("prod", "Application", "web", "argocd"), URL, "main", "apps")
    proposal = ChangeProposal(ownership, SETTINGS, wanted.action, wanted.parameters)
    track = GitOpsTrack("rr-aaaaaa-git", "rr-aaaaaa", _G.PROPOSING, Decision.fail_closed("r"), proposal, now, now, now)
    item = Remediation(
        "rr-aaaaaa", "f", WEB, signal, now, assessment=AssessmentPhase.DECIDED, environment="staging",
        analysis=Analysis((finding,)), gitops=track,
    )  # fmt: skip
    await house.store.commit(Change(item, (track,)))
    for _ in range(3):
        track = await _turn(house)
    assert track.phase is _G.AWAITING_MERGE
    return found


async def _turn(house: House) -> GitOpsTrack:
    house.move(20)
    track = (await house.turn(part="gitops")).gitops
    assert track is not None
    return track


async def test_the_value_spelled_otherwise_among_other_changes(house: House, repository: Repository) -> None:
    commit = repository.commit(f'{HEAD}  URL: "http://good" # as of today\n  TIMEOUT: 5s\n')
    track = await _turn(house)
    assert track.phase is _G.SYNCING
    assert track.proposal.pull_request is not None
    assert track.proposal.pull_request.merge_commit == commit
    assert "main has the value of PR#1 already" in track.reason
    pull = await house.out.forge.pull_request(URL, 1)
    assert pull.state is PullRequestState.CLOSED
    assert pull.comments == (f"kubernaut: {track.reason}",)


async def test_a_branch_that_was_deleted_after_a_merge_with_conflicts(house: House, repository: Repository) -> None:
    repository.commit(f"{HEAD}  URL: http://good\n  TIMEOUT: 5s\n")
    repository.git("push", "-q", "origin", "--delete", BRANCH)
    assert (await _turn(house)).phase is _G.SYNCING


async def test_another_value_is_no_fix(house: House, repository: Repository) -> None:
    repository.commit(f"{HEAD}  URL: http://other\n  TIMEOUT: 3s\n")
    assert (await _turn(house)).phase is _G.AWAITING_MERGE
    repository.git("push", "-q", "origin", "--delete", BRANCH)
    assert (await _turn(house)).phase is _G.CLOSED


async def test_a_base_that_stands_still_is_not_read_again(house: House, repository: Repository) -> None:
    for _ in range(2):
        assert (await _turn(house)).phase is _G.AWAITING_MERGE
    repository.git("push", "-q", "origin", "--delete", BRANCH)
    assert (await _turn(house)).phase is _G.CLOSED
