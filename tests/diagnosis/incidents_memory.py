"""Incidents about memory."""

from .expectation import CERTAIN, LIKELY, UNSURE, Incident
from .world import DAY, World, box, done, end, loops, up, waits

CHECKOUT = ("Deployment", "checkout", "shop")
KILLED = end(137, "OOMKilled")
RAISE = "update-resources"


def _limit(to: str, was: str, container: str = "app") -> tuple[str, dict[str, str]]:
    return RAISE, {"container": container, "field": "limits.memory", "from": was, "to": to}


def lowered(world: World) -> None:
    """The last release lowered the limit; all pods are killed."""
    app = world.workload("checkout", containers=[box(memory="512Mi")])
    app.rollout([box(memory="128Mi")], age_s=1500)
    for node in ("worker-a", "worker-b", "worker-c"):
        app.pod(loops(KILLED), node=node, age_s=1400, unready_s=60)


def lowered_long_ago(world: World) -> None:
    """The limit was lowered three releases before; the images in between changed."""
    app = world.workload("checkout", containers=[box(memory="512Mi")])
    app.rollout([box(memory="128Mi", image="ghcr.io/acme/app:1.5.0")], age_s=5 * DAY)
    app.rollout([box(memory="128Mi", image="ghcr.io/acme/app:1.6.0")], age_s=3 * DAY)
    app.pod(up(40, restarts=5, last=KILLED), age_s=3 * DAY)


def never_changed(world: World) -> None:
    """The limit was always too small, and one pod of three is hit."""
    app = world.workload("checkout", containers=[box(memory="256Mi")])
    app.pod(up(50, restarts=7, last=KILLED), age_s=3 * DAY)
    app.pod(up(3 * DAY), node="worker-b", age_s=3 * DAY)
    app.pod(up(3 * DAY), node="worker-c", age_s=3 * DAY)


def sidecar(world: World) -> None:
    """The second container is killed, the first one is well."""
    app = world.workload("checkout", containers=[box(), box("proxy", "envoy:1.30", "64Mi")], replicas=1)
    app.pod(up(DAY), loops(KILLED), age_s=DAY, unready_s=60)


def native_sidecar(world: World) -> None:
    """A sidecar that is an init container which always restarts."""
    app = world.workload(
        "checkout", initContainers=[box("mesh", "envoy:1.30", "64Mi", restartPolicy="Always")], replicas=1
    )
    app.pod(up(DAY), init=[loops(KILLED)], age_s=DAY, unready_s=60)


def init_container(world: World) -> None:
    """A migration before the start runs out of memory."""
    app = world.workload("checkout", initContainers=[box("migrate", "flyway:10", "64Mi")], replicas=1)
    app.pod(waits("PodInitializing"), init=[loops(KILLED)], age_s=900, unready_s=900, phase="Pending")


def just_killed(world: World) -> None:
    """The container is down this second: state, not lastState, tells."""
    app = world.workload("checkout", containers=[box(memory="1Gi")], replicas=1)
    state = {"ready": False, "restartCount": 2, "state": {"terminated": end(137, "OOMKilled", at_s=2)}, "lastState": {}}
    app.pod(state, age_s=DAY, unready_s=2)


def stateful(world: World) -> None:
    """A StatefulSet's limit."""
    app = world.workload("warehouse-db", "data", [box("db", "postgres:16", "1Gi")], kind="StatefulSet", replicas=2)
    app.pod(loops(KILLED), age_s=DAY, unready_s=60)
    app.pod(up(DAY), node="worker-b", age_s=DAY)


def daemon(world: World) -> None:
    """A DaemonSet's limit."""
    app = world.workload("agent", "monitoring", [box("agent", "agent:7", "100M")], kind="DaemonSet")
    for node in ("worker-a", "worker-b", "worker-c"):
        app.pod(up(100, restarts=9, last=KILLED), node=node, age_s=DAY)


def no_limit(world: World) -> None:
    """No limit: the node's memory ran out."""
    app = world.workload("checkout", containers=[box(memory=None)], replicas=1)
    pod = app.pod(up(30, restarts=1, last=KILLED), age_s=DAY)
    node = next(o for o in world.objects if o["kind"] == "Node")
    world.event(node, "SystemOOM", "System OOM encountered, victim process: app, pid: 4242", at_s=62)
    assert pod["spec"]["nodeName"] == node["metadata"]["name"]


def node_ran_out(world: World) -> None:
    """The node ran out of memory; the container was killed below its limit."""
    app = world.workload("checkout", containers=[box(memory="2Gi")], replicas=1)
    app.pod(up(30, restarts=1, last=KILLED), age_s=DAY)
    node = world.change_node(
        "worker-a", MemoryPressure=("True", "KubeletHasInsufficientMemory", "kubelet has insufficient memory", 100.0)
    )
    world.event(node, "SystemOOM", "System OOM encountered, victim process: java, pid: 4242", at_s=62, count=3)


def jvm_killed(world: World) -> None:
    """Exit code 137 without the kernel's word: somebody sent SIGKILL."""
    app = world.workload("checkout", containers=[box(image="acme/java:17", memory="512Mi")], replicas=1)
    pod = app.pod(loops(end(137)), age_s=DAY, unready_s=60)
    world.log(pod, "INFO starting\nINFO loading caches")


def jvm_heap(world: World) -> None:
    """The JVM's own heap is full: the container's limit is not what it met."""
    app = world.workload("checkout", containers=[box(image="acme/java:17", memory="2Gi")], replicas=1)
    pod = app.pod(loops(end(3)), age_s=DAY, unready_s=60)
    trace = "\tat com.acme.Cache.put(Cache.java:40)\n\tat com.acme.Main.main(Main.java:9)"
    world.log(pod, f'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space\n{trace}')


