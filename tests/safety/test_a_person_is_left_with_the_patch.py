"""Where no pull request can be made, the journal has the reason with its place, the patch, and a text that is ready to use."""

import subprocess
from pathlib import Path
from typing import Any

import yaml

from kubernaut.adapters.forge.local import LocalForge
from kubernaut.domain.analysis import ActionProposal, Analysis, Finding
from kubernaut.domain.assessment import AssessmentPhase
from kubernaut.domain.facts import Snapshot
from kubernaut.domain.journal import JournalEntry
from kubernaut.domain.policy import Decision
from kubernaut.domain.proposals import ChangeProposal, Ownership
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import SignalSource, SignalSummary
from kubernaut.domain.tracks import GitOpsPhase, GitOpsTrack
from kubernaut.domain.values import Severity
from kubernaut.pipeline.decide import decide
from kubernaut.ports import Change

from .conftest import WEB, House

URL = "https://git.example/shop.git"
SETTINGS = ResourceRef("prod", "ConfigMap", "settings", "shop")
WANTED = ActionProposal("update-configmap", SETTINGS, {"key": "URL", "from": "http://bad", "to": "http://good"})
FINDING = Finding(SETTINGS, "CrashLoop", "The URL is wrong.", 0.95, permanent=WANTED)
APPLICATION = ResourceRef("prod", "Application", "web", "argocd")
WRONG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata:\n  URL: &u http://bad\n  OTHER: *u\n"


def _remediation(house: House, track: GitOpsTrack | None = None) -> Remediation:
    now = house.clock.now()
    signal = SignalSummary("Odd", SignalSource.ALERTMANAGER, Severity.CRITICAL, "o", now, now)
    phase = AssessmentPhase.DECIDED if track else AssessmentPhase.ANALYZING
    return Remediation(
        "rr-aaaaaa", "f", WEB, signal, now, assessment=phase, environment="staging", analysis=Analysis((FINDING,)),
        gitops=track,
    )  # fmt: skip


def _owned(house: House, annotations: dict[str, str]) -> None:
    meta = {"name": "settings", "namespace": "shop", "annotations": annotations}
    house.cluster.put({"kind": "ConfigMap", "metadata": meta, "data": {"URL": "http://bad"}})
    source = {"repoURL": URL, "path": "apps", "targetRevision": "main"}
    house.cluster.put(
        {"kind": "Application", "metadata": {"name": "web", "namespace": "argocd"}, "spec": {"source": source}}
    )


def _gives_the_change(data: dict[str, Any]) -> bool:
    patch = yaml.safe_load(data["patch"])
    return patch == {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "shop"},
        "data": {"URL": "http://good"},
    }  # fmt: skip


async def _decided(house: House) -> Change:
    snapshot = Snapshot(WEB, house.clock.now(), ())
    return await decide(house.out, _remediation(house), snapshot, FINDING)


async def test_without_a_forge(house: House) -> None:
    _owned(house, {"argocd.argoproj.io/tracking-id": "web:/ConfigMap:shop/settings"})
    change = await _decided(house)
    (note,) = [draft for draft in change.journal if draft.data]
    assert f"no forge is configured for {URL}" in note.message
    assert "by hand: set URL of ConfigMap shop/settings from http://bad to http://good" in note.message
    assert _gives_the_change(note.data)
    assert note.data["title"] == "Fix key URL of ConfigMap shop/settings"
    assert "## Change request" in note.data["text"]


async def test_without_an_owner_in_git(house: House) -> None:
    _owned(house, {})
    change = await _decided(house)
    (note,) = [draft for draft in change.journal if draft.data]
    assert "no GitOps controller owns the object" in note.message
    assert _gives_the_change(note.data)


async def test_where_the_file_can_not_be_edited_safely(house: House, tmp_path: Path) -> None:
    entry = await _proposed(house, tmp_path, WRONG)
    assert "apps/settings.yaml:5: an anchor or alias ties this value to others (data.OTHER)" in entry.message
    assert "by hand: set URL of ConfigMap shop/settings" in entry.message
    assert _gives_the_change(entry.data)
    assert entry.data["title"] == "Fix key URL of ConfigMap shop/settings"


def _repository(folder: Path, text: str) -> None:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@shop.example"]
    bare, work = str(folder / "git" / "shop.git"), folder / "work"
    (work / "apps").mkdir(parents=True)
    (work / "apps" / "settings.yaml").write_text(text)
    for command in (
        ["init", "-q", "--bare", "-b", "main", bare], ["init", "-q", "-b", "main"], ["add", "."],
        ["commit", "-q", "-m", "Start"], ["push", "-q", bare, "main"],
    ):  # fmt: skip
        subprocess.run(["git", *identity, *command], cwd=work, check=True, timeout=30)


async def _proposed(house: House, folder: Path, text: str) -> JournalEntry:
    """What the journal says last of a fix that is proposed to a repository with this file."""
    _repository(folder, text)
    house.using(forge=LocalForge(folder / "git", {URL: "shop"}, house.clock))
    now = house.clock.now()
    proposal = ChangeProposal(
        Ownership("argocd", APPLICATION, URL, "main", "apps"), SETTINGS, WANTED.action, WANTED.parameters
    )
    decision = Decision.fail_closed("r")
    track = GitOpsTrack("rr-aaaaaa-git", "rr-aaaaaa", GitOpsPhase.PROPOSING, decision, proposal, now, now, now)
    await house.store.commit(Change(_remediation(house, track), (track,)))
    after = await house.turn(part="gitops")
    assert after.gitops is not None
    assert after.gitops.phase is GitOpsPhase.FAILED
    return next(entry for entry in reversed(await house.journal()) if entry.kind == "escalation")
