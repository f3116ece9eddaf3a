"""Whatever an API server (or somebody's controller) leaves out, nulls or spells otherwise ends in a decision, never in a
stack trace: an internal error takes the failure away from whoever could have handled it."""

import asyncio
import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubernaut.actions.action import HealthState
from kubernaut.actions.catalogue import IMPERATIVE
from kubernaut.actions.configuration import outdated
from kubernaut.actions.rollout import condition, deployment_health, is_ready, restarts, stamp_of
from kubernaut.domain.errors import KubernautError
from kubernaut.domain.facts import controller_uid
from kubernaut.domain.owner import top_owner
from kubernaut.domain.plans import Step, StepRun
from kubernaut.domain.resources import ResourceRef
from kubernaut.gitops.live import live_equals
from kubernaut.pipeline.enrich import enrich
from kubernaut.pipeline.syncing import applied_revision

from . import objects
from .conftest import HeldClock
from .memory_cluster import MemoryCluster

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ODD = st.sampled_from([None, {}, [], "", "3", "x", 0, -1, 2**40, True, [None], [{}], {"type": None}, "25%", "%"])
KEPT = {"kind", "name", "namespace", "uid", "resourceVersion", "ownerReferences", "metadata"}
"""What every stored object has: without them it could not have been stored."""


@st.composite
def odd(draw: st.DrawFn, item: dict[str, Any]) -> dict[str, Any]:
    """The object with up to four of its fields missing or holding something else."""
    changed = copy.deepcopy(item)
    for _ in range(draw(st.integers(1, 4))):
        node: Any = changed
        for _ in range(draw(st.integers(1, 6))):
            keys = sorted(k for k in node if k not in KEPT or k == "metadata") if isinstance(node, dict) else []
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            inner = node[key]
            if isinstance(inner, list) and inner and isinstance(inner[0], dict):
                inner = inner[0]
            if isinstance(inner, dict) and inner and (key == "metadata" or draw(st.booleans())):
                node = inner
                continue
            if draw(st.booleans()):
                del node[key]
            else:
                node[key] = copy.deepcopy(draw(ODD))
            break
    return changed


WEB = objects.deployment()
WEB["metadata"] |= {"uid": "u", "resourceVersion": "1"}
WEB["status"]["conditions"] = [{"type": "Progressing", "reason": "NewReplicaSetAvailable"}]
SET = objects.replica_set(WEB)
SET["metadata"] |= {"uid": "s", "resourceVersion": "1"}
POD = objects.pod("web-1", SET, started="2026-03-01T00:00:00Z")
POD["metadata"] |= {"resourceVersion": "1", "annotations": {}}
POD["spec"] |= {"volumes": [{"name": "v", "emptyDir": {}}]}
NODE = objects.node()
NODE["metadata"] |= {"uid": "n", "resourceVersion": "1"}
APP = {
    "kind": "Application",
    "metadata": {"name": "web", "namespace": "argocd"},
    "spec": {"sources": [{"repoURL": "r"}]},
    "status": {"sync": {"status": "Synced", "revision": "", "revisions": ["abc"]}},
}
MAP = {
    "kind": "ConfigMap",
    "metadata": {
        "name": "settings",
        "managedFields": [{"time": "2026-03-01T00:00:00Z", "fieldsV1": {"f:data": {"f:URL": {}}}}],
    },
    "data": {"URL": "x"},
}


@given(odd(WEB), odd(POD))
@settings(deadline=None, max_examples=100)
def test_health_is_judged_whatever_the_objects_lack(web: dict[str, Any], pod: dict[str, Any]) -> None:
    assert deployment_health(web, [pod]).state in HealthState
    condition(web, "Progressing")
    is_ready(pod)
    restarts([pod])
    stamp_of([pod])


@pytest.mark.parametrize(
    ("action", "target"),
    [
        ("restart-deployment", ResourceRef("prod", "Deployment", "web", "shop")),
        ("delete-pod", ResourceRef("prod", "Pod", "web-1", "shop")),
        ("cordon-node", ResourceRef("prod", "Node", "n1")),
        ("drain-node", ResourceRef("prod", "Node", "n1")),
    ],
)
@given(data=st.data())
@settings(deadline=None, max_examples=100)
def test_each_action_decides_whatever_the_objects_lack(action: str, target: ResourceRef, data: st.DataObject) -> None:
    cluster = MemoryCluster()
    cluster.objects = {
        ("Deployment", "shop", "web"): data.draw(odd(WEB)),
        ("ReplicaSet", "shop", "web-1"): data.draw(odd(SET)),
        ("Pod", "shop", "web-1"): data.draw(odd(POD)),
        ("Node", "", "n1"): data.draw(odd(NODE)),
    }
    with pytest.raises(StopIteration):  # nothing in it waits, so it needs no event loop
        _walk(cluster, action, target).send(None)


