"""About thirty workloads that are well, with everything odd that a grown cluster holds and that is no incident."""

from functools import cache

from .cluster import ago
from .world import DAY, NODES, Flavour, Object, World, box, done, end, ready_probe, up, waits


def add_crowd(world: World) -> None:
    """Fills a world with systems that are well; they are built once and shared, so nobody may change them."""
    objects, logs = _crowd(world.flavour)
    held = {(o["kind"], o["metadata"]["name"]) for o in world.objects if o["kind"] == "Node"}
    world.objects += [o for o in objects if (o["kind"], o["metadata"]["name"]) not in held]
    world.logs |= logs


@cache
def _crowd(flavour: Flavour) -> tuple[list[Object], dict[tuple[str, str], dict[str, str]]]:
    world = World(flavour)
    _plain(world)
    _system(world)
    _finished(world)
    _restarted_long_ago(world)
    _in_motion(world)
    _noise(world)
    for item in world.objects:
        if item["kind"] == "Event":
            item["metadata"]["name"] += "c"
    return world.objects, world.logs


def _plain(world: World) -> None:
    for namespace in ("shop", "billing", "search"):
        for name in ("frontend", "gateway", "recommend", "mailer"):
            world.healthy(f"{name}-{namespace}", namespace, replicas=2)
    world.healthy("warehouse", "data", kind="StatefulSet", replicas=3)
    mesh = world.workload("meshed", "billing", initContainers=[box("istio-proxy", restartPolicy="Always")], replicas=1)
    mesh.pod(up(9 * DAY), init=[up(9 * DAY)], age_s=9 * DAY)
    # a default limit that is low and never met, a probe that fails now and then, a value that looks wrong and is not
    world.configmap("frontend-settings", {"DEBUG": "nope", "TIMEOUT": "invalid-but-unused"}, changed_s=500)


def _system(world: World) -> None:
    proxy = world.workload("kube-proxy", "kube-system", kind="DaemonSet")
    for node in NODES:
        proxy.pod(up(40 * DAY), node=node, age_s=40 * DAY)
    cordoned = world.node("worker-cordoned")
    cordoned["spec"] |= {
        "unschedulable": True,
        "taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "timeAdded": ago(3 * DAY)}],
    }
    proxy.pod(up(40 * DAY), node="worker-cordoned", age_s=40 * DAY)
    for name in ("etcd", "kube-apiserver"):
        host = next(o for o in world.objects if o["kind"] == "Node")
        static = world.add("Pod", f"{name}-worker-a", "kube-system", 60 * DAY, owner=host)
        static["spec"] = {"containers": [box(name)], "nodeName": "worker-a", "hostNetwork": True}
        static["status"] = {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": ago(60 * DAY)}],
            "containerStatuses": [{"name": name} | up(30 * DAY, restarts=4, last=end(255, at_s=30 * DAY))],
        }
    dns = world.workload("coredns", "kube-system", replicas=2)
    dns.pod(up(60 * DAY, restarts=2, last=end(0, "Completed", at_s=31 * DAY)), age_s=90 * DAY)
    dns.pod(up(60 * DAY), node="worker-b", age_s=90 * DAY)


def _finished(world: World) -> None:
    cron = world.add("CronJob", "nightly", "billing", 90 * DAY)
    cron |= {"spec": {"schedule": "0 3 * * *"}, "status": {"lastScheduleTime": ago(30000)}}
    for i, at_s in enumerate((30000.0, 30000.0 + DAY)):
        job = world.add("Job", f"nightly-{i}", "billing", at_s, owner=cron)
        job["spec"] = {"backoffLimit": 6, "template": {"spec": {"containers": [box("run")]}}}
        job["status"] = {"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}
        pod = world.add("Pod", f"nightly-{i}-x7k2p", "billing", at_s, owner=job)
        pod["spec"] = {"containers": [box("run")], "nodeName": "worker-b", "restartPolicy": "Never"}
        pod["status"] = {
            "phase": "Succeeded",
            "conditions": [
                {"type": "Ready", "status": "False", "reason": "PodCompleted", "lastTransitionTime": ago(at_s)}
            ],
            "containerStatuses": [{"name": "run"} | done(at_s=at_s - 60) | {"ready": False}],
        }
    old = world.add("Job", "migrate-v3", "billing", 25 * DAY)
    old["spec"] = {"backoffLimit": 2, "template": {"spec": {"containers": [box("run")]}}}
    failed = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "lastTransitionTime": ago(25 * DAY)}
    old["status"] = {"failed": 3, "conditions": [failed]}
    evicted = world.healthy("reports", "billing")
    for i in range(3):
        left = evicted.pod(age_s=12 * DAY, phase="Failed", unready_s=12 * DAY, name=f"reports-left-{i}")
        left["status"] |= {
            "reason": "Evicted",
            "message": "The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 9Gi.",
            "containerStatuses": [],
        }
        evicted.sets[-1]["spec"]["replicas"] -= 1


def _restarted_long_ago(world: World) -> None:
    for i, last in enumerate(
        (end(137, "OOMKilled", at_s=30 * DAY), end(1, at_s=28 * DAY), end(143, at_s=3 * DAY), end(137, at_s=5 * DAY))
    ):
        made = world.workload(f"veteran-{i}", "shop", replicas=1)
        made.pod(up(2 * DAY, restarts=3, last=last), age_s=60 * DAY)


def _in_motion(world: World) -> None:
    paused = world.healthy("paused", "search")
    paused.item["spec"]["paused"] = True
    nothing = world.workload("asleep", "search", replicas=0)
    nothing.item["status"] = {"observedGeneration": 1}
    rolling = world.healthy("rolling", "search", replicas=3)
    fresh = rolling.rollout([box(image="ghcr.io/acme/rolling:2.0.0", readinessProbe=ready_probe())], age_s=20)
    rolling.pod(waits("ContainerCreating"), set_=fresh, age_s=8, unready_s=8, phase="Pending")
    rolling.pod(up(5, ready=False), set_=fresh, age_s=15, unready_s=15)
    leaving = world.healthy("leaving", "search")
    gone = leaving.pod(up(DAY, ready=False), unready_s=8, age_s=DAY)
    gone["metadata"] |= {"deletionTimestamp": ago(-20), "deletionGracePeriodSeconds": 30}


def _noise(world: World) -> None:
    pods = [o for o in world.objects if o["kind"] == "Pod" and o["metadata"]["namespace"] == "search"]
    nodes = [o for o in world.objects if o["kind"] == "Node"]
    world.event(pods[0], "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", at_s=1700)
    world.event(pods[1], "FailedMount", 'MountVolume.SetUp failed for volume "x" : configmap "x" not found', at_s=1500)
    world.event(pods[2], "BackOff", "Back-off restarting failed container", at_s=90 * 60, count=4)
    late = "0/4 nodes are available: 4 Insufficient cpu. preemption: 0/4 nodes are available"
    world.event(pods[3], "FailedScheduling", late, at_s=2400, component="default-scheduler")
    world.event(pods[4], "Failed", "Error: ErrImagePull", at_s=7200)
    world.event(nodes[0], "InvalidDiskCapacity", "invalid capacity 0 on image filesystem", at_s=3000)
    world.event(nodes[1], "NodeNotReady", "Node worker-b status is now: NodeNotReady", at_s=9 * DAY)
    world.event(nodes[1], "Rebooted", "Node worker-b has been rebooted", at_s=9 * DAY, kind="Warning")
    for i, pod in enumerate(pods[:4]):
        world.log(pod, f"level=info msg=ok n={i}\nWARN connection refused, retrying\nlevel=info msg=connected")
