"""Incidents in which pods are not ready, not scheduled, not created, or Jobs fail."""

from typing import Any

from .cluster import ago
from .expectation import CERTAIN, LIKELY_OR_CERTAIN, UNSURE, Incident
from .world import DAY, NODES, Workload, World, box, done, end, loops, ready_probe, up, waits

CHECKOUT = ("Deployment", "checkout", "shop")
HERE = [("Deployment", "checkout")]
PENDING = ["FailedScheduling"]


def _serving(world: World, stale: int, replicas: int = 3, kind: str = "Deployment", **how: Any) -> Workload:
    """A workload that has run for days; some of its pods lost their readiness ten minutes ago."""
    app = world.workload("checkout", containers=[box(readinessProbe=ready_probe())], replicas=replicas, kind=kind)
    for i in range(replicas):
        bad = i < stale
        pod = app.pod(
            up(9 * DAY, ready=not bad), node=NODES[i % 3], age_s=9 * DAY, unready_s=600.0 + i if bad else None, **how
        )
        if bad:
            said = "Readiness probe failed: HTTP probe failed with statuscode: 503"
            world.event(pod, "Unhealthy", said, count=60, at_s=10, over_s=600)
    return app


def stale(world: World) -> None:
    """0 of 3 ready, all run."""
    _serving(world, 3)


def stale_single(world: World) -> None:
    """0 of 1 ready."""
    _serving(world, 1, 1)


def stale_stateful(world: World) -> None:
    """A StatefulSet, 0 of 3."""
    _serving(world, 3, kind="StatefulSet")


def stale_waiting(world: World) -> None:
    """0 of 3 and the log says that the database does not answer, which is so."""
    _serving(world, 3)
    for pod in [o for o in world.objects if o["kind"] == "Pod" and o["metadata"].get("_of") == "checkout"]:
        world.log(pod, "WARN dial tcp 10.96.44.7:5432: connect: connection refused")
    service = world.add("Service", "orders-db", "shop", 40 * DAY)
    service["spec"] = {"clusterIP": "10.96.44.7", "selector": {"app": "orders-db"}, "ports": [{"port": 5432}]}
    made = world.workload("orders-db", "shop", [box("db", "postgres:16")], kind="StatefulSet", replicas=1)
    made.pod(loops(end(137, "OOMKilled")), age_s=DAY, unready_s=700)


def wedged(world: World) -> None:
    """One of three."""
    _serving(world, 1)


def wedged_stateful(world: World) -> None:
    """One of three of a StatefulSet."""
    _serving(world, 1, kind="StatefulSet")


def wedged_daemon(world: World) -> None:
    """One of three of a DaemonSet."""
    _serving(world, 1, kind="DaemonSet")


def half(world: World) -> None:
    """Two of four: nobody knows which half is right."""
    _serving(world, 2, 4)


def _released_probe(world: World, before: Any, after: Any, said: str, *, ports: int = 8080) -> None:
    """A release that changed nothing but the readiness probe: its pods never become ready."""
    port = [{"containerPort": ports}]
    app = world.workload("checkout", containers=[box(readinessProbe=before, ports=port)])
    for node in NODES:
        app.pod(up(20 * DAY), node=node, age_s=20 * DAY)
    app.rollout([box(readinessProbe=after, ports=port)], age_s=1200)
    pod = app.pod(up(1190, ready=False), age_s=1200, unready_s=1200)
    world.event(pod, "Unhealthy", f"Readiness probe failed: {said}", count=118, at_s=5, over_s=1180)


def probe_path(world: World) -> None:
    """The path is wrong."""
    _released_probe(world, ready_probe("/ready"), ready_probe("/redy"), "HTTP probe failed with statuscode: 404")


def probe_port(world: World) -> None:
    """The port is wrong."""
    said = 'Get "http://10.244.1.9:8081/ready": dial tcp 10.244.1.9:8081: connect: connection refused'
    _released_probe(world, ready_probe(), ready_probe(port=8081), said)


def never_ready(world: World) -> None:
    """A first release that never becomes ready; its probe asks a port that no container has."""
    app = world.workload("checkout", containers=[box(readinessProbe=ready_probe(port=9090))], replicas=2, age_s=1500)
    for node in NODES[:2]:
        pod = app.pod(up(1490, ready=False), node=node, age_s=1500, unready_s=1500)
        said = 'Readiness probe failed: Get "http://10.244.1.9:9090/ready": dial tcp 10.244.1.9:9090: connect: connection refused'
        world.event(pod, "Unhealthy", said, count=140, at_s=5, over_s=1400)


