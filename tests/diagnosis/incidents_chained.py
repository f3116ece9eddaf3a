"""Incidents with a chain of causes, with two causes at once, and with signs of an incident that is over."""

from .cluster import ago
from .expectation import CERTAIN, LIKELY, LIKELY_OR_CERTAIN, SYMPTOM, UNSURE, Incident
from .incidents_crashes import FROM_SETTINGS, _crashing, _database, _released, no_secret
from .incidents_images import GOOD, TAGS
from .incidents_nodes import disk
from .world import DAY, NODES, Workload, World, box, end, loops, up, waits

CHECKOUT = ("Deployment", "checkout", "shop")
HERE = [("Deployment", "checkout")]
CRASH = ["CrashLoopBackOff"]


def _service(world: World, name: str, namespace: str = "shop", port: int = 8080) -> None:
    service = world.add("Service", name, namespace, 40 * DAY)
    service["spec"] = {"clusterIP": f"10.96.7.{len(name)}", "selector": {"app": name}, "ports": [{"port": port}]}


def _needs(world: World, name: str, needed: str, namespace: str = "shop") -> Workload:
    """A Deployment that crashes because it can't reach a Service."""
    made = world.workload(name, namespace, replicas=1)
    pod = made.pod(loops(end(1)), node="worker-b", age_s=3000, unready_s=2900)
    world.log(pod, f"fatal: Get http://{needed}:8080/: dial tcp: connect: connection refused")
    return made


def chain_of_services(world: World) -> None:
    """The shop needs the API, the API needs the store, the store's Secret is gone."""
    _needs(world, "checkout", "api")
    _service(world, "api")
    _needs(world, "api", "store")
    _service(world, "store")
    app = world.workload("store", containers=[box(envFrom=[{"secretRef": {"name": "store-login"}}])], replicas=1)
    said = 'secret "store-login" not found'
    app.pod(waits("CreateContainerConfigError", said), age_s=3000, unready_s=3000, phase="Pending")


def other_namespace(world: World) -> None:
    """What it needs is in another namespace, and its image does not come."""
    _needs(world, "checkout", "rates.pricing.svc.cluster.local")
    _service(world, "rates", "pricing")
    app = world.workload("rates", "pricing", [box(image="ghcr.io/acme/app:1.5.0")], replicas=1)
    app.pod(waits("ImagePullBackOff", TAGS["containerd"]), age_s=3000, unready_s=3000, phase="Pending")


def circle(world: World) -> None:
    """Two that need each other: no end, no answer with certainty."""
    _needs(world, "checkout", "api")
    _service(world, "api")
    _needs(world, "api", "checkout")
    _service(world, "checkout")


def dependency_on_full_node(world: World) -> None:
    """The database was evicted by a node without space."""
    disk(world)
    _needs(world, "web", "checkout")
    _service(world, "checkout")
    world.objects = [
        o for o in world.objects
        if not (o["kind"] == "Pod" and o["spec"].get("nodeName") == "worker-b" and o["metadata"].get("_of") == "checkout")
    ]  # fmt: skip


def scaling_up(world: World) -> None:
    """A pod waits half a minute for a node that is on its way."""
    app = world.workload("checkout", replicas=2)
    app.pod(up(9 * DAY), age_s=9 * DAY)
    pod = app.pod(node=None, age_s=40, unready_s=40)
    message = "0/3 nodes are available: 3 Insufficient cpu."
    told = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    pod["status"]["conditions"] = [told | {"lastTransitionTime": ago(40)}]
    world.event(pod, "TriggeredScaleUp", "pod triggered scale-up: [{ng-1 3->4 (max: 9)}]", at_s=30, kind="Normal",
                component="cluster-autoscaler")  # fmt: skip


def renamed_configmap(world: World) -> None:
    """The last release refers to a ConfigMap that does not exist; the one before does."""
    before, after = (box(envFrom=[{"configMapRef": {"name": name}}]) for name in ("settings", "setings"))
    world.configmap("settings", {"A": "1"})
    app = world.workload("checkout", containers=[before])
    for node in NODES:
        app.pod(up(20 * DAY), node=node, age_s=20 * DAY)
    app.rollout([after], age_s=900)
    said = 'configmap "setings" not found'
    app.pod(waits("CreateContainerConfigError", said), age_s=800, unready_s=800, phase="Pending")


