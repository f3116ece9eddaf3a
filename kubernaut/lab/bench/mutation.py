"""From a signal to the first write on a genuine API server: one at a time, and a hundred at once.

The workloads are made by the genuine controllers; their pods' status says OOMKilled, written once, because there is no
kubelet to compete for the two cores.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from kubernaut.domain.errors import Temporary
from kubernaut.lab.alerting import Firing
from kubernaut.lab.house import Client, Daemon
from kubernaut.lab.parts import ControlPlane, Parts
from kubernaut.sim.client import ApiClient

NAMESPACE = "bench"
_NODE = "bench-node"
_SINGLES = 15
_AT_ONCE = 100
_WITHIN_S = 60.0


async def bench_mutation(_: float) -> dict[str, float]:
    """Measure with a daemon and a control plane of their own.

    Returns:
        `signal_to_mutation_single_ms_p50`: from before the POST to the daemon's note that the write was answered, one at a
        time; `signal_to_mutation_p50_s` and `…_p99_s`: the same for 100 alerts posted at once, each of a workload of its
        own; `patch_ms_p50`: the baseline, one patch of a Deployment by a client that does nothing else.
        Empty where the control plane was not built.
    """
    parts = Parts.find()
    if parts.why_missing(("control-plane",)):
        return {}
    with tempfile.TemporaryDirectory(prefix="kubernaut-bench-") as name:
        folder = Path(name)
        async with ControlPlane(parts) as plane:
            kubeconfig = plane.kubeconfig(folder / "kubeconfig", context="prod-eu")
            api = ApiClient.from_kubeconfig(kubeconfig)
            daemon = Daemon(folder / "daemon", kubeconfig=kubeconfig, extra={"watch": {"enabled": False}})
            try:
                await _prepare(api, _SINGLES + _AT_ONCE + 1)
                patch_ms = await _patch_ms(api)
                await daemon.start()
                async with daemon.client() as client:
                    singles = [(await _signal_to_mutation(client, daemon, (n,)))[0] for n in range(_SINGLES)]
                    crowd = await _signal_to_mutation(client, daemon, range(_SINGLES, _SINGLES + _AT_ONCE))
            finally:
                await daemon.stop()
                await api.close()
    return {
        "signal_to_mutation_single_ms_p50": round(statistics.median(singles) * 1000, 1),
        "signal_to_mutation_p50_s": round(statistics.median(crowd), 3),
        "signal_to_mutation_p99_s": round(crowd[int(len(crowd) * 0.99)], 3),
        "patch_ms_p50": patch_ms,
        "signal_to_mutation_ratio_to_patch": round(statistics.median(singles) * 1000 / patch_ms, 1),
    }


def _deployment(number: int) -> dict[str, Any]:
    labels = {"app": f"web-{number}"}
    container = {"name": "app", "image": "web:1", "resources": {"limits": {"memory": "64Mi"}}}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": f"web-{number}", "namespace": NAMESPACE},
        "spec": {
            "replicas": 1, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }  # fmt: skip


async def _prepare(api: ApiClient, count: int) -> None:
    """A namespace, a node big enough, the workloads, and their pods' status: killed for memory, five times."""
    await api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE, "labels": {"environment": "production"}}})
    await api.create("/api/v1/nodes", {"metadata": {"name": _NODE}})
    room = {"cpu": "500", "memory": "2Ti", "pods": "1000"}
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "lastHeartbeatTime": _now(),
        "lastTransitionTime": _now(),
    }
    await api.patch(
        f"/api/v1/nodes/{_NODE}/status", {"status": {"capacity": room, "allocatable": room, "conditions": [ready]}}
    )
    path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
    for number in range(count):
        await api.create(path, _deployment(number))
    deadline = time.monotonic() + 60
    while True:
        pods = [
            p for p in (await api.get(f"/api/v1/namespaces/{NAMESPACE}/pods"))["items"] if p["spec"].get("nodeName")
        ]
        if len(pods) >= count or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.3)
    await asyncio.gather(*(_kill(api, pod) for pod in pods))


async def _kill(api: ApiClient, pod: dict[str, Any]) -> None:
    finished = {"reason": "OOMKilled", "exitCode": 137, "startedAt": _now(), "finishedAt": _now()}
    container = {
        "name": "app", "image": "web:1", "imageID": "", "ready": False, "restartCount": 5, "started": False,
        "lastState": {"terminated": finished},
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting failed container"}},
    }  # fmt: skip
    conditions = [
        {"type": kind, "status": "False", "lastTransitionTime": _now()} for kind in ("Ready", "ContainersReady")
    ]
    status = {"phase": "Running", "startTime": _now(), "containerStatuses": [container], "conditions": conditions}
    await api.patch(f"/api/v1/namespaces/{NAMESPACE}/pods/{pod['metadata']['name']}/status", {"status": status})


async def _patch_ms(api: ApiClient) -> float:
    """The baseline: what one patch costs."""
    took = []
    for number in range(20):
        began = time.perf_counter()
        patch = {"metadata": {"annotations": {"kubernaut.io/bench": str(number)}}}
        await api.patch(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/web-{_SINGLES + _AT_ONCE}", patch)
        took.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(took), 2)


async def _signal_to_mutation(client: Client, daemon: Daemon, numbers: Sequence[int]) -> list[float]:
    """Post one alert for each workload at once and wait for all mutations; seconds each, sorted.

    The journal is followed instead of polling lists, so that the measurement does not compete with what it measures.
    """
    seen = (await client.get("/v1/status"))["journal_seq"]
    async with aiohttp.ClientSession() as session:
        posted = dict(zip(numbers, await asyncio.gather(*(_post(session, daemon, n) for n in numbers)), strict=True))
    mutated: dict[str, datetime] = {}
    targets: dict[str, int] = {}
    deadline = time.monotonic() + _WITHIN_S
    while len(mutated) < len(numbers):
        for entry in await client.journal(seen):
            seen = entry["seq"]
            if entry["kind"] == "mutation":
                mutated.setdefault(entry["remediation_id"], datetime.fromisoformat(entry["time"]))
            elif entry["kind"] == "signal" and " on " in entry["message"]:
                targets[entry["remediation_id"]] = int(entry["message"].rpartition("-")[2])
        if time.monotonic() > deadline:
            raise Temporary(f"{len(mutated)} of {len(numbers)} alerts were acted on within {_WITHIN_S} s")
        await asyncio.sleep(0.1)
    return sorted((moment - posted[targets[id_]]).total_seconds() for id_, moment in mutated.items())


async def _post(session: aiohttp.ClientSession, daemon: Daemon, number: int) -> datetime:
    """Post one alert; the moment right before it."""
    labels = {
        "alertname": "KubeDeploymentReplicasMismatch", "severity": "critical", "namespace": NAMESPACE,
        "deployment": f"web-{number}",
    }  # fmt: skip
    began = datetime.now(UTC)
    headers = {"Authorization": f"Bearer {daemon.token}"}
    body = Firing(labels, {}, began).payload()
    async with session.post(f"{daemon.gateway_url}/v1/alertmanager", json=body, headers=headers) as response:
        response.raise_for_status()
    return began


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
