"""Incidents whose obvious answer is wrong, or whose cause stands somewhere else than one looks first."""

from typing import Any

from .cluster import ago
from .expectation import CERTAIN, LIKELY, LIKELY_OR_CERTAIN, UNSURE, Incident
from .incidents_crashes import FROM_SETTINGS, _crashing, _database, _released
from .incidents_images import GOOD, _stuck
from .world import DAY, NODES, World, box, end, loops, ready_probe, up, waits

CHECKOUT = ("Deployment", "checkout", "shop")
HERE = [("Deployment", "checkout")]
CRASH = ["CrashLoopBackOff"]
SETTINGS = [("ConfigMap", "settings")]


def root_user(world: World) -> None:
    """The kubelet itself says what is wrong with the rights."""
    app = world.workload("checkout", containers=[box(securityContext={"runAsNonRoot": True})], replicas=1)
    said = 'container has runAsNonRoot and image will run as root (pod: "checkout_shop(ab)", container: app)'
    app.pod(waits("CreateContainerConfigError", said), age_s=600, unready_s=600, phase="Pending")


def nginx_file(world: World) -> None:
    """A mounted file has a word that its reader does not know."""
    volumes = [{"name": "conf", "configMap": {"name": "settings"}}]
    mounted = box(volumeMounts=[{"name": "conf", "mountPath": "/etc/nginx/conf.d"}])
    app = world.workload("checkout", containers=[mounted], replicas=2, volumes=volumes)
    good = "server {\n  listen 8080;\n}\n"
    world.configmap(
        "settings", {"default.conf": good.replace("listen", "lisen")}, changed_s=900, applied={"default.conf": good}
    )
    for node in NODES[:2]:
        pod = app.pod(loops(end(1)), node=node, age_s=800, unready_s=800)
        world.log(pod, 'nginx: [emerg] unknown directive "lisen" in /etc/nginx/conf.d/default.conf:2')


def spoken_key(world: World) -> None:
    """The program says `log level`, the key is LOG_LEVEL."""
    _crashing(world, end(1), 'fatal: unknown log level "verbos"', containers=[box(**FROM_SETTINGS)])
    world.configmap("settings", {"LOG_LEVEL": "verbos", "LEVELS": "3"}, applied={"LOG_LEVEL": "debug", "LEVELS": "3"})


def wrong_host(world: World) -> None:
    """The ConfigMap names a host that does not exist."""
    log = 'psycopg2.OperationalError: could not translate host name "orders-bd" to address: Name or service not known'
    _crashing(world, end(1), log, containers=[box(**FROM_SETTINGS)])
    now = {"DB_HOST": "orders-bd", "DB_PORT": "5432"}
    world.configmap("settings", now, applied=now | {"DB_HOST": "orders-db"})
    _database(world, ready=True)


def wrong_url(world: World) -> None:
    """The same inside of an address."""
    log = "Error: getaddrinfo ENOTFOUND orders-bd"
    _crashing(world, end(1), log, containers=[box(**FROM_SETTINGS)])
    world.configmap("settings", {"DATABASE_URL": "postgres://orders-bd:5432/orders", "MODE": "x"})
    _database(world, ready=True)


def reachable_setting(world: World) -> None:
    """The log names a key of the ConfigMap, but what it points at is down."""
    log = "error: cannot connect to DB_HOST=orders-db: connection refused"
    _crashing(world, end(1), log, containers=[box(**FROM_SETTINGS)])
    world.configmap("settings", {"DB_HOST": "orders-db"}, changed_s=1000)
    _database(world, ready=False)