def slow_start(world: World) -> None:
    """A release whose first pod has been starting for half a minute."""
    probe = ready_probe() | {"initialDelaySeconds": 60}
    app = world.workload("checkout", containers=[box(readinessProbe=probe)])
    for node in NODES:
        app.pod(up(20 * DAY), node=node, age_s=20 * DAY)
    app.rollout([box(readinessProbe=probe, image="ghcr.io/acme/app:1.5.0")], age_s=40)
    pod = app.pod(up(35, ready=False), age_s=40, unready_s=40)
    world.event(pod, "Unhealthy", "Readiness probe failed: connection refused", count=2, at_s=5, over_s=20)


def _pending(world: World, message: str, **spec: Any) -> Workload:
    """One pod that the scheduler has no node for."""
    app = world.workload("checkout", replicas=2, **spec)
    app.pod(up(9 * DAY), age_s=9 * DAY)
    pod = app.pod(node=None, age_s=900, unready_s=900)
    told = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    pod["status"]["conditions"] = [told | {"lastTransitionTime": ago(900)}]
    world.event(pod, "FailedScheduling", message, component="default-scheduler", count=9, over_s=800)
    return app


def no_cpu(world: World) -> None:
    """No node has the processor time that it asks for."""
    _pending(
        world,
        "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available",
    )


def no_selector(world: World) -> None:
    """No node has the label."""
    _pending(
        world,
        "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.",
        nodeSelector={"gpu": "a100"},
    )


def tainted(world: World) -> None:
    """All nodes are tainted."""
    _pending(world, "0/3 nodes are available: 3 node(s) had untolerated taint {dedicated: infra}.")


def unbound(world: World) -> None:
    """A volume that nobody provides."""
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data-checkout"}}]
    _pending(world, "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.", volumes=volumes)
    claim = world.add("PersistentVolumeClaim", "data-checkout", "shop", 900)
    claim |= {"spec": {"storageClassName": "fast"}, "status": {"phase": "Pending"}}
    world.event(claim, "ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found', count=30,
                component="persistentvolume-controller")  # fmt: skip


def quota(world: World) -> None:
    """A quota forbids more pods."""
    app = world.workload("checkout", replicas=3)
    app.pod(up(9 * DAY), age_s=9 * DAY)
    said = ('pods "checkout-6c5d-" is forbidden: exceeded quota: compute, requested: limits.memory=256Mi, used: '
            "limits.memory=1Gi, limited: limits.memory=1Gi")  # fmt: skip
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": said,
               "lastTransitionTime": ago(900)}  # fmt: skip
    app.item["status"]["conditions"] = [failure]
    app.sets[-1]["status"]["conditions"] = [failure]
    app.sets[-1]["spec"]["replicas"] = 3
    limits = world.add("ResourceQuota", "compute", "shop")
    limits["status"] = {"hard": {"limits.memory": "1Gi"}, "used": {"limits.memory": "1Gi"}}
    world.event(app.sets[-1], "FailedCreate", f"Error creating: {said}", count=17, component="replicaset-controller")


def quota_stateful(world: World) -> None:
    """A StatefulSet tells only by an event."""
    app = world.workload("checkout", replicas=3, kind="StatefulSet")
    app.pod(up(9 * DAY), age_s=9 * DAY)
    said = ('create Pod checkout-1 in StatefulSet checkout failed error: pods "checkout-1" is forbidden: exceeded quota: '
            "compute, requested: pods=1, used: pods=9, limited: pods=9")  # fmt: skip
    world.event(app.item, "FailedCreate", said, count=17, at_s=40, over_s=900, component="statefulset-controller")


def at_ceiling(world: World) -> None:
    """An HPA at its maximum; the workload is well."""
    world.healthy("checkout", replicas=3)
    scaler = world.add("HorizontalPodAutoscaler", "checkout", "shop")
    scaler["spec"] = {"scaleTargetRef": {"kind": "Deployment", "name": "checkout"}, "maxReplicas": 3}
    scaler["status"] = {"currentReplicas": 3, "desiredReplicas": 3, "conditions": [
        {"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas", "message": "the desired replica count is "
         "more than the maximum replica count"}]}  # fmt: skip


