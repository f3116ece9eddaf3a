"""A permanent fix is done when what runs has it, and a merge that came first is watched to its end."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from kubernaut.domain.analysis import ActionProposal, Analysis, Finding
from kubernaut.domain.assessment import AssessmentPhase
from kubernaut.domain.errors import NotFound, Refused
from kubernaut.domain.policy import Decision
from kubernaut.domain.proposals import ChangeProposal, Ownership, PullRequest, PullRequestState
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import SignalSource, SignalSummary
from kubernaut.domain.tracks import GitOpsPhase, GitOpsTrack
from kubernaut.domain.values import Severity
from kubernaut.ports import Change

from . import objects
from .conftest import START, WEB, House

_G = GitOpsPhase
SETTINGS = ResourceRef("prod", "ConfigMap", "settings", "shop")
APP = ResourceRef("prod", "Application", "web", "argocd")
PULL = PullRequest(
    1, "shop", "https://git.example/shop.git", "kubernaut/rr-aaaaaa", "main", PullRequestState.OPEN, "t", "b", "u", "h",
    START, START,
)  # fmt: skip


@dataclass
class OneRepository:
    """A forge with one pull request that somebody may have merged."""

    pull: PullRequest = PULL
    rewritten: bool = False

    async def pull_request(self, repo_url: str, number: int) -> PullRequest:
        return self.pull

    async def close(self, repo_url: str, number: int, by: str, comment: str = "") -> PullRequest:
        if self.pull.state is PullRequestState.MERGED:
            raise Refused("shop#1 is merged already")
        self.pull = replace(self.pull, state=PullRequestState.CLOSED)
        return self.pull

    async def contains(self, repo_url: str, revision: str, commit: str) -> bool:
        if self.rewritten:
            raise NotFound(f"no branch, tag or commit {revision!r}")
        return True


async def _open(
    house: House, phase: GitOpsPhase, *, action: str = "update-configmap", cancel: str = "", of: ResourceRef = WEB
) -> None:
    now = house.clock.now()
    signal = SignalSummary("Odd", SignalSource.ALERTMANAGER, Severity.CRITICAL, "o", now, now)
    parameters: dict[str, Any] = {"key": "URL", "to": "http://good"}
    finding = Finding(SETTINGS, "CrashLoop", "Odd.", 0.95, permanent=ActionProposal(action, SETTINGS, parameters))
    item = Remediation(
        "rr-aaaaaa", "f", of, signal, now, assessment=AssessmentPhase.DECIDED, analysis=Analysis((finding,))
    )
    ownership = Ownership("argocd", APP, PULL.repo_url, "main", "apps/web")
    proposal = ChangeProposal(
        ownership, SETTINGS, action, dict(parameters), branch=PULL.branch, pull_request=replace(PULL, merge_commit="m")
    )
    track = GitOpsTrack(
        "rr-aaaaaa-git", item.id, phase, Decision.fail_closed("r"), proposal, now, now, now, cancel_requested=cancel
    )
    await house.store.commit(Change(item, (track,)))


def _web(house: House, *, started: str) -> None:
    web = house.cluster.put(objects.deployment())
    owner = house.cluster.put(objects.replica_set(web))
    for number in (1, 2):
        pod = objects.pod(f"web-1-{number}", owner, started=started)
        pod["spec"]["containers"][0]["envFrom"] = [{"configMapRef": {"name": "settings"}}]
        house.cluster.put(pod)
    written = {"manager": "argocd", "time": "2026-03-01T03:00:00Z", "fieldsV1": {"f:data": {"f:URL": {}}}}
    house.cluster.put(
        {
            "kind": "ConfigMap",
            "metadata": {"name": "settings", "namespace": "shop", "managedFields": [written]},
            "data": {"URL": "http://good"},
        }
    )


async def _track(house: House) -> GitOpsTrack:
    track = (await house.get()).gitops
    assert track is not None
    return track


async def _until_end(house: House) -> GitOpsTrack:
    for _ in range(1000):
        track = await _track(house)
        if track.ended:
            return track
        house.clock.moment = max(house.clock.moment, track.wake_at or house.clock.moment)
        await house.turn(part="gitops")
    raise AssertionError("the track does not end")


async def test_ready_pods_that_read_the_bad_value_at_their_start_are_not_well(house: House) -> None:
    _web(house, started="2026-03-01T02:00:00Z")
    await _open(house, _G.VERIFYING)
    track = await _until_end(house)
    assert track.phase is _G.FAILED
    assert "a restart takes it in" in track.reason


@pytest.mark.parametrize("started", ["2026-03-01T03:00:00Z", "2026-03-01T03:00:07Z"])
async def test_pods_that_started_with_the_mended_value_are_well(house: House, started: str) -> None:
    _web(house, started=started)
    await _open(house, _G.VERIFYING)
    assert (await _until_end(house)).phase is _G.COMPLETED


async def test_a_rollout_that_was_late_before_the_fix_is_given_the_time_to_recover(house: House) -> None:
    _web(house, started="2026-03-01T03:00:07Z")
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    house.cluster.objects["Deployment", "shop", "web"]["status"]["conditions"] = [late]
    await _open(house, _G.VERIFYING)
    await house.turn(part="gitops")
    assert not (await _track(house)).ended
    house.cluster.objects["Deployment", "shop", "web"]["status"]["conditions"] = []
    assert (await _until_end(house)).phase is _G.COMPLETED


async def test_a_cancel_that_comes_after_the_merge_leaves_nothing_unwatched(house: House) -> None:
    house.using(forge=OneRepository(replace(PULL, state=PullRequestState.MERGED, merge_commit="m")))
    await _open(house, _G.AWAITING_MERGE, cancel="cancelled by ana")
    await house.turn(part="gitops")
    assert (await _track(house)).phase is _G.SYNCING


async def test_a_cancel_before_the_merge_closes_the_pull_request(house: House) -> None:
    forge = OneRepository()
    house.using(forge=forge)
    await _open(house, _G.AWAITING_MERGE, cancel="cancelled by ana")
    await house.turn(part="gitops")
    assert (await _track(house)).phase is _G.CANCELLED
    assert forge.pull.state is PullRequestState.CLOSED


async def test_a_rewritten_history_is_waited_for_and_then_told(house: House) -> None:
    _web(house, started="2026-03-01T03:00:07Z")
    house.cluster.put(
        {
            "kind": "Application",
            "metadata": {"name": "web", "namespace": "argocd"},
            "spec": {},
            "status": {"sync": {"status": "Synced", "revision": "gone"}},
        }
    )
    forge = OneRepository(rewritten=True)
    house.using(forge=forge)
    await _open(house, _G.SYNCING)
    for _ in range(3):
        await house.turn(part="gitops")
    assert (await _track(house)).phase is _G.SYNCING
    forge.rewritten = False
    house.move(1)
    await house.turn(part="gitops")
    assert (await _track(house)).phase is _G.VERIFYING


STATEFUL: dict[str, Any] = {
    "spec": {"replicas": 2, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}},
    "status": {
        "observedGeneration": 2, "readyReplicas": 2, "updatedReplicas": 2, "currentRevision": "1", "updateRevision": "2",
    },
}  # fmt: skip
DAEMONS: dict[str, Any] = {
    "spec": {},
    "status": {"observedGeneration": 2, "desiredNumberScheduled": 2, "numberReady": 2, "updatedNumberScheduled": 2},
}
UPDATED = {"updatedReplicas": 0, "updateRevision": "2", "currentRevision": "2"}


@pytest.mark.parametrize(
    ("kind", "parts", "spec", "status", "why_not"),
    [
        ("StatefulSet", STATEFUL, {}, {}, ""),
        ("StatefulSet", STATEFUL, {}, UPDATED, ""),
        ("StatefulSet", STATEFUL, {}, {"readyReplicas": 1}, "1/2 ready"),
        ("StatefulSet", STATEFUL, {}, {"observedGeneration": 1}, "has not seen the change yet"),
        ("StatefulSet", STATEFUL, {"updateStrategy": {"type": "OnDelete"}}, {"updatedReplicas": 0}, "0 of 2 pods are new"),
        ("StatefulSet", STATEFUL, {"updateStrategy": {"rollingUpdate": {"partition": 1}}}, {"updatedReplicas": 1}, ""),
        ("DaemonSet", DAEMONS, {}, {}, ""),
        ("DaemonSet", DAEMONS, {}, {"numberReady": None}, "0/2 ready"),
        ("DaemonSet", DAEMONS, {}, {"updatedNumberScheduled": 1}, "1 of 2 pods are new"),
    ],
)  # fmt: skip
async def test_a_workload_of_any_kind_has_to_run_with_the_fix(
    house: House, kind: str, parts: dict[str, Any], spec: dict[str, Any], status: dict[str, Any], why_not: str
) -> None:
    meta = {"name": "db", "namespace": "shop", "generation": 2}
    item = {"kind": kind, "metadata": meta, "spec": parts["spec"] | spec, "status": parts["status"] | status}
    owner = house.cluster.put(item)
    for number in (0, 1):
        house.cluster.put(objects.pod(f"db-{number}", owner))
    await _open(house, _G.VERIFYING, action="update-resources", of=ResourceRef("prod", kind, "db", "shop"))
    track = await _until_end(house)
    assert track.phase is (_G.FAILED if why_not else _G.COMPLETED), track.reason
    assert why_not in track.reason


async def test_a_pod_that_is_not_ready_beside_those_that_are_wanted_is_seen(house: House) -> None:
    owner = house.cluster.put({"kind": "DaemonSet", "metadata": {"name": "db", "namespace": "shop"}, **DAEMONS})
    pod = objects.pod("db-0", owner)
    pod["status"]["conditions"][0]["status"] = "False"
    house.cluster.put(pod)
    await _open(house, _G.VERIFYING, action="update-resources", of=ResourceRef("prod", "DaemonSet", "db", "shop"))
    track = await _until_end(house)
    assert track.phase is _G.FAILED
    assert "db-0 is not ready" in track.reason


@pytest.mark.parametrize(
    ("status", "value", "why"),
    [
        ({"sync": {"status": "OutOfSync"}}, "http://good", "waiting for argocd to sync web to m"),
        ({"sync": {"status": "Synced", "revision": "m"}}, "http://bad", "web is synced, but shop/configmap/settings does not"),
    ],
)  # fmt: skip
async def test_a_merge_that_does_not_arrive_says_where_to_look(
    house: House, status: dict[str, Any], value: str, why: str
) -> None:
    _web(house, started="2026-03-01T03:00:07Z")
    house.cluster.objects["ConfigMap", "shop", "settings"]["data"]["URL"] = value
    meta = {"name": "web", "namespace": "argocd"}
    house.cluster.put({"kind": "Application", "metadata": meta, "spec": {"source": {}}, "status": status})
    house.using(forge=OneRepository())
    await _open(house, _G.SYNCING)
    track = await _until_end(house)
    assert track.phase is _G.FAILED
    assert track.reason.startswith(f"gave up after 900 s: {why}")
    assert "it is merged, so look at argocd/application/web" in track.reason
