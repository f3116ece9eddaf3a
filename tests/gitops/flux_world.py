"""Flux as far as others see it: its kinds as plain definitions, and a test that writes what its controllers would."""

import asyncio
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

Json = dict[str, Any]
_ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
KUSTOMIZATION = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/{}/kustomizations/apps"
REPOSITORY = "/apis/source.toolkit.fluxcd.io/v1/namespaces/{}/gitrepositories/fleet"
REQUESTED = "reconcile.fluxcd.io/requestedAt"


def _definition(group: str, kind: str, plural: str) -> Json:
    version = {
        "name": "v1", "served": True, "storage": True, "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": {**_ANYTHING, "properties": {"spec": _ANYTHING, "status": _ANYTHING}}},
    }  # fmt: skip
    names = {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }  # fmt: skip


DEFINITIONS = (
    _definition("kustomize.toolkit.fluxcd.io", "Kustomization", "kustomizations"),
    _definition("source.toolkit.fluxcd.io", "GitRepository", "gitrepositories"),
)


@dataclass(slots=True)
class Flux:
    """An API server with Flux's kinds, seen by an administrator; `namespace` holds everything."""

    url: str
    tls: ssl.SSLContext
    token: Callable[[str], str]
    session: aiohttp.ClientSession
    namespace: str

    async def call(self, method: str, path: str, body: object = None) -> tuple[int, Json]:
        headers = {"Authorization": f"Bearer {self.token('admin')}"}
        headers["Content-Type"] = "application/merge-patch+json" if method == "PATCH" else "application/json"
        data = None if body is None else json.dumps(body).encode()
        async with asyncio.timeout(20):
            url = self.url + path.format(self.namespace)
            async with self.session.request(method, url, data=data, headers=headers, ssl=self.tls) as answer:
                raw = await answer.read()
        return answer.status, json.loads(raw) if raw else {}

    async def done(self, method: str, path: str, body: object = None) -> Json:
        """As `call`, tried again while a definition is not served yet."""
        for _ in range(300):
            status, answer = await self.call(method, path, body)
            if status < 300 or (status == 409 and method == "POST"):
                return answer
            if status not in (404, 503):
                break
            await asyncio.sleep(0.1)
        raise AssertionError((method, path, status, answer))

    async def define(self, rules: list[Json], role: str, user: str) -> None:
        """The kinds, and a role for a user."""
        for definition in DEFINITIONS:
            await self.done("POST", _DEFINITIONS, definition)
        await self.done("POST", f"{_RBAC}/clusterroles", {"metadata": {"name": role}, "rules": rules})
        subject = {"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}
        reference = {"kind": "ClusterRole", "name": role, "apiGroup": "rbac.authorization.k8s.io"}
        body = {"metadata": {"name": role}, "roleRef": reference, "subjects": [subject]}
        await self.done("POST", f"{_RBAC}/clusterrolebindings", body)

    async def undefine(self, role: str) -> None:
        for path in (f"{_RBAC}/clusterrolebindings/{role}", f"{_RBAC}/clusterroles/{role}"):
            await self.call("DELETE", path)
        await self.call("DELETE", "/api/v1/namespaces/{}")

    async def follow(self, repo_url: str, path: str) -> None:
        """A GitRepository and a Kustomization that applies a folder of it."""
        await self.done("POST", REPOSITORY.rpartition("/")[0], {
            "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository", "metadata": {"name": "fleet"},
            "spec": {"url": repo_url, "interval": "10m", "ref": {"branch": "main"}},
        })  # fmt: skip
        await self.done("POST", KUSTOMIZATION.rpartition("/")[0], {
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": {"name": "apps"},
            "spec": {"path": f"./{path}", "interval": "10m", "prune": True,
                     "sourceRef": {"kind": "GitRepository", "name": "fleet"}},
        })  # fmt: skip

    async def requests(self) -> dict[str, str]:
        """What the objects' annotations ask for."""
        found = {}
        for path in (REPOSITORY, KUSTOMIZATION):
            meta = (await self.done("GET", path))["metadata"]
            if asked := (meta.get("annotations") or {}).get(REQUESTED):
                found[path.split("/")[6]] = asked
        return found

    async def status(self, revision: str, *, ready: str = "True", message: str = "", handled: str = "") -> None:
        """What the kustomize-controller writes after an attempt."""
        condition = {
            "type": "Ready", "status": ready, "reason": "ReconciliationSucceeded" if ready == "True" else "BuildFailed",
            "message": message or f"Applied revision: {revision}", "lastTransitionTime": "2026-11-20T10:00:00Z",
        }  # fmt: skip
        body = {"status": {"conditions": [condition], "lastAttemptedRevision": revision}}
        if ready == "True":
            body["status"]["lastAppliedRevision"] = revision
        if handled:
            body["status"]["lastHandledReconcileAt"] = handled
        await self.done("PATCH", f"{KUSTOMIZATION}/status", body)