def no_name_service(world: World) -> None:
    """Nothing resolves, because the cluster's name service is down."""
    app = world.workload("checkout", replicas=2)
    for node in NODES[:2]:
        pod = app.pod(loops(end(1)), node=node, age_s=2400, unready_s=2400)
        world.log(pod, "fatal: dial tcp: lookup orders-db on 10.96.0.10:53: read udp: i/o timeout")
    _database(world, ready=True)
    service = world.add("Service", "kube-dns", "kube-system", 90 * DAY)
    service["spec"] = {"clusterIP": "10.96.0.10", "selector": {"app": "dns"}, "ports": [{"port": 53}]}
    volumes = [{"name": "config", "configMap": {"name": "dns-config"}}]
    dns = world.workload("dns", "kube-system", [box("dns", "coredns:1.11")], replicas=1, volumes=volumes)
    pod = dns.pod(waits("ContainerCreating"), age_s=2500, unready_s=2500, phase="Pending")
    said = 'MountVolume.SetUp failed for volume "config" : configmap "dns-config" not found'
    world.event(pod, "FailedMount", said, count=20, over_s=2000)


def registry_misspelled(world: World) -> None:
    """The registry's own name is wrong."""
    image = "ghcr.oi/acme/app:1.5.0"
    said = f'failed to pull image "{image}": dial tcp: lookup ghcr.oi on 10.96.0.10:53: no such host'
    _stuck(said, image=image)(world)


def terminating_on_a_lost_node(world: World) -> None:
    """A StatefulSet's pod can't be replaced, because its node does not answer."""
    world.change_node("worker-a", Ready=("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.", 900.0))
    app = world.workload("warehouse-db", "data", [box("db", "postgres:16")], kind="StatefulSet", replicas=2)
    gone = app.pod(up(9 * DAY), age_s=9 * DAY, unready_s=890)
    gone["metadata"] |= {"deletionTimestamp": ago(560), "deletionGracePeriodSeconds": 30}
    app.pod(up(9 * DAY), node="worker-b", age_s=9 * DAY)


def waits_for_a_dependency(world: World) -> None:
    """An init container waits for a Service for ever."""
    app = world.workload("checkout", initContainers=[box("wait-for-db", "busybox:1")], replicas=1)
    pod = app.pod(waits("PodInitializing"), init=[up(1500, ready=False)], age_s=1500, unready_s=1500, phase="Pending")
    world.log(pod, "waiting for orders-db:5432 ...\nwaiting for orders-db:5432 ...", "wait-for-db")
    _database(world, ready=False)


def init_hangs(world: World) -> None:
    """An init container that does not end, and nobody knows why."""
    app = world.workload("checkout", initContainers=[box("migrate", "flyway:10")], replicas=1)
    app.pod(waits("PodInitializing"), init=[up(4000, ready=False)], age_s=4000, unready_s=4000, phase="Pending")


def init_crashes(world: World) -> None:
    """An init container that fails."""
    app = world.workload("checkout", initContainers=[box("migrate", "flyway:10")], replicas=1)
    pod = app.pod(waits("PodInitializing"), init=[loops(end(1))], age_s=4000, unready_s=4000, phase="Pending")
    world.log(pod, 'ERROR: Migration V7 failed: syntax error at or near "SELCT"', "migrate")


def no_service_account(world: World) -> None:
    """The ServiceAccount does not exist."""
    app = world.workload("checkout", serviceAccountName="checkout-bot", replicas=1)
    said = (
        'pods "checkout-6c5d-" is forbidden: error looking up service account shop/checkout-bot: '
        'serviceaccount "checkout-bot" not found'
    )
    told = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": said}
    app.item["status"]["conditions"] = [told | {"lastTransitionTime": ago(900)}]
    world.event(app.sets[-1], "FailedCreate", f"Error creating: {said}", count=15, component="replicaset-controller")


def scratch_space(world: World) -> None:
    """Pods fill their own scratch space and are evicted, one after the other."""
    app = world.workload("checkout", replicas=1)
    for at_s in (3000.0, 2000.0, 1000.0):
        gone = app.pod(age_s=at_s + 500, phase="Failed", unready_s=at_s)
        said = "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. "
        gone["status"] |= {"reason": "Evicted", "message": said, "containerStatuses": []}
        app.sets[-1]["spec"]["replicas"] -= 1
    app.pod(up(900), age_s=950)


