"""Incidents of nodes and of pods that suffer from them."""

from .expectation import CERTAIN, LIKELY, LIKELY_OR_CERTAIN, UNSURE, Incident
from .world import DAY, NODES, World, up, waits

CHECKOUT = ("Deployment", "checkout", "shop")
NODE = ("Node", "worker-a", "")
AT_NODE = [("Node", "worker-a")]
LOST = ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.", 900.0)


def lost(world: World) -> None:
    """The kubelet stopped: all conditions Unknown, its pods not Ready, though their containers say ready."""
    others = dict.fromkeys(("MemoryPressure", "DiskPressure", "PIDPressure"), LOST)
    node = world.change_node("worker-a", Ready=LOST, **others)
    node["spec"]["taints"] = [{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}]
    app = world.workload("checkout")
    app.pod(up(9 * DAY), node="worker-a", age_s=9 * DAY, unready_s=890)
    app.pod(up(9 * DAY), node="worker-b", age_s=9 * DAY)
    app.pod(up(9 * DAY), node="worker-c", age_s=9 * DAY)
    world.event(
        node, "NodeNotReady", "Node worker-a status is now: NodeNotReady", at_s=890, component="node-controller"
    )


def all_lost(world: World) -> None:
    """The only pod runs on the node that is lost."""
    lost(world)
    app = world.workload("single", replicas=1)
    app.pod(up(9 * DAY), node="worker-a", age_s=9 * DAY, unready_s=890)


def no_network(world: World) -> None:
    """The node's network plugin does not answer."""
    said = ("container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin "
            "returns error: cni plugin not initialized")  # fmt: skip
    node = world.change_node("worker-a", Ready=("False", "KubeletNotReady", said, 400.0))
    app = world.workload("checkout")
    app.pod(waits("ContainerCreating"), node="worker-a", age_s=300, unready_s=300, phase="Pending")
    app.pod(up(9 * DAY), node="worker-b", age_s=9 * DAY)
    world.event(
        node, "NodeNotReady", "Node worker-a status is now: NodeNotReady", at_s=400, component="node-controller"
    )


def pressure(world: World, kind: str, reason: str, what: str) -> None:
    """The kubelet evicts."""
    node = world.change_node("worker-a", **{kind: ("True", reason, f"kubelet has {what}", 500.0)})
    app = world.workload("checkout", replicas=2)
    gone = app.pod(node="worker-a", age_s=9 * DAY, phase="Failed", unready_s=400)
    resource = {"DiskPressure": "ephemeral-storage", "MemoryPressure": "memory", "PIDPressure": "pids"}[kind]
    said = f"The node was low on resource: {resource}. Threshold quantity: 100Mi, available: 64Mi."
    gone["status"] |= {"reason": "Evicted", "message": said, "containerStatuses": []}
    app.sets[-1]["spec"]["replicas"] -= 1
    app.pod(up(9 * DAY), node="worker-b", age_s=9 * DAY)
    stuck = app.pod(node=None, age_s=390, phase="Pending", unready_s=390)
    taint = f"node.kubernetes.io/{kind[: -len('Pressure')].lower()}-pressure"
    message = f"0/3 nodes are available: 1 node(s) had untolerated taint {{{taint}: }}, 2 Insufficient cpu."
    stuck["status"]["conditions"] = [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message,
         "lastTransitionTime": stuck["metadata"]["creationTimestamp"]}
    ]  # fmt: skip
    world.event(stuck, "FailedScheduling", message, component="default-scheduler", count=5, over_s=300)
    world.event(gone, "Evicted", said, at_s=400, host="worker-a")
    world.event(node, "EvictionThresholdMet", f"Attempting to reclaim {resource}", at_s=410, count=3)


def disk(world: World) -> None:
    """Disk pressure."""
    pressure(world, "DiskPressure", "KubeletHasDiskPressure", "disk pressure")


def memory(world: World) -> None:
    """Memory pressure."""
    pressure(world, "MemoryPressure", "KubeletHasInsufficientMemory", "insufficient memory available")


def pids(world: World) -> None:
    """Process id pressure."""
    pressure(world, "PIDPressure", "KubeletHasInsufficientPID", "insufficient PID available")


def flapping(world: World) -> None:
    """In and out of Ready."""
    node = world.change_node("worker-a", Ready=("True", "KubeletReady", "kubelet is posting ready status", 60.0))
    said = "Node worker-a status is now: NodeNotReady"
    world.event(node, "NodeNotReady", said, at_s=120, over_s=2000, count=5, component="node-controller")
    world.event(
        node, "NodeReady", "Node worker-a status is now: NodeReady", at_s=60, over_s=2000, count=5, kind="Normal"
    )
    world.healthy("checkout")


def flapping_singly(world: World) -> None:
    """The same with an event of its own for each time."""
    node = world.change_node("worker-a", Ready=("True", "KubeletReady", "kubelet is posting ready status", 60.0))
    for at_s in (120, 700, 1300, 2100):
        said = "Node worker-a status is now: NodeNotReady"
        world.event(node, "NodeNotReady", said, at_s=at_s, component="node-controller")
    world.healthy("checkout")


def broken_disk(world: World) -> None:
    """node-problem-detector tells of a read-only file system."""
    node = world.change_node(
        "worker-a", ReadonlyFilesystem=("True", "FilesystemIsReadOnly", "Remounting filesystem read-only", 900.0)
    )
    world.event(node, "FilesystemIsReadOnly", "Remounting filesystem read-only", at_s=900, component="kernel-monitor")
    world.healthy("checkout")


