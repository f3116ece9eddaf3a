"""How many watch events a second the reflector takes off the wire, and what typed models would make of the same stream.

A server in a process of its own sends one and the same realistic stream over loopback: pods of the size that a
controller-made pod has, most events modifications, as from a cluster in motion. The reflector, its session and its
cache are the daemon's own; the StateWatcher can be put behind them as in the daemon.
"""

import asyncio
import contextlib
import json
import multiprocessing
import socket
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import yaml

from kubernaut.adapters.kubernetes import KubernetesCluster, StateWatcher
from kubernaut.domain.errors import Permanent

_PODS = 2000
_TYPED_SAMPLE = 400
_CHUNK_BYTES = 256 * 1024


class _WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


async def bench_watch(seconds: float) -> dict[str, float]:
    """Measures for about `seconds` in all.

    Returns:
        watch_events_per_s: taken off the wire, decoded as far as the cache needs and stored.
        watch_events_per_cpu_s: the same for each second of processor time, which other programs on the machine don't change.
        watch_events_per_s_with_signals: the same with every pod decoded whole and looked at by the StateWatcher.
        watch_events_per_s_typed_models: the same lines made into kubernetes-asyncio's models, without any network.
        watch_event_bytes: size of one line of the stream.
    """
    plain, plain_cpu = await _through_the_reflector(seconds * 0.45, watcher=False)
    watched, _ = await _through_the_reflector(seconds * 0.35, watcher=True)
    typed = await asyncio.to_thread(_typed_models, seconds * 0.2)
    return {
        "watch_events_per_s": round(plain),
        "watch_events_per_cpu_s": round(plain_cpu),
        "watch_events_per_s_with_signals": round(watched),
        "watch_events_per_s_typed_models": round(typed),
        "watch_event_bytes": len(_event(0, 1)),
    }


async def _through_the_reflector(seconds: float, *, watcher: bool) -> tuple[float, float]:
    """Events per second of the wall clock, and per second of this process's processor time."""
    async with _cluster(watcher=watcher) as cluster:
        async with asyncio.timeout(30):
            while cluster.received == 0:  # noqa: ASYNC110 — nobody tells of the first event
                await asyncio.sleep(0.01)
        first, started, cpu_started = cluster.received, time.perf_counter(), time.process_time()
        await asyncio.sleep(seconds)
        count = cluster.received - first
        return count / (time.perf_counter() - started), count / (time.process_time() - cpu_started)


class _Measured(KubernetesCluster):
    """A cluster that follows pods only; the version of the newest one is the number of events so far."""

    @property
    def received(self) -> int:
        newest = self._reflectors["Pod"].version
        return int(newest) if newest else 0


@contextlib.asynccontextmanager
async def _cluster(*, watcher: bool) -> AsyncIterator[_Measured]:
    signals = StateWatcher("bench", lambda _signal: None, _WallClock())
    on_change = signals.feed if watcher else None
    with _server() as port, tempfile.TemporaryDirectory() as folder:
        config = _kubeconfig(Path(folder) / "config", port)
        cluster = await _Measured.connect("bench", config, None, _WallClock(), on_change, watched=("Pod",))
        try:
            await cluster.start()
            yield cluster
        finally:
            await cluster.close()


def _kubeconfig(path: Path, port: int) -> Path:
    config = {
        "current-context": "bench",
        "contexts": [{"name": "bench", "context": {"cluster": "bench"}}],
        "clusters": [{"name": "bench", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [],
    }
    path.write_text(yaml.safe_dump(config))
    return path


@contextlib.contextmanager
def _server() -> Any:
    """A process that sends the stream to whoever watches; ended with the measurement."""
    listener = socket.create_server(("127.0.0.1", 0))
    process: BaseProcess = multiprocessing.get_context("spawn").Process(target=_serve, args=(listener,), daemon=True)
    process.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()
        process.terminate()
        process.join(5)
        if process.is_alive():
            process.kill()
            raise Permanent("the stream's process did not end")


def _serve(listener: socket.socket) -> None:
    """Plain threads and sockets, so that the sender costs little of the core that is measured."""
    import threading

    # One round of events with room for the version, which is patched in: rendering JSON would be the bottleneck.
    lines = [_event(number, 0) for number in range(_PODS)]
    marks = [line.index(_MARK) for line in lines]
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_answer, args=(connection, lines, marks), daemon=True).start()


def _answer(connection: socket.socket, lines: list[bytes], marks: list[int]) -> None:
    with connection, contextlib.suppress(OSError):
        while request := connection.recv(65536):
            if b"watch=true" in request:
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                )
                _stream(connection, lines, marks)
            elif b" /version" in request:
                _reply(connection, {"gitVersion": "v1.36.3"})
            else:
                _reply(connection, {"metadata": {"resourceVersion": "0"}, "items": []})