async def _walk(cluster: MemoryCluster, name: str, target: ResourceRef) -> None:
    action, step = IMPERATIVE[name], Step("s", name, target)
    radius = await action.blast_radius(cluster, step)
    assert all(amount >= 0 for amount in radius.document().values())
    assert radius.percent_of_workload <= 100
    try:
        captured = await action.capture(cluster, step, NOW)
    except KubernautError:
        return
    run = StepRun("s", captured=captured)
    try:
        await action.applied(cluster, step, run)
        await action.dry_run(cluster, cluster, step, captured)
        await action.apply(cluster, cluster, step, run)
        await action.health(cluster, step, run)
    except KubernautError:
        return


@given(odd(APP), odd(MAP), odd(POD), odd(WEB))
@settings(deadline=None, max_examples=100)
def test_what_git_reached_is_judged_whatever_the_objects_lack(
    application: dict[str, Any], config_map: dict[str, Any], pod: dict[str, Any], web: dict[str, Any]
) -> None:
    applied_revision(application, "r")
    outdated([pod], config_map, "URL")
    live_equals(config_map, "update-configmap", {"key": "URL", "to": "x"})
    live_equals(web, "update-image", {"container": "app", "to": "x"})
    live_equals(web, "update-resources", {"container": "app", "field": "limits.memory", "to": "1Gi"})


@pytest.mark.parametrize(
    ("strategy", "ready", "percent"),
    [
        ({"type": "Recreate"}, 3, 100),
        ({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "100%"}}, 3, 100),
        ({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 10}}, 3, 100),
        ({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}, 3, 34),
        ({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}, 3, 0),
        ({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": 0}}, 3, 34),
        ({"type": "Recreate"}, 0, 0),
        ({}, 3, 0),
    ],
)
async def test_a_restart_takes_away_what_its_strategy_lets_go(strategy: Any, ready: int, percent: int) -> None:
    cluster = MemoryCluster()
    web = objects.deployment(replicas=3)
    web["spec"]["strategy"] = strategy
    owner = cluster.put(objects.replica_set(cluster.put(web)))
    for number in range(3):
        pod = objects.pod(f"web-{number}", owner)
        if number >= ready:
            pod["status"]["conditions"] = []
        cluster.put(pod)
    step = Step("s", "restart-deployment", ResourceRef("prod", "Deployment", "web", "shop"))
    radius = await IMPERATIVE["restart-deployment"].blast_radius(cluster, step)
    assert (radius.pods, radius.percent_of_workload) == (3, percent)


SCALER = {
    "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}},
}  # fmt: skip
EVENT = {
    "kind": "Event",
    "metadata": {"name": "e", "namespace": "shop"},
    "involvedObject": {"kind": "Pod", "name": "web-1"},
}
SICK = copy.deepcopy(POD)
SICK["spec"] |= {
    "containers": [
        {
            "name": "app", "envFrom": [{"configMapRef": {"name": "c"}}],
            "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
        }
    ],
    "volumes": [{"projected": {"sources": [{"configMap": {"name": "c"}}]}}], "imagePullSecrets": [{"name": "p"}],
}  # fmt: skip
SICK["status"]["containerStatuses"][0] |= {
    "ready": False,
    "restartCount": 3,
    "state": {"waiting": {"reason": "ErrImagePull"}},
}


@given(st.tuples(odd(WEB), odd(SET), odd(SICK), odd(SCALER), odd(EVENT)), st.sampled_from(("web", "web-1")))
@settings(deadline=None, max_examples=200)
def test_what_surrounds_a_failure_is_read_whatever_the_objects_lack(items: tuple[Any, ...], name: str) -> None:
    cluster = MemoryCluster()
    for item in items:
        meta = item["metadata"]
        cluster.objects[item["kind"], meta.get("namespace", ""), meta["name"]] = item
    target = ResourceRef("prod", "Deployment" if name == "web" else "Pod", name, "shop")
    snapshot = asyncio.run(enrich(cluster, target, clock=HeldClock(), deadline_s=60))
    assert snapshot.root is not None


@pytest.mark.parametrize(
    "references",
    [None, [None], {}, 3, [{"controller": True}], [{"controller": True, "kind": "ReplicaSet", "uid": "u"}]],
)
def test_a_reference_that_names_nobody_is_none(references: object) -> None:
    pod = objects.pod("web-1", None)
    pod["metadata"]["ownerReferences"] = references
    target = ResourceRef("prod", "Pod", "web-1", "shop")
    assert top_owner(target, lambda ref: pod if ref == target else None) == target
    assert controller_uid(pod) == ""