def no_route(world: World) -> None:
    """The cloud made no route to the node."""
    world.change_node(
        "worker-a", NetworkUnavailable=("True", "NoRouteCreated", "RouteController failed to create a route", 600.0)
    )
    app = world.workload("checkout", containers=[box(readinessProbe=ready_probe())])
    for i, node in enumerate(NODES):
        app.pod(up(9 * DAY, ready=i > 0), node=node, age_s=9 * DAY, unready_s=None if i else 590)


def caught_running(world: World) -> None:
    """A container that crashes each minute was looked at while it ran."""
    app = world.workload("checkout", containers=[box()], replicas=3)
    for node in NODES:
        app.pod(up(20 * DAY), node=node, age_s=20 * DAY)
    app.rollout([box(image="ghcr.io/acme/app:1.5.0")], age_s=1200)
    app.pod(up(20, restarts=5, last=end(1, at_s=180, ran_s=40)), age_s=1200)


def old_release(world: World) -> None:
    """A release of this morning crashes since then; the old pods still serve."""
    app = world.workload("checkout", containers=[box()], replicas=3)
    for node in NODES:
        app.pod(up(20 * DAY), node=node, age_s=20 * DAY)
    app.rollout([box(image="ghcr.io/acme/app:1.5.0")], age_s=6 * 3600)
    app.pod(loops(end(1), restarts=72), age_s=6 * 3600, unready_s=6 * 3600)


def two_bad_releases(world: World) -> None:
    """Neither of the last two images exists; only the one before serves."""
    app = world.workload("checkout", containers=[box(image=GOOD)])
    for node in NODES:
        app.pod(up(20 * DAY), node=node, age_s=20 * DAY)
    for tag in ("1.5.0", "1.5.1"):
        app.rollout([box(image=f"ghcr.io/acme/app:{tag}")], age_s=900)
    said = "ErrImagePull: ghcr.io/acme/app:1.5.1: not found"
    app.pod(waits("ErrImagePull", said), age_s=500, unready_s=500, phase="Pending")


def rebooted(world: World) -> None:
    """All pods of a node were restarted by its reboot ten minutes ago and are well."""
    node = world.objects[0]
    world.event(node, "Rebooted", "Node worker-a has been rebooted, boot id: ab", at_s=500)
    world.event(
        node, "NodeNotReady", "Node worker-a status is now: NodeNotReady", at_s=520, component="node-controller"
    )
    app = world.workload("checkout", replicas=2)
    for _ in range(2):
        last = end(255, "Unknown", at_s=510, ran_s=9 * DAY)
        app.pod(up(480, restarts=4, last=last), age_s=30 * DAY)


def restarted_singly(world: World) -> None:
    """One crash a few minutes ago after weeks of good work."""
    app = world.workload("checkout", replicas=2)
    app.pod(up(200, restarts=1, last=end(1, at_s=205, ran_s=20 * DAY)), age_s=20 * DAY)
    app.pod(up(20 * DAY), node="worker-b", age_s=20 * DAY)


def secret_in_a_log(world: World) -> None:
    """The log holds secrets of all kinds, beside the reason."""
    log = (
        "connecting to postgres://shop:hunter2secret@orders-db:5432/shop\nAWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n"
        "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U\n"
        "panic: cannot use token=ghp_abcdefghijklmnopqrstuvwxyz0123456789"
    )
    _crashing(world, end(1), log)


def value_below(world: World) -> None:
    """The program names the key in one line and the value two lines below."""
    log = (
        "***************************\nAPPLICATION FAILED TO START\n***************************\n"
        "Failed to bind properties under 'server.port' to int:\n    Property: server.port\n    Value: \"eighty\"\n"
        "    Reason: failed to convert java.lang.String to int"
    )
    _crashing(world, end(1), log, containers=[box(**FROM_SETTINGS)])
    world.configmap("settings", {"SERVER_PORT": "eighty", "NAME": "x"}, applied={"SERVER_PORT": "8080", "NAME": "x"})