def failed_job(world: World) -> None:
    """A Job that failed minutes ago; its log tells."""
    cron = world.add("CronJob", "export", "shop", 90 * DAY)
    cron |= {"spec": {"schedule": "*/30 * * * *"}, "status": {}}
    item = world.add("Job", "export-29011", "shop", 1500, owner=cron)
    item["spec"] = {"backoffLimit": 1, "template": {"spec": {"containers": [box("run")]}}}
    failed = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "lastTransitionTime": ago(900),
              "message": "Job has reached the specified backoff limit"}  # fmt: skip
    item["status"] = {"failed": 2, "conditions": [failed]}
    for i in range(2):
        pod = world.add("Pod", f"export-29011-{i}abcd", "shop", 1400 - i * 100, owner=item)
        pod["spec"] = {"containers": [box("run")], "nodeName": "worker-a", "restartPolicy": "Never"}
        pod["status"] = {"phase": "Failed", "containerStatuses": [{"name": "run"} | done(2, "Error", at_s=1000)]}
        world.log(pod, 'ERROR relation "orders_v2" does not exist', "run")


def job_deadline(world: World) -> None:
    """A Job that took too long."""
    item = world.add("Job", "backup", "shop", 5000)
    item["spec"] = {"activeDeadlineSeconds": 3600, "template": {"spec": {"containers": [box("run")]}}}
    failed = {"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "lastTransitionTime": ago(900),
              "message": "Job was active longer than specified deadline"}  # fmt: skip
    item["status"] = {"failed": 1, "conditions": [failed]}


def job_image(world: World) -> None:
    """A Job whose image does not come."""
    item = world.add("Job", "seed", "shop", 900)
    item["spec"] = {"template": {"spec": {"containers": [box("run", "ghcr.io/acme/seed:9")]}}}
    item["status"] = {"active": 1}
    pod = world.add("Pod", "seed-abcde", "shop", 900, owner=item)
    pod["spec"] = {"containers": [box("run", "ghcr.io/acme/seed:9")], "nodeName": "worker-a"}
    said = 'Back-off pulling image "ghcr.io/acme/seed:9": ErrImagePull: ghcr.io/acme/seed:9: not found'
    conditions = [{"type": "Ready", "status": "False", "lastTransitionTime": ago(900)}]
    status = {"name": "run"} | waits("ImagePullBackOff", said)
    pod["status"] = {"phase": "Pending", "conditions": conditions, "containerStatuses": [status]}


def paused_stale(world: World) -> None:
    """A paused Deployment can't be restarted by its template."""
    _serving(world, 3).item["spec"]["paused"] = True


def healthy(world: World) -> None:
    """All is well."""
    world.healthy("checkout", replicas=3)


def restarting_well(world: World) -> None:
    """A restart that someone asked for a minute ago is under way."""
    app = world.workload("checkout")
    old = app.sets[-1]
    app.rollout([box()], age_s=30)
    app.pod(up(20), age_s=28)
    app.pod(up(5, ready=False), age_s=8, unready_s=8)
    app.pod(up(9 * DAY), set_=old, age_s=9 * DAY)


def two_faults(world: World) -> None:
    """The image of the release does not come, and one old pod is wedged: the release is what blocks."""
    app = world.workload("checkout", containers=[box(readinessProbe=ready_probe())])
    for i, node in enumerate(NODES):
        app.pod(up(9 * DAY, ready=i > 0), node=node, age_s=9 * DAY, unready_s=None if i else 500)
    app.rollout([box(image="ghcr.io/acme/app:1.5.0")], age_s=700)
    said = "ErrImagePull: ghcr.io/acme/app:1.5.0: not found"
    app.pod(waits("ImagePullBackOff", said), age_s=700, unready_s=700, phase="Pending")


