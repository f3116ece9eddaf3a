"""The kubelets of all nodes in one object: watches pods, runs each, keeps the nodes alive, serves logs."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import structlog

from kubernaut.domain.errors import KubernautError, NotFound
from kubernaut.sim.background import Background
from kubernaut.sim.client import ApiClient, Json, Mirror
from kubernaut.sim.kubelet.behaviour import Disturbance, NodeHealth, NodeView, Undisturbed
from kubernaut.sim.kubelet.container import Surroundings
from kubernaut.sim.kubelet.events import Recorder
from kubernaut.sim.kubelet.images import Registry
from kubernaut.sim.kubelet.logs import Lines, LogServer
from kubernaut.sim.kubelet.node import HEARTBEAT_S, Node, NodeSpec
from kubernaut.sim.kubelet.pace import Pace
from kubernaut.sim.kubelet.pod import STOP_S, Pod, Record, same

RETRY_S = 0.3
STATUS_EVERY_S = 60.0
HEALTH_EVERY_S = 1.0

log = structlog.get_logger(__name__)


class Kubelets:
    """Registers nodes at any API server and runs the pods bound to them.

    Args:
        api: a client that may write nodes, leases, pod status and events.
        nodes: what to register at the start; more can be added later.
        pace: cluster time.
        disturbance: what goes wrong; asked anew at every step.
        registry: which images can be pulled.
    """

    def __init__(
        self,
        api: ApiClient,
        nodes: Sequence[NodeSpec],
        *,
        pace: Pace | None = None,
        disturbance: Disturbance | None = None,
        registry: Registry | None = None,
    ) -> None:
        self.registry = registry or Registry()
        self.pace = pace or Pace()
        self._api = api
        self._specs = list(nodes)
        self._nodes: dict[str, Node] = {}
        self._pods: dict[str, Pod] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._nudges: dict[str, asyncio.Event] = {}
        self._mirror = Mirror(api, "/api/v1/pods", self._noticed)
        self._node_mirror = Mirror(api, "/api/v1/nodes")
        self._configmaps = Mirror(api, "/api/v1/configmaps", self._reconfigured)
        self._secrets = Mirror(api, "/api/v1/secrets", self._reconfigured)
        self._disturbance: Disturbance = disturbance or Undisturbed()
        self._around = Surroundings(
            self.pace, self._disturbance, self.registry, self._configmaps.objects, self._secrets.objects
        )
        self._recorder = Recorder(api, self.pace)
        self._logs = LogServer(self._lines)
        self._group: asyncio.TaskGroup | None = None
        self._background = Background(self._main, "kubelets")
        self._up = asyncio.Event()

    async def start(self) -> None:
        """Serves logs, registers the nodes and begins to run pods; returns when all of it stands."""
        await self._logs.start()
        for spec in self._specs:
            await self._register(spec)
        self._background.start()
        async with asyncio.timeout(30):
            await self._up.wait()

    async def stop(self) -> None:
        """Ends everything; pods keep the status they had, as those of a lost node do."""
        try:
            await self._background.stop()
        finally:
            await self._logs.stop()

    async def add(self, spec: NodeSpec) -> None:
        """Registers one more node; one of the same name is left alone."""
        if spec.name not in self._nodes:
            node = await self._register(spec)
            if self._group is not None:
                self._group.create_task(self._renew(node))

    def nudge(self) -> None:
        """Looks at everything again at once, because something outside of the API server changed."""
        for nudge in self._nudges.values():
            nudge.set()

    async def _register(self, spec: NodeSpec) -> Node:
        node = Node(spec, self._api, self.pace, self._logs.port, len(self._nodes))
        self._nodes[spec.name] = node
        await node.register()
        return node

    async def _main(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                await self._run(group)
        finally:
            self._group = None

    async def _run(self, group: asyncio.TaskGroup) -> None:
        for mirror in (self._configmaps, self._secrets, self._node_mirror):
            group.create_task(mirror.run())
        for mirror in (self._configmaps, self._secrets, self._node_mirror):
            await mirror.synced.wait()
        group.create_task(self._mirror.run())
        group.create_task(self._recorder.run())
        group.create_task(self._feel())
        for node in self._nodes.values():
            group.create_task(self._renew(node))
        await self._mirror.synced.wait()
        self._up.set()

    def _noticed(self, kind: str, pod: Json) -> None:
        uid = pod["metadata"]["uid"]
        if pod["spec"].get("nodeName") not in self._nodes or self._group is None:
            return
        if uid in self._nudges:
            self._nudges[uid].set()
        elif kind != "DELETED" and (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed"):
            self._nudges[uid] = asyncio.Event()
            self._group.create_task(self._work(uid, pod))

    def _reconfigured(self, _kind: str, item: Json) -> None:
        for (namespace, _), uid in self._names.items():
            if namespace == item["metadata"].get("namespace") and uid in self._nudges:
                self._nudges[uid].set()

    async def _work(self, uid: str, first: Json) -> None:
        """The pod worker: one for each pod, from its binding to its end."""
        key = (first["metadata"]["namespace"], first["metadata"]["name"])
        node = self._nodes[first["spec"]["nodeName"]]
        pod = Pod(first, self._around, self._recording(node), self._address(node), self.pace.now())
        self._pods[uid], self._names[key] = pod, uid
        try:
            while await self._tend(uid, key, pod, node):
                pass
        finally:
            self._pods.pop(uid, None)
            self._nudges.pop(uid, None)
            if self._names.get(key) == uid:
                del self._names[key]

    async def _tend(self, uid: str, key: tuple[str, str], pod: Pod, node: Node) -> bool:
        """One round of a pod's worker; False when the pod is gone."""
        nudge = self._nudges[uid]
        nudge.clear()
        held = self._mirror.objects.get(key)
        if held is None or held["metadata"]["uid"] != uid:
            return False
        now = self.pace.now()
        try:
            if "deletionTimestamp" in held["metadata"]:
                return await self._kill(held, pod)
            pod.step(held, now)
            told = pod.render(held, now)
            if node.health.ready and not same(told, held.get("status") or {}):
                await self._tell(key, uid, told)
            due = pod.due
        except KubernautError as e:
            log.debug("pod status not written", pod=key[1], namespace=key[0], error=str(e))
            due = self.pace.now() + RETRY_S / self.pace.timescale
        await self._until(nudge, due)
        return True

    async def _tell(self, key: tuple[str, str], uid: str, status: Json) -> None:
        path = f"/api/v1/namespaces/{key[0]}/pods/{key[1]}/status"
        fresh = await self._api.patch(path, {"metadata": {"uid": uid}, "status": status})
        if key in self._mirror.objects:
            self._mirror.put(fresh)

    async def _kill(self, held: Json, pod: Pod) -> bool:
        """Ends the containers, waits as a program that closes its connections would, removes the object."""
        pod.stop(held, self.pace.now())
        grace_s = held["metadata"].get("deletionGracePeriodSeconds", 30)
        await asyncio.sleep(self.pace.wait_s(self.pace.now() + min(STOP_S, float(grace_s))))
        metadata = held["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        try:
            await self._api.delete(path, grace_s=0, uid=pod.uid)
        except NotFound:
            return False
        return False

    async def _until(self, nudge: asyncio.Event, due: float) -> None:
        wait_s = min(max(self.pace.wait_s(due), 0.01), 30.0) if due != float("inf") else 30.0
        try:
            async with asyncio.timeout(wait_s):
                await nudge.wait()
        except TimeoutError:
            return

    async def _renew(self, node: Node) -> None:
        """Leases every ten seconds of wall time, because the control plane counts wall time."""
        told_at = self.pace.wall(self.pace.now())
        while True:
            try:
                await node.renew()
                if self.pace.wall(self.pace.now()) - told_at > STATUS_EVERY_S:
                    await node.tell()
                    told_at = self.pace.wall(self.pace.now())
                await asyncio.sleep(HEARTBEAT_S)
            except KubernautError:
                await asyncio.sleep(RETRY_S)

    async def _feel(self) -> None:
        """Asks how every node is, and tells what changed."""
        while True:
            pods = Counter(
                pod["spec"].get("nodeName")
                for pod in self._mirror.objects.values()
                if not any(o["kind"] == "DaemonSet" for o in pod["metadata"].get("ownerReferences") or [])
            )
            for node in list(self._nodes.values()):
                await self._examine(node, pods[node.spec.name])
            await asyncio.sleep(max(self.pace.timescale * HEALTH_EVERY_S, 0.05))

    async def _examine(self, node: Node, pods: int) -> None:
        held = self._node_mirror.objects.get(("", node.spec.name), {})
        unschedulable = bool((held.get("spec") or {}).get("unschedulable"))
        view = NodeView(node.spec.name, unschedulable, pods, self.pace.now())
        health = self._disturbance.node(view, NodeHealth())
        if health == node.health:
            return
        before, node.health = node.health, health
        try:
            await node.tell()
        except KubernautError:
            node.health = before
            return
        about = {"kind": "Node", "apiVersion": "v1", "name": node.spec.name, "uid": node.spec.name}
        if before.ready != health.ready:
            reason = "NodeReady" if health.ready else "NodeNotReady"
            message = f"Node {node.spec.name} status is now: {reason}"
            self._recorder.record(about, "Normal", reason, message, node.spec.name)
        for reason, message in health.events:
            if (reason, message) not in before.events:
                self._recorder.record(about, "Warning", reason, message, node.spec.name, "kernel-monitor")
        if health.ready:
            self.nudge()

    def _recording(self, node: Node) -> Record:
        def record(involved: Json, kind: str, reason: str, message: str) -> None:
            self._recorder.record(involved, kind, reason, message, node.spec.name)

        return record

    def _address(self, node: Node) -> str:
        """The next address of the node's range that no pod has."""
        taken = {pod.address for pod in self._pods.values()}
        prefix = f"10.{244 + node.number // 256}.{node.number % 256}"
        return next((ip for last in range(2, 255) if (ip := f"{prefix}.{last}") not in taken), f"{prefix}.255")

    def _lines(self, namespace: str, name: str, container: str, previous: bool) -> Lines | None:
        pod = self._pods.get(self._names.get((namespace, name), ""))
        if pod is None:
            return None
        for held in pod.containers:
            if held.name == container:
                lines = held.previous_logs if previous else held.logs
                if previous and not lines and held.ended is not None:
                    lines = held.logs
                return [(self.pace.wall(at), line) for at, line in lines]
        return None