def tiny_limit(world: World) -> None:
    """The limit is so small that the container can't even be made."""
    said = ("failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
            "unable to start container process: container init was OOM-killed (memory limit too low?): unknown")  # fmt: skip
    _released(world, box(memory="256Mi"), box(memory="4Mi"), end(128, "StartError", message=said))


def bad_mount(world: World) -> None:
    """A directory is mounted onto a file."""
    said = ('failed to create shim task: OCI runtime create failed: error mounting "/var/lib/kubelet/pods/x/volumes/conf" to '
            'rootfs at "/etc/app.conf": not a directory: unknown: Are you trying to mount a directory onto a file?')  # fmt: skip
    _released(world, box(), box(image="ghcr.io/acme/app:1.5.0"), end(128, "StartError", message=said))


def rolled_back(world: World) -> None:
    """The release before is the newest revision again; the bad one's last pod is still there."""
    app = world.workload("checkout", containers=[box(image=GOOD)])
    bad = app.rollout([box(image="ghcr.io/acme/app:1.5.0")], age_s=1500)
    app.rollout([box(image=GOOD)], age_s=200)
    for node in NODES:
        app.pod(up(150), node=node, age_s=190)
    app.pod(waits("ImagePullBackOff", TAGS["containerd"]), set_=bad, age_s=1400, unready_s=1400, phase="Pending")


def two_containers(world: World) -> None:
    """One container lacks memory, the other one its Secret: both are told, the surer one first."""
    app = world.workload("checkout", containers=[box(memory="64Mi"), box("proxy", "envoy:1")], replicas=1)
    said = 'secret "tls" not found'
    pod = app.pod(loops(end(137, "OOMKilled")), waits("CreateContainerConfigError", said), age_s=900, unready_s=900)
    world.event(pod, "BackOff", "Back-off restarting failed container app in pod x", count=20, over_s=700)


def wrong_port(world: World) -> None:
    """The setting names a port that the Service does not have."""
    log = 'could not connect to server: Connection refused: is the server running on host "orders-db" and accepting on port 5433?'
    _crashing(world, end(1), log, containers=[box(**FROM_SETTINGS)])
    world.configmap("settings", {"DB_HOST": "orders-db", "DB_PORT": "5433"},
                    applied={"DB_HOST": "orders-db", "DB_PORT": "5432"})  # fmt: skip
    _database(world, ready=True)


def unrelated_change(world: World) -> None:
    """A ConfigMap that was edited a minute before the crash has nothing to do with it."""
    _crashing(world, end(1), "panic: assertion failed: len(items) > 0", containers=[box(**FROM_SETTINGS)])
    world.configmap("settings", {"COLOR": "green", "ITEMS": "9"}, changed_s=2460)


def told_settings(world: World) -> None:
    """The program tells its settings while it starts, then fails for another reason."""
    log = (
        "INFO settings: error_mode=strict CACHE_TTL=5m RETRIES=10\n"
        '{"level":"info","msg":"fail-over is off","CACHE_TTL":"5m"}\n'
        "panic: runtime error: invalid memory address or nil pointer dereference"
    )
    _crashing(world, end(2), log, containers=[box(**FROM_SETTINGS)])
    now = {"CACHE_TTL": "5m", "RETRIES": "10", "error_mode": "strict"}
    world.configmap("settings", now, changed_s=2460, applied=now | {"CACHE_TTL": "1m"})


def numbers_everywhere(world: World) -> None:
    """A small number of the settings stands in an address and in a time."""
    log = "2026-03-14T03:10:30 fatal: dial tcp 10.96.44.7:5432: connect: connection refused after 30 s"
    _crashing(world, end(1), log, containers=[box(**FROM_SETTINGS)])
    world.configmap(
        "settings", {"RETRIES": "10", "TIMEOUT": "30", "POOL": "96"}, changed_s=2460, applied={"RETRIES": "3"}
    )
    _database(world, ready=True)


