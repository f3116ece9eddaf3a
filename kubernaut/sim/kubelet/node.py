"""A node: its registration, its lease and its heartbeats."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kubernaut.domain.errors import Conflict, NotFound
from kubernaut.sim.client import ApiClient, Json
from kubernaut.sim.kubelet.behaviour import NodeHealth
from kubernaut.sim.kubelet.pace import Pace

HEARTBEAT_S = 10.0
_USUAL: Mapping[str, tuple[str, str]] = {
    "MemoryPressure": ("KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    "KernelDeadlock": ("KernelHasNoDeadlock", "kernel has no deadlock"),
    "ReadonlyFilesystem": ("FilesystemIsNotReadOnly", "Filesystem is not read-only"),
}


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """A node to register."""

    name: str
    pool: str = "general"
    cpu: str = "8"
    memory: str = "32Gi"
    pods: int = 110
    labels: Mapping[str, str] = field(default_factory=dict)


class Node:
    """Keeps one Node object and its Lease alive."""

    def __init__(self, spec: NodeSpec, api: ApiClient, pace: Pace, port: int, number: int) -> None:
        self.spec = spec
        self.number = number
        self.health = NodeHealth()
        self._api, self._pace, self._port = api, pace, port
        self._since: dict[str, tuple[str, str]] = {}

    async def register(self) -> None:
        """Creates the Node, or takes over one of the same name, and tells its status and lease."""
        labels = {
            "kubernetes.io/hostname": self.spec.name,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
            "node.kubernetes.io/instance-type": "m6i.2xlarge",
            "topology.kubernetes.io/region": "eu-central-1",
            "topology.kubernetes.io/zone": f"eu-central-1{'abc'[self.number % 3]}",
            "node.kubernaut.io/pool": self.spec.pool,
        } | dict(self.spec.labels)
        node = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self.spec.name, "labels": labels},
            "spec": {"podCIDR": f"10.244.{self.number}.0/24"},
        }
        try:
            await self._api.create("/api/v1/nodes", node)
        except Conflict:
            await self._api.patch(f"/api/v1/nodes/{self.spec.name}", {"metadata": {"labels": labels}})
        await self.tell()
        await self.renew()

    async def tell(self) -> None:
        """Writes the node's status: capacity, address, port of its logs, conditions."""
        amount = {"cpu": self.spec.cpu, "memory": self.spec.memory, "pods": str(self.spec.pods)}
        status = {
            "capacity": amount | {"ephemeral-storage": "100Gi"},
            "allocatable": amount | {"ephemeral-storage": "90Gi"},
            "addresses": [
                {"type": "InternalIP", "address": "127.0.0.1"},
                {"type": "Hostname", "address": self.spec.name},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self._port}},
            "nodeInfo": {
                "machineID": f"{self.number:032x}",
                "systemUUID": f"{self.number:032x}",
                "bootID": f"{self.number:032x}",
                "kernelVersion": "6.12.30-cloud",
                "osImage": "Debian GNU/Linux 13 (trixie)",
                "containerRuntimeVersion": "containerd://2.1.4",
                "kubeletVersion": "v1.36.3",
                "kubeProxyVersion": "",
                "operatingSystem": "linux",
                "architecture": "amd64",
            },
            "conditions": self._conditions(),
        }
        await self._api.patch(f"/api/v1/nodes/{self.spec.name}/status", {"status": status})

    async def renew(self) -> None:
        """Renews the lease by which the control plane knows that the node lives."""
        path = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
        now = self._pace.micro_stamp(self._pace.now())
        spec = {"holderIdentity": self.spec.name, "leaseDurationSeconds": 40, "renewTime": now}
        try:
            await self._api.patch(f"{path}/{self.spec.name}", {"spec": spec})
        except NotFound:
            await self._make_lease(path, spec)

    async def _make_lease(self, path: str, spec: Json) -> None:
        lease = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self.spec.name, "namespace": "kube-node-lease"},
            "spec": spec,
        }
        try:
            await self._api.create(path, lease)
        except NotFound:
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-node-lease"}}
            await self._api.create("/api/v1/namespaces", namespace)
            await self._api.create(path, lease)

    def _conditions(self) -> list[Json]:
        ready = self.health.ready
        told = [
            self._condition(name, "True", *self.health.problems[name])
            if name in self.health.problems
            else self._condition(name, "False", *usual)
            for name, usual in _USUAL.items()
        ]
        told += [
            self._condition(name, "True", *why) for name, why in self.health.problems.items() if name not in _USUAL
        ]
        return [*told, self._condition("Ready", "True" if ready else "False", self.health.reason, self.health.message)]

    def _condition(self, name: str, status: str, reason: str, message: str) -> Json:
        now = self._pace.stamp(self._pace.now())
        if self._since.get(name, ("", ""))[0] != status:
            self._since[name] = (status, now)
        return {
            "type": name,
            "status": status,
            "reason": reason,
            "message": message,
            "lastHeartbeatTime": now,
            "lastTransitionTime": self._since[name][1],
        }
