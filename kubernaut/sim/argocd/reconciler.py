"""One Application's rounds: refresh, compare, sync, heal, tell."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from kubernaut.domain.errors import Conflict, KubernautError, NotFound, Temporary
from kubernaut.sim.argocd.comparison import TRACKING, Compared, compare, status
from kubernaut.sim.argocd.repository import Repositories
from kubernaut.sim.argocd.resources import Discovery, ObjectRef, in_order
from kubernaut.sim.client import ApiClient, Json
from kubernaut.sim.kubelet.pace import Pace

POLL_S = 180.0
RETRY_S = 20.0
HEAL_AFTER_S = (0.0, 5.0, 18.0, 54.0, 125.0, 300.0)  # measured on 3.2: the same edit is undone later each time
HEAL_FORGOTTEN_S = 330.0
REFRESH = "argocd.argoproj.io/refresh"
SKIP = "argocd.argoproj.io/skip-reconcile"

Live = Callable[[str], Awaitable[dict[tuple[str, str], Json]]]


@dataclass(frozen=True, slots=True)
class Cluster:
    """What all reconcilers share."""

    api: ApiClient
    discovery: Discovery
    repositories: Repositories
    pace: Pace
    live: Live


@dataclass(slots=True)
class Reconciler:
    """The memory of one Application between rounds: the commit it knows, and how often it healed at it."""

    cluster: Cluster
    commit: str = ""
    source: Json = field(default_factory=dict)
    refresh_at: float = float("-inf")
    failure: Json | None = None
    heals: int = 0
    healed_at: float = float("-inf")
    drifted_at: float | None = None
    tried: str = ""

    async def round(self, app: Json) -> float:
        """Does what is due; returns the wall seconds until it must be asked again.

        Raises:
            Temporary: the API server or the repository didn't answer; nothing is lost.
        """
        metadata, spec = app["metadata"], app["spec"]
        annotations = metadata.get("annotations") or {}
        if annotations.get(SKIP) == "true":
            return POLL_S
        now = self.cluster.pace.now()
        if REFRESH in annotations or now >= self.refresh_at or self.source != spec["source"]:
            self.failure = await self._refresh(app)
        if self.failure is not None:
            await self._tell(app, self.failure)
            return max(self.cluster.pace.wait_s(self.refresh_at), 0.01)
        kind, compared = await self._compare(app)
        told = status(app, compared, self.commit, kind)
        wait_s = self.cluster.pace.wait_s(self.refresh_at)
        due = self._due(app, compared)
        if due is not None and due <= now:
            told |= await self._sync(app, compared)
            _, compared = await self._compare(app)
            told |= status(app, compared, self.commit, kind)
        elif due is not None:
            wait_s = min(wait_s, self.cluster.pace.wait_s(due))
        await self._tell(app, told)
        return max(wait_s, 0.01)

    async def _refresh(self, app: Json) -> Json | None:
        source = self.source = app["spec"]["source"]
        now = self.cluster.pace.now()
        try:
            commit = await self.cluster.repositories.resolve(source["repoURL"], source.get("targetRevision", "HEAD"))
            await self.cluster.repositories.manifests(source["repoURL"], commit, source.get("path", "."))
        except KubernautError as e:
            self.refresh_at = now + RETRY_S
            return {
                "sync": {
                    "status": "Unknown",
                    "comparedTo": {"source": source, "destination": app["spec"]["destination"]},
                },
                "conditions": [{"type": "ComparisonError", "message": f"Failed to load target state: {e}"}],
            }
        if commit != self.commit:
            self.heals, self.drifted_at = 0, None
        self.commit, self.refresh_at = commit, now + POLL_S
        return None

    async def _compare(self, app: Json) -> tuple[str, list[Compared]]:
        source, name = app["spec"]["source"], app["metadata"]["name"]
        namespace = app["spec"]["destination"].get("namespace", "default")
        kind, manifests = await self.cluster.repositories.manifests(
            source["repoURL"], self.commit, source.get("path", ".")
        )
        compared = []
        for manifest in sorted(manifests, key=in_order):
            ref = await self.cluster.discovery.place(manifest, namespace)
            live = (await self.cluster.live(ref.collection)).get((ref.namespace, ref.name))
            compared.append(compare(name, namespace, ref, manifest, live))
        return kind, compared + await self._orphans(app, compared)

    async def _orphans(self, app: Json, compared: Sequence[Compared]) -> list[Compared]:
        """What was applied once, still says that it is ours, and is in Git no more."""
        found = []
        wanted = {item.ref for item in compared}
        for told in (app.get("status") or {}).get("resources") or []:
            group = f"{told['group']}/" if told.get("group") else ""
            manifest = {
                "apiVersion": f"{group}{told['version']}",
                "kind": told["kind"],
                "metadata": {"name": told["name"], "namespace": told.get("namespace", "")},
            }
            ref = await self.cluster.discovery.place(manifest, told.get("namespace", ""))
            live = (await self.cluster.live(ref.collection)).get((ref.namespace, ref.name))
            if ref in wanted or live is None:
                continue
            owner = (live["metadata"].get("annotations") or {}).get(TRACKING, "").partition(":")[0]
            if owner == app["metadata"]["name"]:
                found.append(Compared(ref, None, live, None))
        return found

    def _due(self, app: Json, compared: Sequence[Compared]) -> float | None:
        """When to sync, in cluster seconds; None for not at all."""
        if "operation" in app:
            return 0.0
        policy = app["spec"].get("syncPolicy") or {}
        automated = policy.get("automated")
        if automated is None or automated.get("enabled") is False:
            return None
        drift = [item for item in compared if not item.synced and (item.wanted is not None or automated.get("prune"))]
        if not drift:
            self.drifted_at = None
            return None
        applied = (((app.get("status") or {}).get("operationState") or {}).get("syncResult") or {}).get("revision")
        if self.commit not in (applied, self.tried):
            return 0.0
        if not automated.get("selfHeal"):
            return None
        now = self.cluster.pace.now()
        if now - self.healed_at > HEAL_FORGOTTEN_S:
            self.heals = 0
        self.drifted_at = now if self.drifted_at is None else self.drifted_at
        return self.drifted_at + HEAL_AFTER_S[min(self.heals, len(HEAL_AFTER_S) - 1)]

    async def _sync(self, app: Json, compared: Sequence[Compared]) -> Json:
        pace = self.cluster.pace
        started, prune = pace.stamp(pace.now()), self._prunes(app)
        failure = ""
        try:
            for item in compared:
                if item.wanted is not None and not item.current:
                    await self._write(item)
                elif item.wanted is None and prune:
                    await self.cluster.api.delete(item.ref.path)
                    (await self.cluster.live(item.ref.collection)).pop((item.ref.namespace, item.ref.name), None)
        except Temporary:
            raise
        except KubernautError as e:
            failure = f"one or more objects failed to apply, reason: {e}"
        if self.commit == self.tried:
            self.heals, self.healed_at = self.heals + 1, pace.now()
        self.tried, self.drifted_at = self.commit, None
        return self._outcome(app, started, failure)

    def _outcome(self, app: Json, started: str, failure: str) -> Json:
        finished = self.cluster.pace.stamp(self.cluster.pace.now())
        operation = {
            "operation": {"sync": {"revision": self.commit}, "initiatedBy": {"automated": "operation" not in app}},
            "phase": "Failed" if failure else "Succeeded",
            "message": failure or "successfully synced (all tasks run)",
            "startedAt": started,
            "finishedAt": finished,
            "syncResult": {"revision": self.commit, "source": self.source},
        }
        history = list((app.get("status") or {}).get("history") or [])
        if not failure and (not history or history[-1]["revision"] != self.commit):
            number = history[-1]["id"] + 1 if history else 0
            history.append(
                {"id": number, "revision": self.commit, "deployedAt": finished, "deployStartedAt": started,
                 "source": self.source}
            )  # fmt: skip
        return {"operationState": operation, "history": history[-10:]}

    def _prunes(self, app: Json) -> bool:
        asked = (app.get("operation") or {}).get("sync") or {}
        automated = (app["spec"].get("syncPolicy") or {}).get("automated") or {}
        return bool(asked.get("prune") or automated.get("prune"))

    async def _write(self, item: Compared) -> None:
        ref, target = item.ref, item.target or {}
        live = await self.cluster.live(ref.collection)
        try:
            if item.live is not None:
                written = await self.cluster.api.replace(ref.path, target)
            else:
                written = await self._create(ref, target)
        except Conflict as e:
            raise Temporary(f"{ref.path} changed meanwhile") from e
        live[ref.namespace, ref.name] = written

    async def _create(self, ref: ObjectRef, target: Json) -> Json:
        try:
            return await self.cluster.api.create(ref.parent, target)
        except NotFound:
            await self._make_namespace(ref)
            return await self.cluster.api.create(ref.parent, target)

    async def _make_namespace(self, ref: ObjectRef) -> None:
        if not ref.namespace:
            raise NotFound(f"{ref.path}: there is no such resource")
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ref.namespace}}
        await self.cluster.api.create("/api/v1/namespaces", body)

    async def _tell(self, app: Json, told: Json) -> None:
        """Writes what changed, and takes away the request for a refresh and the operation that were served."""
        known = app.get("status") or {}
        changed = {key: value for key, value in told.items() if known.get(key) != value}
        annotations = app["metadata"].get("annotations") or {}
        patch: Json = {}
        if REFRESH in annotations:
            patch["metadata"] = {"annotations": {REFRESH: None}}
        if "operation" in app:
            patch["operation"] = None
        if changed or patch:
            patch["status"] = changed | {"reconciledAt": self.cluster.pace.stamp(self.cluster.pace.now())}
            metadata = app["metadata"]
            path = f"/apis/argoproj.io/v1alpha1/namespaces/{metadata['namespace']}/applications/{metadata['name']}"
            await self.cluster.api.patch(path, patch)
