"""HTTP with nothing between: the contract is about what is on the wire."""

import asyncio
import json
import secrets
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import aiohttp

Json = dict[str, Any]
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
PODS = "/api/v1/namespaces/{}/pods"
CONFIG = "/api/v1/namespaces/{}/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/{}/deployments"
SETS = "/apis/apps/v1/namespaces/{}/replicasets"
BUDGETS = "/apis/policy/v1/namespaces/{}/poddisruptionbudgets"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and decoded body of one answer."""

    code: int
    body: Json
    headers: dict[str, str]

    @property
    def reason(self) -> str:
        return str(self.body.get("reason", ""))

    @property
    def causes(self) -> list[Json]:
        return list((self.body.get("details") or {}).get("causes") or [])


@dataclass(slots=True)
class Cluster:
    """One API server, simulated or genuine, with a namespace of the test's own."""

    url: str
    tls: ssl.SSLContext
    token: Callable[[str], str]
    session: aiohttp.ClientSession
    genuine: bool
    namespace: str = ""

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        kind: str = "application/json",
        user: str = "admin",
        accept: str = "application/json",
        agent: str = "contract/1.0",
        headers: Sequence[tuple[str, str]] = (),
        **query: str,
    ) -> Answer:
        sent = [("Accept", accept), ("User-Agent", agent), *headers]
        if user:
            sent.append(("Authorization", f"Bearer {self.token(user)}"))
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            sent.append(("Content-Type", kind))
        path = path.format(self.namespace)
        async with asyncio.timeout(20):
            async with self.session.request(
                method, self.url + path, data=data and BytesIO(data), headers=sent, params=query, ssl=self.tls
            ) as found:
                raw = await found.read()
        try:
            decoded = json.loads(raw) if raw else {}
        except ValueError:
            decoded = {"text": raw.decode()}
        return Answer(found.status, decoded, dict(found.headers))

    async def get(self, path: str, **more: Any) -> Answer:
        return await self.call("GET", path, **more)

    async def post(self, path: str, body: object, **more: Any) -> Answer:
        return await self.call("POST", path, body, **more)

    async def put(self, path: str, body: object, **more: Any) -> Answer:
        return await self.call("PUT", path, body, **more)

    async def patch(self, path: str, body: object, kind: str = MERGE_PATCH, **more: Any) -> Answer:
        return await self.call("PATCH", path, body, kind=kind, **more)

    async def delete(self, path: str, body: object = None, **more: Any) -> Answer:
        return await self.call("DELETE", path, body, **more)

    async def made(self, path: str, body: object, **more: Any) -> Json:
        answer = await self.post(path, body, **more)
        assert answer.code == 201, answer.body
        return answer.body

    async def until(self, path: str, wanted: Callable[[Json], Any], within_s: float = 20.0) -> Json:
        """The object once it is as wanted."""
        body: Json = {}
        try:
            async with asyncio.timeout(within_s):
                while True:
                    answer = await self.get(path)
                    body = answer.body
                    if answer.code == 200 and wanted(body):
                        return body
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{path} did not become as wanted; it is {body}") from None

    async def gone(self, path: str, within_s: float = 20.0) -> None:
        async with asyncio.timeout(within_s):
            while True:
                if (await self.get(path)).code == 404:
                    return
                await asyncio.sleep(0.05)

    async def watch(self, path: str, **query: str) -> AsyncIterator[Json]:
        """Events until the server ends the watch."""
        headers = {"Authorization": f"Bearer {self.token('admin')}", "Accept": "application/json"}
        params = {"watch": "true", "timeoutSeconds": "10", **query}
        url = self.url + path.format(self.namespace)
        async with self.session.get(url, headers=headers, params=params, ssl=self.tls) as found:
            assert found.status == 200, await found.text()
            async for line in found.content:
                yield json.loads(line)


def unique(stem: str) -> str:
    return f"{stem}-{secrets.token_hex(3)}"


def config(name: str, **data: str) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def pod_spec(**more: Any) -> Json:
    return {"containers": [{"name": "web", "image": "registry.example/web:1.0"}], **more}


def pod(name: str, labels: Json | None = None, **spec: Any) -> Json:
    metadata = {"name": name, "labels": labels or {}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod_spec(**spec)}


def deployment(name: str, replicas: int = 2, **spec: Any) -> Json:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod_spec()}
    body = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": body}


def running(ready: bool = True) -> Json:
    """The status a kubelet writes for a pod of pod_spec()."""
    now = "2026-01-01T00:00:00Z"
    value = "True" if ready else "False"
    conditions = [
        {"type": kind, "status": value, "lastTransitionTime": now}
        for kind in ("Initialized", "Ready", "ContainersReady")
    ]
    container = {
        "name": "web",
        "ready": ready,
        "restartCount": 0,
        "image": "registry.example/web:1.0",
        "imageID": "",
        "state": {"running": {"startedAt": now}},
    }
    return {"status": {"phase": "Running", "conditions": conditions, "containerStatuses": [container]}}