POD_INCIDENTS = (
    Incident("stale pods", stale, CHECKOUT, HERE, ["PodsNotReady"], CERTAIN, ["readiness"], "restart-deployment", None),
    Incident("the only pod is stale", stale_single, CHECKOUT, HERE, ["PodsNotReady"], CERTAIN, ["readiness"],
             "restart-deployment", None),
    Incident("stale pods of a statefulset", stale_stateful, ("StatefulSet", "checkout", "shop"),
             [("StatefulSet", "checkout")], ["PodsNotReady"], CERTAIN, ["readiness"], "restart-statefulset", None),
    Incident("stale pods that wait for a database", stale_waiting, CHECKOUT, [("StatefulSet", "orders-db")],
             ["OOMKilled"], LIKELY_OR_CERTAIN, [], "restart-statefulset", ("update-resources", {"container": "db"})),
    Incident("one wedged pod", wedged, CHECKOUT, [("Pod", "*")], ["PodNotReady"], CERTAIN, ["readiness"], "delete-pod",
             None),
    Incident("one wedged pod of a statefulset", wedged_stateful, ("StatefulSet", "checkout", "shop"), [("Pod", "*")],
             ["PodNotReady"], CERTAIN, ["readiness"], "delete-pod", None),
    Incident("one wedged pod of a daemonset", wedged_daemon, ("DaemonSet", "checkout", "shop"), [("Pod", "*")],
             ["PodNotReady"], CERTAIN, ["readiness"], "delete-pod", None),
    Incident("half of the pods", half, CHECKOUT, [], [], UNSURE, [], None, None, lenient=True),
    Incident("probe's path since a release", probe_path, CHECKOUT, HERE, [], LIKELY_OR_CERTAIN, ["probe"], "", None),
    Incident("probe's port since a release", probe_port, CHECKOUT, HERE, [], LIKELY_OR_CERTAIN, ["probe", "8081"], "",
             None),
    Incident("never ready", never_ready, CHECKOUT, HERE, [], UNSURE, ["probe", "9090"], "", None),
    Incident("slow start", slow_start, CHECKOUT, empty=True),
    Incident("no processor time", no_cpu, CHECKOUT, HERE, PENDING, LIKELY_OR_CERTAIN, ["insufficient cpu"], "", None),
    Incident("no node with the label", no_selector, CHECKOUT, HERE, PENDING, LIKELY_OR_CERTAIN, ["selector"], "", None),
    Incident("all nodes tainted", tainted, CHECKOUT, HERE, PENDING, LIKELY_OR_CERTAIN, ["taint"], "", None),
    Incident("volume unbound", unbound, CHECKOUT, [("PersistentVolumeClaim", "data-checkout")], [], LIKELY_OR_CERTAIN,
             ["data-checkout"], "", None),
    Incident("quota", quota, CHECKOUT, [("ResourceQuota", "compute")], ["FailedCreate"], LIKELY_OR_CERTAIN, ["quota"], "",
             None),
    Incident("quota of a statefulset", quota_stateful, ("StatefulSet", "checkout", "shop"), [("ResourceQuota", "compute")],
             ["FailedCreate"], LIKELY_OR_CERTAIN, ["quota"], "", None),
    Incident("autoscaler at its ceiling", at_ceiling, CHECKOUT, [], [], UNSURE, [], "", None, lenient=True),
    Incident("job failed", failed_job, ("Job", "export-29011", "shop"), [("Job", "export-29011"), ("CronJob", "export")],
             ["BackoffLimitExceeded"], UNSURE, ["orders_v2"], "", None),
    Incident("job failed, asked about the cronjob", failed_job, ("CronJob", "export", "shop"),
             [("Job", "export-29011"), ("CronJob", "export")], ["BackoffLimitExceeded"], UNSURE, ["orders_v2"], "", None),
    Incident("job too slow", job_deadline, ("Job", "backup", "shop"), [("Job", "backup")], ["DeadlineExceeded"],
             UNSURE, ["deadline"], "", None),
    Incident("job's image", job_image, ("Job", "seed", "shop"), [("Job", "seed")], ["ImagePullBackOff"],
             LIKELY_OR_CERTAIN, ["ghcr.io/acme/seed:9"], "", None),
    Incident("stale pods of a paused deployment", paused_stale, CHECKOUT, HERE, ["PodsNotReady"], LIKELY_OR_CERTAIN, [],
             "", None),
    Incident("all is well", healthy, CHECKOUT, empty=True),
    Incident("restart under way", restarting_well, CHECKOUT, empty=True),
    Incident("two faults", two_faults, CHECKOUT, HERE, ["ImagePullBackOff"], CERTAIN, ["1.5.0"], "",
             ("update-image", {"to": "ghcr.io/acme/app:1.4.0"})),
)  # fmt: skip
