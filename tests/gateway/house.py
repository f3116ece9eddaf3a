"""A whole daemon in the test's own process, on a simulated cluster: real store, real server, loopback and Unix socket."""

import asyncio
import contextlib
import grp
import io
import json
import os
import pwd
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from kubernaut.adapters.store import SqliteStore
from kubernaut.clock import SystemClock
from kubernaut.daemon import OpenStore, Running, running
from kubernaut.domain.remediation import Remediation
from kubernaut.ports import Clock, Query
from kubernaut.settings import Settings
from kubernaut.sim.cluster import SimulatedCluster

TOKEN = "0123456789abcdef0123456789abcdef"
CLUSTER = "prod-eu"


def me() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def my_group() -> str:
    return grp.getgrgid(os.getgid()).gr_name


def alert(number: int = 0, **changes: Any) -> dict[str, Any]:
    """One firing alert about one pod, as Alertmanager posts it."""
    labels = {
        "alertname": "KubePodCrashLooping", "severity": "warning", "namespace": "shop", "pod": f"web-{number}",
        "container": "app", "job": "kube-state-metrics",
    }  # fmt: skip
    labels |= changes.pop("labels", {})
    return {
        "status": "firing",
        "labels": {key: value for key, value in labels.items() if value is not None},
        "annotations": {"summary": "Pod is crash looping."},
        "startsAt": "2026-01-02T03:04:05.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph",
        "fingerprint": f"{number:016x}",
    } | changes


def payload(*alerts: Any, **changes: Any) -> dict[str, Any]:
    """One POST of Alertmanager."""
    return {
        "version": "4", "groupKey": '{}:{namespace="shop"}', "truncatedAlerts": 0, "status": "firing",
        "receiver": "kubernaut", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093", "alerts": list(alerts),
    } | changes  # fmt: skip


@dataclass
class House:
    """A running daemon and hands to knock at its doors."""

    settings: Settings
    running: Running
    sim: SimulatedCluster
    web: aiohttp.ClientSession
    api: aiohttp.ClientSession

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.running.gateway_port}"

    async def post(
        self, body: Any, *, token: str | None = TOKEN, path: str = "/v1/alertmanager", **kwargs: Any
    ) -> tuple[int, dict[str, Any]]:
        """POST to the gateway; bytes and iterators go as they are, everything else as JSON."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if not isinstance(body, bytes) and not hasattr(body, "__aiter__"):
            body = json.dumps(body).encode()
        data = io.BytesIO(body) if isinstance(body, bytes) and len(body) > 500_000 else body
        async with self.web.post(self.url + path, data=data, headers=headers, **kwargs) as response:
            return response.status, await response.json()

    async def text(self, path: str) -> tuple[int, str]:
        """GET of the gateway."""
        async with self.web.get(self.url + path) as response:
            return response.status, await response.text()

    async def ask(self, method: str, path: str, body: Any = None, **params: str) -> tuple[int, dict[str, Any]]:
        """A call of the API as the user who runs the tests."""
        async with self.api.request(method, f"http://kubernaut{path}", json=body, params=params) as response:
            return response.status, await response.json()

    async def all(self) -> list[Remediation]:
        """All remediations."""
        return list((await self.running.store.list(Query(limit=500))).items)

    async def create(
        self, plural: str, item: Mapping[str, Any], api_version: str = "v1", namespace: str = ""
    ) -> dict[str, Any]:
        """Create an object in the simulated cluster, with its status where it has one."""
        root = f"{self.sim.url}/{'apis' if '/' in api_version else 'api'}/{api_version}"
        path = f"{root}/namespaces/{namespace}/{plural}" if namespace else f"{root}/{plural}"
        headers = {"Authorization": f"Bearer {self.sim.token('admin')}"}
        body = {"apiVersion": api_version, **item}
        async with self.web.post(path, json=body, headers=headers, ssl=False) as response:
            made: dict[str, Any] = await response.json()
            assert response.status == 201, made
        if "status" in item:
            body["metadata"] = made["metadata"]
            async with self.web.put(
                f"{path}/{made['metadata']['name']}/status", json=body, headers=headers, ssl=False
            ) as response:
                assert response.status == 200, await response.text()
        return made

    async def until_cached(self, kind: str, name: str, namespace: str = "") -> None:
        """Wait until the daemon's watch has seen an object."""
        cluster = self.running.clusters[CLUSTER]
        async with asyncio.timeout(10):
            while cluster.cached(kind, namespace, name) is None:  # noqa: ASYNC110 - another's cache tells nobody
                await asyncio.sleep(0.02)

    async def only(self) -> Remediation:
        """The one remediation."""
        [item] = await self.all()
        return item


def settings_for(folder: Path, kubeconfig: Path | None, **sections: Any) -> Settings:
    """The settings of a test's daemon: any free port, nothing raised by watching, the tester is everything."""
    tokens = folder / "tokens.txt"
    tokens.write_text(f"{TOKEN}  # the tests\n", "utf-8")
    tokens.chmod(0o600)
    mine = {"users": [me()]}
    values: dict[str, Any] = {
        "state_dir": folder / "state",
        "gateway": {"listen": "127.0.0.1:0", "tokens_file": tokens},
        "clusters": [{"name": CLUSTER, "kubeconfig": kubeconfig}] if kubeconfig else [],
        "watch": {"enabled": False},
        "roles": {"approver": mine, "senior": mine, "admin": mine},
        "times": {"patience_s": 0.0},
    }
    for name, section in sections.items():
        values[name] = values[name] | section if isinstance(values.get(name), dict) else section
    return Settings(**values)


@asynccontextmanager
async def house(
    folder: Path, clock: Clock | None = None, open_store: OpenStore = SqliteStore.open, **sections: Any
) -> AsyncIterator[House]:
    """A daemon on a simulated cluster for the duration of the block."""
    async with contextlib.AsyncExitStack() as stack:
        sim = SimulatedCluster()
        stack.push_async_callback(sim.stop)
        await sim.start("127.0.0.1")
        settings = settings_for(folder, sim.write_kubeconfig(folder / "kubeconfig", context=CLUSTER), **sections)
        live = await stack.enter_async_context(running(settings, clock or SystemClock(), open_store))
        connector = aiohttp.TCPConnector(limit=0, force_close=False)
        web = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        unix = aiohttp.UnixConnector(str(live.socket), limit=0)
        api = await stack.enter_async_context(aiohttp.ClientSession(connector=unix))
        yield House(settings, live, sim, web, api)


def now() -> datetime:
    return datetime.now(UTC)
