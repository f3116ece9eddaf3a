"""Enrichment reads what an analysis needs, tells what it could not read, and keeps its deadline."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from kubernaut.diagnosis.analyst import RulesAnalyst
from kubernaut.domain.errors import NotFound, Refused, Temporary
from kubernaut.domain.facts import LogKey, Object, controller_uid
from kubernaut.domain.resources import ResourceRef
from kubernaut.pipeline.enrich import enrich
from kubernaut.ports import ClusterHealth

from .cluster import NOW, Cluster, ago, container, ended, out_of_memory_cluster, waiting

CHECKOUT = ResourceRef("c1", "Deployment", "checkout", "shop")


class Held:
    """The present moment, held still."""

    def now(self) -> datetime:
        return NOW


class Reader:
    """Fills ports.ClusterReader from a list of objects; some kinds can be refused or never answer."""

    name = "c1"

    def __init__(self, cluster: Cluster, *, refuses: Sequence[str] = (), hangs: Sequence[str] = ()) -> None:
        self._objects = cluster.objects
        self._logs = cluster.logs
        self._refuses, self._hangs = refuses, hangs
        self.asked: list[str] = []

    def health(self) -> ClusterHealth:
        return ClusterHealth(self.name, "LIVE", 0.0)

    def cached(self, kind: str, namespace: str, name: str) -> Object | None:
        return None

    async def get(self, kind: str, namespace: str, name: str, *, live: bool = False) -> Object | None:
        await self._answer(kind)
        return next((o for o in self._of(kind, namespace) if o["metadata"]["name"] == name), None)

    async def list(
        self, kind: str, namespace: str = "", *, labels: str = "", fields: str = "", live: bool = False
    ) -> Sequence[Object]:
        await self._answer(kind)
        return list(self._of(kind, namespace))

    async def owned(self, kind: str, owner_uid: str, namespace: str) -> Sequence[Object]:
        await self._answer(kind)
        return [o for o in self._of(kind, namespace) if controller_uid(o) == owner_uid]

    async def logs(
        self, namespace: str, pod: str, container: str, *, previous: bool = False, tail_lines: int = 100
    ) -> str:
        await self._answer("logs")
        try:
            return self._logs[LogKey(namespace, pod, container, previous)]
        except KeyError:
            raise NotFound("no such log") from None

    async def allowed(self, verb: str, kind: str, namespace: str = "", name: str = "", subresource: str = "") -> str:
        return ""

    def _of(self, kind: str, namespace: str) -> Sequence[dict[str, Any]]:
        mine = [o for o in self._objects if o["kind"] == kind]
        return [o for o in mine if namespace in ("", o["metadata"].get("namespace", ""))]

    async def _answer(self, kind: str) -> None:
        self.asked.append(kind)
        if kind in self._hangs:
            await asyncio.Event().wait()
        if kind in self._refuses:
            raise Refused(f"RBAC does not let kubernaut read {kind}")


async def test_a_live_cluster_gives_the_same_finding_as_a_dump() -> None:
    reader = Reader(out_of_memory_cluster())
    snapshot = await enrich(reader, CHECKOUT, clock=Held(), deadline_s=5.0, signal="KubePodCrashLooping")
    findings, _ = RulesAnalyst().judge(snapshot)
    assert findings == out_of_memory_cluster().findings()
    assert snapshot.missing == ()


async def test_a_pod_is_resolved_to_its_top_owner() -> None:
    pod = ResourceRef("c1", "Pod", "checkout-41-0", "shop")
    reader = Reader(out_of_memory_cluster())
    assert (await enrich(reader, pod, clock=Held(), deadline_s=5.0)).target == CHECKOUT
    assert (await enrich(reader, pod, clock=Held(), deadline_s=5.0, to_owner=False)).target == pod


async def test_what_may_not_be_read_is_told_and_the_rest_is_used() -> None:
    reader = Reader(out_of_memory_cluster(), refuses=("Event", "PodDisruptionBudget"))
    snapshot = await enrich(reader, CHECKOUT, clock=Held(), deadline_s=5.0)
    assert any(line.startswith("events in shop: RBAC") for line in snapshot.missing)
    assert RulesAnalyst().judge(snapshot)[0][0].failure_class == "OOMKilled"


async def test_the_deadline_costs_only_what_was_slow() -> None:
    reader = Reader(out_of_memory_cluster(), hangs=("Event",))
    snapshot = await enrich(reader, CHECKOUT, clock=Held(), deadline_s=0.3)
    assert "events in shop: no answer within 0.3 s" in snapshot.missing
    assert len(snapshot.pods()) == 3
    with pytest.raises(Temporary):
        await enrich(Reader(out_of_memory_cluster(), hangs=("Deployment",)), CHECKOUT, clock=Held(), deadline_s=0.05)


async def test_a_target_that_does_not_exist_is_said_so() -> None:
    with pytest.raises(NotFound, match="shop/deployment/checkout does not exist in cluster c1"):
        await enrich(Reader(Cluster(name="other")), CHECKOUT, clock=Held(), deadline_s=5.0)


async def test_logs_are_redacted_and_secrets_come_as_names_of_keys_only() -> None:
    cluster = Cluster(replicas=1)
    cluster.node()
    app = container() | {"envFrom": [{"secretRef": {"name": "db"}}]}
    cluster.revision(1, [app], created_s=3600)
    stuck = waiting("CreateContainerConfigError", "x", restarts=1, last=ended("Error", 1))
    cluster.pod("checkout-1-0", stuck, unready_s=3500)
    cluster.objects.append(
        {"kind": "Secret", "metadata": {"name": "db", "namespace": "shop", "annotations": {"last": "hunter2"}},
         "data": {"password": "aHVudGVyMg=="}}
    )  # fmt: skip
    cluster.logs[LogKey("shop", "checkout-1-0", "app", True)] = "connecting with password=hunter2"
    labels = {"pod": "checkout-1-0", "token": "hunter2"}
    snapshot = await enrich(Reader(cluster), CHECKOUT, clock=Held(), deadline_s=5.0, labels=labels)
    secret = snapshot.get("Secret", "db", "shop")
    assert secret is not None
    assert secret["data"] == {"password": ""}
    assert snapshot.log("shop", "checkout-1-0", "app", previous=True) == "connecting with password=[redacted]"
    assert "hunter2" not in repr(snapshot)
    assert "aHVudGVyMg" not in repr(snapshot)


async def test_a_healthy_deployment_costs_few_reads_and_no_logs() -> None:
    cluster = Cluster(replicas=1)
    cluster.node()
    cluster.revision(1, [container()], created_s=3600)
    reader = Reader(cluster)
    await enrich(reader, CHECKOUT, clock=Held(), deadline_s=5.0)
    assert not {"logs", "Secret", "ConfigMap"} & set(reader.asked)


@pytest.mark.parametrize(("reason", "read"), [("CrashLoopBackOff", False), ("ContainerCreating", True)])
async def test_the_cluster_s_certificate_is_read_only_for_pods_that_cannot_start(reason: str, read: bool) -> None:
    cluster = Cluster(replicas=1)
    cluster.node()
    cluster.revision(1, [container()], created_s=3600)
    pod = cluster.pod("checkout-1-0", waiting(reason, "x", restarts=1, last=ended("Error", 1)), unready_s=3500)
    sources = [{"serviceAccountToken": {"path": "token"}}, {"configMap": {"name": "kube-root-ca.crt"}}]
    pod["spec"]["volumes"] = [{"name": "kube-api-access", "projected": {"sources": sources}}]
    reader = Reader(cluster)
    await enrich(reader, CHECKOUT, clock=Held(), deadline_s=5.0)
    assert ("ConfigMap" in reader.asked) is read


async def test_events_of_the_pods_node_are_read_and_those_of_others_left() -> None:
    cluster = out_of_memory_cluster()
    for number, name in enumerate(("n1", "n2")):
        involved = {"kind": "Node", "name": name, "uid": f"u-{name}"}
        event = {
            "kind": "Event",
            "metadata": {"name": f"e{number}", "namespace": "default"},
            "involvedObject": involved,
        }
        cluster.objects.append(event)
    snapshot = await enrich(Reader(cluster), CHECKOUT, clock=Held(), deadline_s=5.0)
    assert [e["metadata"]["name"] for e in snapshot.of_kind("Event", "default")] == ["e0"]


async def test_the_application_that_the_tracking_id_names_is_read() -> None:
    cluster = out_of_memory_cluster()
    annotation = {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/checkout"}
    cluster.workload["metadata"]["annotations"] = annotation
    cluster.objects.append({"kind": "Application", "metadata": {"name": "shop", "namespace": "gitops"}, "spec": {}})
    snapshot = await enrich(Reader(cluster), CHECKOUT, clock=Held(), deadline_s=5.0)
    assert snapshot.get("Application", "shop", "gitops") is not None


async def test_a_node_that_flaps_with_all_the_others_is_not_cordoned_alone() -> None:
    def answer(nodes: int) -> Cluster:
        cluster = Cluster()
        for i in range(nodes):
            node = cluster.node(f"n{i}")
            for told in node["status"]["conditions"]:
                told["lastTransitionTime"] = ago(400)
            for seconds in (3000, 1800, 450):
                cluster.event(node, "NodeNotReady", "it is now NotReady", at_s=seconds, component="node-controller")
        return cluster

    found = []
    for nodes in (1, 4):
        target = ResourceRef("c1", "Node", "n0")
        snapshot = await enrich(Reader(answer(nodes)), target, clock=Held(), deadline_s=5.0)
        best = RulesAnalyst().judge(snapshot)[0][0]
        found.append((best.failure_class, best.confidence > 0.9))
    assert found == [("NodeFlapping", True), ("NodeFlapping", False)]