def _reply(connection: socket.socket, body: dict[str, Any]) -> None:
    text = json.dumps(body).encode()
    connection.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(text) + text
    )


def _stream(connection: socket.socket, lines: list[bytes], marks: list[int]) -> None:
    version, chunk = 0, bytearray()
    while True:
        for line, mark in zip(lines, marks, strict=True):
            version += 1
            chunk += line[:mark]
            chunk += b"%012d" % version
            chunk += line[mark + len(_MARK) :]
            if len(chunk) >= _CHUNK_BYTES:
                connection.sendall(b"%x\r\n" % len(chunk) + chunk + b"\r\n")
                chunk.clear()


_MARK = b"@version@@@@"


def _event(number: int, version: int) -> bytes:
    """One line of a watch as a Go API server writes it."""
    text = json.dumps(_pod(number), separators=(",", ":")).encode()
    if version:
        text = text.replace(_MARK, b"%012d" % version)
    return b'{"type":"MODIFIED","object":' + text + b"}\n"


def _pod(number: int) -> dict[str, Any]:
    """A pod as a Deployment's controller, the scheduler and a kubelet leave it."""
    name, moment = f"checkout-7d9f8b6c5d-{number:05d}", "2026-03-01T12:00:00Z"
    labels = {"app": "checkout", "pod-template-hash": "7d9f8b6c5d"}
    probe = {
        "httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"},
        "periodSeconds": 10,
        "failureThreshold": 3,
    }
    container = {
        "name": "app",
        "image": "registry.example/shop/checkout:2.4.1",
        "env": [{"name": f"SETTING_{i}", "value": "a moderately long value"} for i in range(4)],
        "resources": {"limits": {"memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "256Mi"}},
        "readinessProbe": probe,
        "volumeMounts": [
            {"name": "token", "readOnly": True, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
        ],
    }
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": "checkout-7d9f8b6c5d",
        "uid": f"rs-{number % 50:033d}",
    }
    fields = {
        "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
        "f:spec": {"f:containers": {'k:{"name":"app"}': {"f:image": {}}}},
    }
    managed = {"operation": "Update", "apiVersion": "v1", "time": moment, "fieldsType": "FieldsV1", "fieldsV1": fields}
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {
            "name": name,
            "generateName": "checkout-7d9f8b6c5d-",
            "namespace": f"shop-{number % 20}",
            "uid": f"pod-{number:032d}",
            "resourceVersion": _MARK.decode(),
            "creationTimestamp": moment,
            "labels": labels,
            "ownerReferences": [owner | {"controller": True, "blockOwnerDeletion": True}],
            "managedFields": [managed | {"manager": "kube-controller-manager"}, managed | {"manager": "kubelet"}],
        },
        "spec": {
            "nodeName": f"n{number % 40}",
            "containers": [container],
            "restartPolicy": "Always",
            "serviceAccountName": "default",
            "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "tolerationSeconds": 300}],
        },
        "status": {
            "phase": "Running",
            "conditions": [
                {"type": kind, "status": "True", "lastProbeTime": None, "lastTransitionTime": moment}
                for kind in ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
            ],
            "podIP": "10.1.2.3",
            "containerStatuses": [
                {
                    "name": "app",
                    "ready": True,
                    "started": True,
                    "restartCount": 0,
                    "image": "registry.example/shop/checkout:2.4.1",
                    "imageID": "sha256:" + "0" * 64,
                    "state": {"running": {"startedAt": moment}},
                    "lastState": {},
                }
            ],
            "startTime": moment,
        },
    }


def _typed_models(seconds: float) -> float:
    """Deserialises lines of the same stream into V1Pod for at most `seconds`, as kubernetes-asyncio's Watch does."""
    from kubernetes_asyncio.client import ApiClient, Configuration

    client = ApiClient.__new__(ApiClient)  # its constructor opens a connection pool, which needs the event loop
    client.configuration = Configuration()
    deserialize = getattr(client, "_ApiClient__deserialize")  # noqa: B009 — private to the library, and typed as absent
    lines = [_event(number, number + 1) for number in range(_TYPED_SAMPLE)]
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        event = json.loads(lines[count % len(lines)])
        deserialize(event["object"], "V1Pod")
        count += 1
    return count / (time.perf_counter() - started)