def disk_errors(world: World) -> None:
    """Only events tell of the disk."""
    node = next(o for o in world.objects if o["metadata"]["name"] == "worker-a")
    said = "Buffer I/O error on dev nvme1n1, logical block 0, async page read"
    world.event(node, "IOError", said, at_s=60, over_s=900, count=9, component="kernel-monitor")
    world.healthy("checkout")


def detector_is_well(world: World) -> None:
    """All conditions of node-problem-detector and clouds that say that all is well."""
    well = {
        "KernelDeadlock": ("False", "KernelHasNoDeadlock", "kernel has no deadlock"),
        "ReadonlyFilesystem": ("False", "FilesystemIsNotReadOnly", "Filesystem is not read-only"),
        "FrequentKubeletRestart": ("False", "NoFrequentKubeletRestart", "kubelet is functioning properly"),
        "CorruptDockerOverlay2": ("False", "NoCorruptDockerOverlay2", "docker overlay2 is functioning properly"),
        "NetworkUnavailable": ("False", "CalicoIsUp", "Calico is running on this node"),
        "StorageReady": ("True", "KubeletIsHealthy", "Monitoring agent reports the storage as healthy"),
        "ContainerRuntimeReady": ("True", "ContainerRuntimeIsReady", "ok"),
        "KernelReady": ("True", "KernelIsReady", "ok"),
        "NetworkingReady": ("True", "NetworkingIsReady", "ok"),
        "AcceleratedHardwareReady": ("True", "NvidiaAcceleratedHardwareIsReady", "ok"),
    }
    world.change_node("worker-a", **{k: (*v, 9 * DAY) for k, v in well.items()})
    world.healthy("checkout")


def cordoned(world: World) -> None:
    """Someone works on the node."""
    node = next(o for o in world.objects if o["metadata"]["name"] == "worker-a")
    node["spec"]["unschedulable"] = True
    world.healthy("checkout")


def booting(world: World) -> None:
    """A node that came a minute ago and has no network yet."""
    said = "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady"
    node = world.node("worker-new", Ready=("False", "KubeletNotReady", said, 10.0))
    node["metadata"]["creationTimestamp"] = world.objects[-1]["status"]["conditions"][-1]["lastTransitionTime"]
    world.healthy("checkout")


def sandbox(world: World) -> None:
    """Pods on one node get no sandbox: the network plugin fails."""
    app = world.workload("checkout")
    for node in NODES[1:]:
        app.pod(up(9 * DAY), node=node, age_s=9 * DAY)
    pod = app.pod(waits("ContainerCreating"), age_s=900, unready_s=900, phase="Pending")
    said = ('Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "ab": plugin '
            'type="calico" failed (add): error getting ClusterInformation: connection is unauthorized')  # fmt: skip
    world.event(pod, "FailedCreatePodSandBox", said, count=40, at_s=20, over_s=800)


AWAY = (0.7, 0.95)
NODE_INCIDENTS = (
    Incident("node lost", lost, NODE, AT_NODE, ["NodeNotReady"], AWAY, ["stopped posting"], "cordon-node", None),
    Incident("node lost, asked about its deployment", lost, CHECKOUT, AT_NODE, ["NodeNotReady"], AWAY, [], "cordon-node",
             None),
    Incident("node lost with the only pod", all_lost, ("Deployment", "single", "shop"), AT_NODE, ["NodeNotReady"], AWAY,
             [], "cordon-node", None),
    Incident("node without network", no_network, NODE, AT_NODE, ["NodeNotReady", "NetworkUnavailable"], AWAY, ["network"],
             "cordon-node", None),
    Incident("node without network, asked about its deployment", no_network, CHECKOUT, AT_NODE,
             ["NodeNotReady", "NetworkUnavailable"], AWAY, ["network"], "cordon-node", None),
    Incident("disk pressure", disk, NODE, AT_NODE, ["DiskPressure"], CERTAIN, ["disk"], "", None),
    Incident("memory pressure", memory, NODE, AT_NODE, ["MemoryPressure"], CERTAIN, ["memory"], "", None),
    Incident("pid pressure", pids, NODE, AT_NODE, ["PIDPressure"], CERTAIN, ["process"], "", None),
    Incident("disk pressure, asked about an evicted deployment", disk, CHECKOUT, AT_NODE, ["DiskPressure"],
             LIKELY_OR_CERTAIN, ["disk"], "", None),
    Incident("memory pressure, asked about an evicted deployment", memory, CHECKOUT, AT_NODE, ["MemoryPressure"],
             LIKELY_OR_CERTAIN, ["memory"], "", None),
    Incident("node flaps", flapping, NODE, AT_NODE, ["NodeFlapping"], CERTAIN, ["flaps"], "cordon-node", None),
    Incident("node flaps, single events", flapping_singly, NODE, AT_NODE, ["NodeFlapping"], CERTAIN, ["flaps"],
             "cordon-node", None),
    Incident("node flaps, its pods serve", flapping, CHECKOUT, empty=True),
    Incident("disk broken", broken_disk, NODE, AT_NODE, ["ReadonlyFilesystem"], CERTAIN, [], "drain-node", None),
    Incident("disk errors in events", disk_errors, NODE, AT_NODE, ["NodeHardwareFailing"], LIKELY, ["hardware"],
             "drain-node", None),
    Incident("detectors say that all is well", detector_is_well, NODE, empty=True),
    Incident("cordoned by a person", cordoned, NODE, empty=True),
    Incident("node that has just come", booting, ("Node", "worker-new", ""), empty=True),
    Incident("no sandbox on one node", sandbox, CHECKOUT, [("Node", "worker-a"), ("Deployment", "checkout")], [], UNSURE,
             ["network"], "", None),
)  # fmt: skip