def optional_dependency(world: World) -> None:
    """Something that it can do without is down; it fails for another reason."""
    log = (
        "WARN could not send traces to orders-db:5432: connection refused, going on without\n"
        "INFO listening\npanic: assertion failed"
    )
    _crashing(world, end(2), log)
    _database(world, ready=False)


def unrelated_node(world: World) -> None:
    """Another node is broken; the crash is the release's."""
    world.change_node("worker-c", Ready=("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.", 900.0))
    app = world.workload("checkout", containers=[box()], replicas=2)
    for node in NODES[:2]:
        app.pod(up(20 * DAY), node=node, age_s=20 * DAY)
    app.rollout([box(image="ghcr.io/acme/app:1.5.0")], age_s=900)
    app.pod(loops(end(1)), node="worker-b", age_s=900, unready_s=900)


def only_a_restart(world: World) -> None:
    """Someone restarted the Deployment; nothing of it changed, and its new pods crash: the world around it did."""
    app = world.workload("checkout", containers=[box()], replicas=2)
    app.rollout([box()], age_s=900)
    for node in NODES[:2]:
        pod = app.pod(loops(end(1)), node=node, age_s=900, unready_s=900)
        world.log(pod, "KeyError: 'region'")


CHAINED = (
    Incident("chain of services", chain_of_services, CHECKOUT, [("Secret", "store-login")],
             ["CreateContainerConfigError"], LIKELY, ["store-login"], "", None),
    Incident("dependency in another namespace", other_namespace, CHECKOUT, [("Deployment", "rates")],
             ["ImagePullBackOff"], LIKELY, ["1.5.0"], "", None),
    Incident("two that need each other", circle, CHECKOUT, [], [], UNSURE, [], "", None),
    Incident("dependency evicted from a full node", dependency_on_full_node, ("Deployment", "web", "shop"),
             [("Node", "worker-a")], ["DiskPressure"], LIKELY, ["disk"], "", None),
    Incident("nodes on their way", scaling_up, CHECKOUT, HERE, ["FailedScheduling"], UNSURE, [], "", None, lenient=True),
    Incident("configmap renamed by a release", renamed_configmap, CHECKOUT, [*HERE, ("ConfigMap", "setings")],
             ["CreateContainerConfigError"], CERTAIN, ["setings", "settings"], "", None),
    Incident("limit too small to start", tiny_limit, CHECKOUT, HERE, ["OOMKilled"], LIKELY_OR_CERTAIN, ["4Mi"], None,
             ("update-resources", {"container": "app", "from": "4Mi", "to": "256Mi"})),
    Incident("directory mounted onto a file", bad_mount, CHECKOUT, HERE, CRASH, LIKELY_OR_CERTAIN, ["mount"], "", None),
    Incident("rolled back, one pod left", rolled_back, CHECKOUT, empty=True),
    Incident("two containers, two causes", two_containers, CHECKOUT, [*HERE, ("Secret", "tls")], [], CERTAIN, [], None,
             ("update-resources", {"container": "app", "to": "128Mi"})),
    Incident("port that the service does not have", wrong_port, CHECKOUT, [("ConfigMap", "settings")], CRASH,
             LIKELY_OR_CERTAIN, ["db_port"], "", ("update-configmap", {"key": "DB_PORT", "to": "5432"})),
    Incident("setting changed that has nothing to do with it", unrelated_change, CHECKOUT, HERE, CRASH, SYMPTOM, [], "",
             None),
    Incident("settings told while it starts", told_settings, CHECKOUT, HERE, CRASH, SYMPTOM, [], "", None),
    Incident("numbers everywhere", numbers_everywhere, CHECKOUT, HERE, CRASH, SYMPTOM, [], "", None),
    Incident("optional dependency down", optional_dependency, CHECKOUT, HERE, CRASH, SYMPTOM, [], "", None),
    Incident("another node is broken", unrelated_node, CHECKOUT, HERE, CRASH, LIKELY, ["image"], "",
             ("update-image", {"to": GOOD})),
    Incident("crashes since a mere restart", only_a_restart, CHECKOUT, HERE, CRASH, SYMPTOM, [], "", None),
    Incident("statefulset's secret", no_secret, CHECKOUT, [("Secret", "db")], ["CreateContainerConfigError"], CERTAIN,
             ["db"], "", None),
)  # fmt: skip