def value_alone(world: World) -> None:
    """The program only tells the value that it can't read."""
    _crashing(world, end(2), 'panic: strconv.Atoi: parsing "lots": invalid syntax', containers=[box(**FROM_SETTINGS)])
    world.configmap("settings", {"MAX_CONN": "lots", "NAME": "shop"}, applied={"MAX_CONN": "50", "NAME": "shop"})


def lost_upstream(world: World) -> None:
    """A proxy's file names a host that does not exist."""
    volumes = [{"name": "conf", "configMap": {"name": "settings"}}]
    mounted = box(volumeMounts=[{"name": "conf", "mountPath": "/etc/nginx/conf.d"}])
    app = world.workload("checkout", containers=[mounted], replicas=1, volumes=volumes)
    world.configmap("settings", {"default.conf": "server {\n  proxy_pass http://backend-v2;\n}\n"})
    pod = app.pod(loops(end(1)), age_s=800, unready_s=800)
    world.log(pod, 'nginx: [emerg] host not found in upstream "backend-v2" in /etc/nginx/conf.d/default.conf:2')


def module_missing(world: World) -> None:
    """The new image lacks a module."""
    log = "Traceback (most recent call last):\n  File \"main.py\"\nModuleNotFoundError: No module named 'flask'"
    _released(world, box(), box(image="ghcr.io/acme/app:1.5.0"), end(1), log)


def script_missing(world: World) -> None:
    """The release's arguments name a file that is not there."""
    log = "Error: Cannot find module '/app/sevrer.js'"
    _released(world, box(args=["server.js"]), box(args=["sevrer.js"]), end(1), log)


def recreated(world: World) -> None:
    """All pods were replaced at once by an image that does not exist."""
    app = world.workload("checkout", containers=[box(image=GOOD)], replicas=2)
    app.rollout([box(image="ghcr.io/acme/app:1.5.0")], age_s=900)
    for node in NODES[:2]:
        said = "ErrImagePull: ghcr.io/acme/app:1.5.0: not found"
        app.pod(waits("ImagePullBackOff", said), node=node, age_s=890, unready_s=890, phase="Pending")


def released_value(before: str, after: str) -> Any:
    """A release that changed a variable to a host that does not exist."""

    def build(world: World) -> None:
        old, new = ([{"name": "DB_HOST", "value": value}] for value in (before, after))
        _released(world, box(env=old), box(env=new), end(1), f"fatal: lookup {after} on 10.96.0.10:53: no such host")

    return build


