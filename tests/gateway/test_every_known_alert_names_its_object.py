"""Each alert of kube-prometheus names the object that it is about, or none; never the exporter that told of it."""

import asyncio
import csv
from importlib import resources

import pytest

from kubernaut.domain.resources import KINDS
from kubernaut.domain.signals import FailureFamily
from kubernaut.server.gateway.targets import family_of, rules, target_of

from .house import CLUSTER, House, alert, payload

ROWS = list(
    csv.DictReader(
        resources.files("kubernaut.server.gateway").joinpath("alert_targets.tsv").read_text("utf-8").splitlines(),
        delimiter="\t",
    )
)
SCRAPED = {
    "namespace": "monitoring", "pod": "kube-state-metrics-0", "service": "kube-state-metrics", "instance": "10.0.0.9:8080",
    "job": "kube-state-metrics", "container": "kube-rbac-proxy-main", "endpoint": "https-main",
}  # fmt: skip
"""Labels of the scrape: without honor_labels they shadow those of the object."""
OF_KIND = {
    "Deployment": {"deployment": "checkout"}, "StatefulSet": {"statefulset": "checkout"}, "DaemonSet": {"daemonset": "checkout"},
    "Job": {"job_name": "checkout"}, "HorizontalPodAutoscaler": {"horizontalpodautoscaler": "checkout"},
    "PodDisruptionBudget": {"poddisruptionbudget": "checkout"}, "PersistentVolumeClaim": {"persistentvolumeclaim": "checkout"},
    "PersistentVolume": {"persistentvolume": "checkout"}, "ResourceQuota": {"resourcequota": "checkout"},
    "Service": {"exported_service": "checkout"}, "Pod": {"exported_pod": "checkout", "exported_container": "app"},
    "Node": {"node": "checkout"},
}  # fmt: skip


def _kind(row: dict[str, str]) -> str:
    return row["target_kind"].removesuffix("->owner")


def test_the_table_is_whole() -> None:
    assert len(ROWS) > 100
    assert {row["alert"] for row in ROWS} == set(rules())


@pytest.mark.parametrize("name", sorted({row["alert"] for row in ROWS}))
def test_an_alert_of_the_table(name: str) -> None:
    kinds = {_kind(row) for row in ROWS if row["alert"] == name}
    assert len(kinds) == 1, "one name, one kind"
    [kind] = kinds
    labels = SCRAPED | {"exported_namespace": "shop"} | OF_KIND.get(kind, {})
    target = target_of(name, labels, CLUSTER)
    if kind not in OF_KIND:
        assert target is None
        return
    assert target is not None
    assert (target.kind, target.name, target.kind in KINDS) == (kind, "checkout", True)
    assert target.namespace == ("shop" if KINDS[kind].namespaced else "")
    assert target_of(name, {"alertname": name}, CLUSTER) is None, "without labels it names nothing"


@pytest.mark.parametrize("kind", ["IGNORE", "MonitoringStack"])
def test_what_watches_itself_is_left_alone(kind: str) -> None:
    names = [row["alert"] for row in ROWS if row["target_kind"] == kind]
    assert names
    for name in names:
        assert target_of(name, SCRAPED | {"deployment": "prometheus"}, CLUSTER) is None


def test_the_scrape_job_is_not_the_job() -> None:
    labels = {"namespace": "shop", "job": "kube-state-metrics", "job_name": "nightly"}
    target = target_of("KubeJobFailed", labels, CLUSTER)
    assert target is not None
    assert (target.kind, target.name) == ("Job", "nightly")
    assert target_of("KubeJobFailed", {"namespace": "shop", "job": "kube-state-metrics"}, CLUSTER) is None


def test_other_peoples_alerts_name_the_most_specific_object() -> None:
    labels = {"alertname": "CheckoutSlow", "namespace": "shop", "pod": "web-1", "deployment": "web", "service": "web"}
    target = target_of("CheckoutSlow", labels, CLUSTER)
    assert target is not None
    assert (target.kind, target.name) == ("Deployment", "web")
    assert target_of("CheckoutSlow", {"team": "shop"}, CLUSTER) is None


@pytest.mark.parametrize(
    ("instance", "name"),
    [("n5", "n5"), ("n5:9100", "n5"), ("n5.example.org:9100", "n5.example.org"), ("10.0.0.5:9100", "10.0.0.5"),
     ("10.0.0.5", "10.0.0.5"), ("[fd00::5]:9100", "fd00::5"), ("fd00::5", "fd00::5")],
)  # fmt: skip
def test_a_node_is_found_in_the_instance(instance: str, name: str) -> None:
    target = target_of("NodeFilesystemSpaceFillingUp", {"instance": instance}, CLUSTER)
    assert target is not None
    assert (target.kind, target.name, target.namespace) == ("Node", name, "")


def test_alerts_and_object_state_speak_of_one_family() -> None:
    assert family_of("KubePodCrashLooping", {}) == FailureFamily.CRASH_LOOP
    assert family_of("KubeContainerWaiting", {"reason": "ImagePullBackOff"}) == FailureFamily.IMAGE_PULL
    assert family_of("KubeContainerWaiting", {"reason": "Odd"}) == "KubeContainerWaiting"
    assert family_of("CheckoutSlow", {}) == "CheckoutSlow"


@pytest.mark.parametrize("address", ["10.7.0.5", "fd00::5"])
async def test_an_address_becomes_its_nodes_name(home: House, address: str) -> None:
    for name, own in (("n4", "10.7.0.4"), ("n5", address)):
        await home.create("nodes", {"kind": "Node", "metadata": {"name": name}, "status": {"addresses": [
            {"type": "InternalIP", "address": own}, {"type": "Hostname", "address": name}]}})  # fmt: skip
    instance = f"[{address}]:9100" if ":" in address else f"{address}:9100"
    labels = {
        "alertname": "NodeFilesystemSpaceFillingUp",
        "instance": instance,
        "namespace": "monitoring",
        "pod": "node-exporter-x",
    }
    await home.until_cached("Node", "n5")
    await home.post(payload(alert(1, labels=labels)))
    assert str((await home.only()).target) == "node/n5"


async def test_an_address_that_no_node_has_stays(home: House) -> None:
    labels = {"alertname": "NodeFilesystemSpaceFillingUp", "instance": "10.9.9.9:9100"}
    await home.post(payload(alert(1, labels=labels)))
    assert (await home.only()).target.name == "10.9.9.9"


async def test_a_pod_is_attributed_to_its_deployment(home: House) -> None:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    item = {"kind": "Deployment", "metadata": {"name": "web", "namespace": "default"}, "spec": spec}
    await home.create("deployments", item, "apps/v1", "default")
    cluster = home.running.clusters[CLUSTER]
    async with asyncio.timeout(10):
        while not (pods := await cluster.list("Pod", "default")):  # noqa: ASYNC110 - another's state tells nobody
            await asyncio.sleep(0.05)
    await home.post(payload(alert(1, labels={"namespace": "default", "pod": pods[0]["metadata"]["name"]})))
    assert str((await home.only()).target) == "default/deployment/web"