def raised_since(world: World) -> None:
    """The limit is raised already; the old pod is on its way out."""
    app = world.workload("checkout", containers=[box(memory="128Mi")], replicas=2)
    old = app.sets[-1]
    app.rollout([box(memory="512Mi")], age_s=40)
    app.pod(up(30), age_s=35)
    app.pod(up(50, restarts=4, last=KILLED), set_=old, age_s=DAY)


def old_kill(world: World) -> None:
    """One kill three weeks ago."""
    app = world.workload("checkout", replicas=1)
    app.pod(up(21 * DAY, restarts=1, last=end(137, "OOMKilled", at_s=21 * DAY + 30)), age_s=60 * DAY)


def each_few_hours(world: World) -> None:
    """A leak: killed every five hours for days, last time two hours ago."""
    app = world.workload("checkout", containers=[box(memory="1Gi")], replicas=1)
    app.pod(up(7200, restarts=14, last=end(137, "OOMKilled", at_s=7205, ran_s=18000)), age_s=3 * DAY)


def job(world: World) -> None:
    """A Job's pod runs out of memory."""
    item = world.add("Job", "reindex", "shop", 1800)
    item["spec"] = {"backoffLimit": 0, "template": {"spec": {"containers": [box("run", memory="128Mi")]}}}
    failed = {
        "type": "Failed",
        "status": "True",
        "reason": "BackoffLimitExceeded",
        "message": "Job has reached the specified backoff limit",
        "lastTransitionTime": item["metadata"]["creationTimestamp"],
    }
    item["status"] = {"failed": 1, "conditions": [failed]}
    pod = world.add("Pod", "reindex-abcde", "shop", 1800, owner=item)
    pod["spec"] = {"containers": [box("run", memory="128Mi")], "nodeName": "worker-a", "restartPolicy": "Never"}
    pod["status"] = {"phase": "Failed", "containerStatuses": [{"name": "run"} | done(137, "OOMKilled")]}


MEMORY = (
    Incident("memory limit lowered", lowered, CHECKOUT, [("Deployment", "checkout")], ["OOMKilled"], CERTAIN,
             ["128Mi"], "restart-deployment", _limit("512Mi", "128Mi")),
    Incident("memory limit lowered long ago", lowered_long_ago, CHECKOUT, [("Deployment", "checkout")], ["OOMKilled"],
             CERTAIN, ["128Mi"], "restart-deployment", _limit("512Mi", "128Mi")),
    Incident("memory limit never changed", never_changed, CHECKOUT, [("Deployment", "checkout")], ["OOMKilled"], CERTAIN,
             ["256Mi"], "restart-deployment", _limit("512Mi", "256Mi")),
    Incident("sidecar out of memory", sidecar, CHECKOUT, [("Deployment", "checkout")], ["OOMKilled"], CERTAIN,
             ["proxy"], "restart-deployment", _limit("128Mi", "64Mi", "proxy")),
    Incident("native sidecar out of memory", native_sidecar, CHECKOUT, [("Deployment", "checkout")], ["OOMKilled"],
             CERTAIN, ["mesh"], "restart-deployment", _limit("128Mi", "64Mi", "mesh")),
    Incident("init container out of memory", init_container, CHECKOUT, [("Deployment", "checkout")], ["OOMKilled"],
             CERTAIN, ["migrate"], "", _limit("128Mi", "64Mi", "migrate")),
    Incident("killed this second", just_killed, CHECKOUT, [("Deployment", "checkout")], ["OOMKilled"], CERTAIN,
             ["1Gi"], "restart-deployment", _limit("2Gi", "1Gi")),
    Incident("asked about the pod", never_changed, ("Pod", "", "shop"), [("Deployment", "checkout")], ["OOMKilled"],
             CERTAIN, ["256Mi"], "restart-deployment", _limit("512Mi", "256Mi")),
    Incident("statefulset out of memory", stateful, ("StatefulSet", "warehouse-db", "data"),
             [("StatefulSet", "warehouse-db")], ["OOMKilled"], CERTAIN, ["db"], "restart-statefulset",
             _limit("2Gi", "1Gi", "db")),
    Incident("daemonset out of memory", daemon, ("DaemonSet", "agent", "monitoring"), [("DaemonSet", "agent")],
             ["OOMKilled"], CERTAIN, ["100M"], "restart-daemonset", (RAISE, {"container": "agent", "from": "100M"})),
    Incident("no limit, node out of memory", no_limit, CHECKOUT, [("Node", "worker-a")],
             ["SystemOOM", "MemoryPressure"], (0.7, 0.95), ["memory"], None, None),
    Incident("node out of memory", node_ran_out, CHECKOUT, [("Node", "worker-a")], ["SystemOOM", "MemoryPressure"],
             (0.7, 0.95), ["memory"], None, None),
    Incident("killed by a signal, no OOM", jvm_killed, CHECKOUT, [("Deployment", "checkout")], ["CrashLoopBackOff"],
             (0.05, 0.6999), ["137"], "", None),
    Incident("heap exhausted", jvm_heap, CHECKOUT, [("Deployment", "checkout")], ["CrashLoopBackOff"], UNSURE,
             ["heap"], "", None),
    Incident("limit raised since", raised_since, CHECKOUT, empty=True),
    Incident("one old kill", old_kill, CHECKOUT, empty=True),
    Incident("killed each few hours", each_few_hours, CHECKOUT, [("Deployment", "checkout")], ["OOMKilled"], LIKELY,
             ["1Gi"], "", _limit("2Gi", "1Gi")),
    Incident("job out of memory", job, ("Job", "reindex", "shop"), [("Job", "reindex")], ["OOMKilled"], (0.7, 0.99),
             ["128Mi"], "", None),
)  # fmt: skip
