"""The family of a target, owners first: the Application, the workload, its ReplicaSets and pods, each with its state."""

import asyncio
from typing import Any

import pytest
from gateway.house import House

from kubernaut.server.tree import health
from kubernaut.sim.argocd.definition import application, definitions

from .seeds import waiting


async def _shop(home: House) -> None:
    """An Application's Deployment with two replicas."""
    for each in definitions():
        await home.create("customresourcedefinitions", each, "apiextensions.k8s.io/v1")
    for name in ("shop", "argocd"):
        await home.create("namespaces", {"kind": "Namespace", "metadata": {"name": name}})
    made = application("checkout", "https://git.example/fleet.git", "shop", "shop")
    await home.create("applications", made, "argoproj.io/v1alpha1", "argocd")
    labels = {"app": "checkout"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": "checkout:1"}]}}
    tracking = {"argocd.argoproj.io/tracking-id": "checkout:apps/Deployment:shop/checkout"}
    deployment = {
        "kind": "Deployment", "metadata": {"name": "checkout", "namespace": "shop", "annotations": tracking},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": pod},
    }  # fmt: skip
    await home.create("deployments", deployment, "apps/v1", "shop")


async def _tree(home: House, objects: int) -> list[dict[str, Any]]:
    """The tree of the seeded remediation, once it has so many objects."""
    rows: list[dict[str, Any]] = []
    async with asyncio.timeout(60):
        while len(rows) < objects:  # the controllers make them, and tell nobody when
            status, answer = await home.ask("GET", "/v1/remediations/rr-aaaaaa/tree")
            rows = answer.get("objects", []) if status == 200 else []
            await asyncio.sleep(0.05)
    return rows


async def test_application_deployment_replicaset_and_pods_stand_below_each_other(home: House) -> None:
    await _shop(home)
    await waiting(home)
    rows = await _tree(home, 5)
    assert [(row["kind"], row["depth"]) for row in rows] == [
        ("Application", 0), ("Deployment", 1), ("ReplicaSet", 2), ("Pod", 3), ("Pod", 3),
    ]  # fmt: skip
    assert [row["kind"] for row in rows if row["target"]] == ["Deployment"]
    assert rows[1]["state"].startswith(("0/2 ready", "1/2 ready", "2/2 ready"))
    assert {row["name"].rpartition("-")[0] for row in rows[3:]} == {rows[2]["name"]}


async def test_a_target_that_is_gone_is_told(home: House) -> None:
    await waiting(home)
    status, answer = await home.ask("GET", "/v1/remediations/rr-aaaaaa/tree")
    assert (status, answer["error"]["code"]) == (404, "not_found")
    assert "does not exist any more" in answer["error"]["message"]


def _waiting(reason: str) -> dict[str, Any]:
    return {"ready": False, "restartCount": 6, "state": {"waiting": {"reason": reason}}}


def _pod(**status: Any) -> dict[str, Any]:
    return {"kind": "Pod", "metadata": {}, "spec": {"containers": [{}], "nodeName": "n5"}, "status": status}


def _conditions(**states: str) -> list[dict[str, str]]:
    return [{"type": kind, "status": status} for kind, status in states.items()]


@pytest.mark.parametrize(
    ("item", "state", "well"),
    [
        (_pod(containerStatuses=[_waiting("CrashLoopBackOff")]), "CrashLoopBackOff 0/1, 6 restarts, on n5", False),
        (
            _pod(phase="Running", conditions=_conditions(Ready="True"), containerStatuses=[{"ready": True}]),
            "Running 1/1, on n5",
            True,
        ),
        (
            _pod(phase="Running", conditions=_conditions(Ready="False"), containerStatuses=[{"ready": True}]),
            "Running 1/1, on n5",
            False,
        ),
        ({**_pod(phase="Running"), "metadata": {"deletionTimestamp": "now"}}, "Terminating 0/1, on n5", False),
        (
            {"kind": "Deployment", "metadata": {}, "spec": {"replicas": 3}, "status": {"readyReplicas": 2}},
            "2/3 ready",
            False,
        ),
        ({"kind": "Deployment", "metadata": {}, "spec": {"replicas": 0}}, "0/0 ready", True),
        (
            {
                "kind": "Node", "metadata": {}, "spec": {"unschedulable": True},
                "status": {"conditions": _conditions(Ready="True", DiskPressure="True")},
            },
            "Ready, DiskPressure, cordoned",
            False,
        ),
        (
            {
                "kind": "Application", "metadata": {},
                "status": {"sync": {"status": "Synced"}, "health": {"status": "Degraded"}},
            },
            "Synced, Degraded",
            False,
        ),
        ({"kind": "ConfigMap", "metadata": {}}, "", None),
    ],
)  # fmt: skip
def test_each_kind_says_how_it_does(item: dict[str, Any], state: str, well: bool | None) -> None:
    assert health(item) == (state, well)