TRICKY = (
    Incident("runs as root", root_user, CHECKOUT, HERE, ["CreateContainerConfigError"], LIKELY, ["runasnonroot"], "", None),
    Incident("word in a mounted file", nginx_file, CHECKOUT, SETTINGS, CRASH, LIKELY_OR_CERTAIN, ["default.conf"], "",
             ("update-configmap", {"key": "default.conf", "to": "server {\n  listen 8080;\n}\n"})),
    Incident("key in plain words", spoken_key, CHECKOUT, SETTINGS, CRASH, LIKELY_OR_CERTAIN, ["log_level"], "",
             ("update-configmap", {"key": "LOG_LEVEL", "from": "verbos", "to": "debug"})),
    Incident("host that does not exist", wrong_host, CHECKOUT, SETTINGS, CRASH, LIKELY_OR_CERTAIN, ["db_host"], "",
             ("update-configmap", {"key": "DB_HOST", "from": "orders-bd", "to": "orders-db"})),
    Incident("address of a host that does not exist", wrong_url, CHECKOUT, SETTINGS, CRASH, LIKELY, ["database_url"], "",
             None),
    Incident("setting that is right, dependency down", reachable_setting, CHECKOUT, [("StatefulSet", "orders-db")],
             ["OOMKilled"], LIKELY_OR_CERTAIN, ["orders-db"], "restart-statefulset", ("update-resources", {})),
    Incident("name service down", no_name_service, CHECKOUT, [("ConfigMap", "dns-config")], ["FailedMount"],
             LIKELY_OR_CERTAIN, ["dns-config"], "", None),
    Incident("registry misspelled", registry_misspelled, CHECKOUT, HERE, ["ImagePullBackOff"], LIKELY_OR_CERTAIN,
             ["ghcr.oi"], "", ("update-image", {"to": GOOD})),
    Incident("terminating on a lost node", terminating_on_a_lost_node, ("StatefulSet", "warehouse-db", "data"),
             [("Node", "worker-a")], ["NodeNotReady"], (0.7, 0.95), [], "cordon-node", None),
    Incident("init container waits for what is down", waits_for_a_dependency, CHECKOUT, [("StatefulSet", "orders-db")],
             ["OOMKilled"], LIKELY_OR_CERTAIN, ["orders-db"], "restart-statefulset", ("update-resources", {})),
    Incident("init container hangs", init_hangs, CHECKOUT, HERE, [], (0.05, 0.6999), ["migrate"], "", None),
    Incident("init container crashes", init_crashes, CHECKOUT, HERE, CRASH, (0.05, 0.6999), ["migrate"], "", None),
    Incident("no service account", no_service_account, CHECKOUT, [("ServiceAccount", "checkout-bot")], ["FailedCreate"],
             LIKELY_OR_CERTAIN, ["checkout-bot"], "", None),
    Incident("scratch space", scratch_space, CHECKOUT, HERE, ["Evicted"], UNSURE, ["ephemeral"], "", None),
    Incident("no route to the node", no_route, CHECKOUT, [("Node", "worker-a")], ["NetworkUnavailable"], LIKELY, [],
             "cordon-node", None),
    Incident("no route, asked about the node", no_route, ("Node", "worker-a", ""), [("Node", "worker-a")],
             ["NetworkUnavailable"], LIKELY, [], "cordon-node", None),
    Incident("caught while it ran", caught_running, CHECKOUT, HERE, CRASH, LIKELY, ["image"], "",
             ("update-image", {"to": GOOD})),
    Incident("release of this morning", old_release, CHECKOUT, HERE, CRASH, LIKELY, ["image"], "",
             ("update-image", {"to": GOOD})),
    Incident("two bad releases", two_bad_releases, CHECKOUT, HERE, ["ImagePullBackOff"], CERTAIN, ["1.5.1"], "",
             ("update-image", {"to": GOOD})),
    Incident("node rebooted, all is well again", rebooted, CHECKOUT, empty=True),
    Incident("one restart", restarted_singly, CHECKOUT, empty=True),
    Incident("secrets in the log", secret_in_a_log, CHECKOUT, HERE, CRASH, UNSURE, [], "", None),
    Incident("value below its key", value_below, CHECKOUT, SETTINGS, CRASH, LIKELY_OR_CERTAIN, ["server_port"], "",
             ("update-configmap", {"key": "SERVER_PORT", "from": "eighty", "to": "8080"})),
    Incident("value alone", value_alone, CHECKOUT, SETTINGS, CRASH, LIKELY_OR_CERTAIN, ["max_conn"], "",
             ("update-configmap", {"key": "MAX_CONN", "from": "lots", "to": "50"})),
    Incident("upstream that does not exist", lost_upstream, CHECKOUT, SETTINGS, CRASH, LIKELY, ["default.conf"], "", None),
    Incident("module missing since a release", module_missing, CHECKOUT, HERE, CRASH, LIKELY, ["image"], "",
             ("update-image", {"to": GOOD})),
    Incident("file missing since a release", script_missing, CHECKOUT, HERE, CRASH, LIKELY, ["args"], "", None),
    Incident("all replaced by an image that does not exist", recreated, CHECKOUT, HERE, ["ImagePullBackOff"], CERTAIN,
             ["1.5.0"], "", ("update-image", {"to": GOOD})),
    Incident("release with a host that does not exist", released_value("orders-db", "orders-bd"), CHECKOUT, HERE, CRASH,
             LIKELY, ["db_host"], "", None),
)  # fmt: skip
