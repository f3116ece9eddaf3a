"""Incidents written before anybody looked at what the rules know: nodes, scheduling, readiness, and what only looks wrong."""

# ruff: noqa: E501 - the words of a cluster stay on one line, as it says them

from typing import Any

from .foreign import Foreign, Object, Workload, ago, container, end, limits, run, status, wait
from .unseen import Unseen

ANY = (0.3, 0.99)
NODE = "ip-10-0-3-17"
D = "Deployment"


def _serving(
    c: Foreign,
    name: str,
    replicas: int,
    ready: int,
    *,
    unready_s: float = 700,
    log: str = "",
    why: str = "",
    node: str = NODE,
) -> Workload:
    """A Deployment that has served for days and of which some pods lost their readiness."""
    probe = {
        "httpGet": {"path": "/ready", "port": 8080, "scheme": "HTTP"},
        "periodSeconds": 10,
        "failureThreshold": 3,
        "timeoutSeconds": 1,
    }
    app = container("app", f"acme/{name}:5", readinessProbe=probe, ports=[{"containerPort": 8080}])
    w = Workload(c, name, "shop", [app], replicas=replicas, ready=ready)
    w.revision("66c9d7b8c4", 600000, wanted=replicas, ready=ready)
    if ready:
        w.well(ready)
    for i in range(replicas - ready):
        pod = w.pod(f"u{i}hvq", [status(app, run(500000))], age_s=500010, since_s=unready_s + i, node=node)
        if why:
            c.event(pod, "Unhealthy", f"Readiness probe failed: {why}", 5, first_s=unready_s, count=70)
        if log:
            c.log(pod, "app", log)
    w.settled()
    return w


def readiness_on_the_wrong_port(c: Foreign) -> None:
    c.node(NODE)
    probe: Object = {
        "httpGet": {"path": "/healthz", "port": 8081, "scheme": "HTTP"},
        "periodSeconds": 10,
        "failureThreshold": 3,
    }
    app = container("app", "acme/profile:2", ports=[{"containerPort": 8080, "protocol": "TCP"}], readinessProbe=probe)
    good = app | {"readinessProbe": {**probe, "httpGet": {**probe["httpGet"], "port": 8080}}}
    w = Workload(c, "profile", "shop", [app], ready=3)
    old = w.revision("57f5d8b9c6", 400000, wanted=3, ready=3, containers=[good])
    w.revision("696f4b6c5d", 1500, wanted=1, ready=0)
    w.well(3, of=old)
    pod = w.pod("2kq7x", [status(app, run(1490))], age_s=1500)
    c.event(pod, "Unhealthy", 'Readiness probe failed: Get "http://10.244.1.23:8081/healthz": dial tcp 10.244.1.23:8081: connect: connection refused',
            6, first_s=1480, count=150)  # fmt: skip
    c.log(pod, "app", '{"level":"info","msg":"listening on :8080"}')
    w.stuck(900)


def rollout_never_ready(c: Foreign) -> None:
    c.node(NODE)
    probe = {"httpGet": {"path": "/ready", "port": 8080, "scheme": "HTTP"}, "periodSeconds": 10, "failureThreshold": 3}
    app = container("app", "acme/catalog:10.0.0", ports=[{"containerPort": 8080}], readinessProbe=probe)
    w = Workload(c, "catalog", "shop", [app], ready=3)
    old = w.revision("5dcb8f5d6f", 400000, wanted=3, ready=3, containers=[app | {"image": "acme/catalog:9.4.2"}])
    w.revision("64fd7b6f8", 1300, wanted=1, ready=0)
    w.well(3, of=old)
    pod = w.pod("bb5wn", [status(app, run(1290))], age_s=1300)
    c.event(
        pod, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", 6, first_s=1280, count=128
    )
    c.log(pod, "app", "WARN schema version is 41, need 42: waiting for migration")
    w.stuck(700)


def rollout_under_way(c: Foreign) -> None:
    c.node(NODE)
    app = container("app", "acme/catalog:10.0.0")
    w = Workload(c, "catalog", "shop", [app], ready=3)
    old = w.revision("5dcb8f5d6f", 400000, wanted=3, ready=3, containers=[app | {"image": "acme/catalog:9.4.2"}])
    w.revision("64fd7b6f8", 9, wanted=1, ready=0)
    w.well(3, of=old)
    w.pod("bb5wn", [status(app, wait("ContainerCreating"))], age_s=9, phase="Pending")
    w.condition("Progressing", "True", "ReplicaSetUpdated", 'ReplicaSet "catalog-64fd7b6f8" is progressing.', 9)
    w.condition("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", 400000)


def all_stale(c: Foreign) -> None:
    c.node(NODE)
    _serving(
        c,
        "reviews",
        3,
        0,
        why='Get "http://10.244.1.44:8080/ready": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
    )


def one_stale(c: Foreign) -> None:
    c.node(NODE)
    c.node("ip-10-0-3-18")
    _serving(
        c,
        "reviews",
        4,
        3,
        why='Get "http://10.244.1.44:8080/ready": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
    )


def one_stale_on_a_lost_node(c: Foreign) -> None:
    c.node("ip-10-0-3-18")
    lost = ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.", 380)
    taints = [{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "timeAdded": ago(375)}]
    c.node(NODE, taints=taints, Ready=lost, MemoryPressure=lost, DiskPressure=lost, PIDPressure=lost)
    _serving(c, "reviews", 4, 3, unready_s=378)


def all_stale_for_want_of_a_database(c: Foreign) -> None:
    c.node(NODE)
    log = ("2026-03-14 02:40:58 ERROR pool: could not connect: connection to server at \"postgres.data.svc.cluster.local\" (10.96.77.10), port 5432 "
           "failed: Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?")  # fmt: skip
    _serving(c, "reviews", 3, 0, log=log, why="HTTP probe failed with statuscode: 503")
    db = container("postgres", "postgres:16.4", **limits("1Gi"))
    w = Workload(c, "postgres", "data", [db], kind="StatefulSet", replicas=1)
    c.add(
        "Service",
        "postgres",
        "data",
        spec={"clusterIP": "10.96.77.10", "selector": w.labels, "ports": [{"port": 5432}]},
    )
    killed = end("OOMKilled", 137, 35, 80)
    pod = w.pod("0", [status(db, wait("CrashLoopBackOff", "back-off 2m40s restarting failed container=postgres"), restarts=6, last=killed)],
                age_s=500000, since_s=800)  # fmt: skip
    pod["metadata"]["labels"] = w.labels


def _unscheduled(
    c: Foreign,
    message: str,
    name: str = "render",
    namespace: str = "shop",
    *,
    kind: str = D,
    age_s: float = 1200,
    **spec: Any,
) -> Workload:
    app = container("app", f"acme/{name}:1", **limits("512Mi"))
    w = Workload(c, name, namespace, [app], kind=kind, replicas=1, **spec)
    if kind == D:
        w.revision("7b9d6cf4d5", age_s, wanted=1, ready=0)
        w.stuck(max(age_s - 600, 1))
    pod = w.pod("0" if kind != D else "lw9sz", None, phase="Pending", age_s=age_s, unscheduled=message)
    c.event(pod, "FailedScheduling", message, 40, component="default-scheduler")
    return w


def taint_without_toleration(c: Foreign) -> None:
    gpu = [{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}]
    for i in range(3):
        c.node(f"gpu-{i}", taints=gpu)
    c.node("cp-0", taints=[{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}])
    _unscheduled(c, "0/4 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 3 node(s) had untolerated taint "
                 "{dedicated: gpu}. preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling.")  # fmt: skip


def affinity_impossible(c: Foreign) -> None:
    for i in range(3):
        c.node(f"n{i}")
    terms = [
        {"matchExpressions": [{"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["eu-central-1d"]}]}
    ]
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}
    _unscheduled(c, "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are available: 3 Preemption is not "
                 "helpful for scheduling.", affinity=affinity)  # fmt: skip


def lost_to_a_higher_priority(c: Foreign) -> None:
    for i in range(3):
        c.node(f"n{i}")
    w = _unscheduled(c, "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.",
                     "batch", age_s=400)  # fmt: skip
    gone = {"kind": "Pod", "metadata": {"name": "batch-7b9d6cf4d5-old1", "namespace": "shop", "uid": "gone"}}
    c.event(
        gone,
        "Preempted",
        "Preempted by pod 6a1c9a3e-1f6f-4d0f-9d63-f2b1f8e0a7aa on node n2",
        405,
        component="default-scheduler",
    )
    w.object["metadata"]["annotations"]["kubernetes.io/change-cause"] = "release 12"


def claim_without_class(c: Foreign) -> None:
    for i in range(3):
        c.node(f"n{i}")
    _unscheduled(c, "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/3 nodes are available: 3 Preemption is not "
                 "helpful for scheduling.", "mongo", "data", kind="StatefulSet",
                 volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data-mongo-0"}}])  # fmt: skip
    claim = c.add("PersistentVolumeClaim", "data-mongo-0", "data", 1205, status={"phase": "Pending"},
                  spec={"storageClassName": "fast-ssd", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "20Gi"}}})  # fmt: skip
    c.add("StorageClass", "gp3", provisioner="ebs.csi.aws.com")
    c.event(claim, "ProvisioningFailed", 'storageclass.storage.k8s.io "fast-ssd" not found', 10, first_s=1200, count=80,
            component="persistentvolume-controller")  # fmt: skip


def _refused(c: Foreign, message: str, name: str = "importer") -> Workload:
    c.node(NODE)
    app = container("app", f"acme/{name}:1")
    w = Workload(c, name, "shop", [app], replicas=2, serviceAccountName="reporter")
    rs = w.revision("78c6b9f9dd", 1500, wanted=2, ready=0)
    rs["status"] = {"replicas": 0, "observedGeneration": 1, "conditions": [
        {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message, "lastTransitionTime": ago(1500)}]}  # fmt: skip
    w.object["status"] |= {"replicas": 0, "updatedReplicas": 0, "unavailableReplicas": 2}
    w.condition("ReplicaFailure", "True", "FailedCreate", message, 1500)
    w.stuck(900)
    c.event(
        rs, "FailedCreate", f"Error creating: {message}", 120, first_s=1500, count=17, component="replicaset-controller"
    )
    return w


def quota_exhausted(c: Foreign) -> None:
    _refused(c, 'pods "importer-78c6b9f9dd-5k2vf" is forbidden: exceeded quota: team-quota, requested: requests.cpu=500m, used: requests.cpu=4, limited: '
             "requests.cpu=4")  # fmt: skip
    c.add(
        "ResourceQuota",
        "team-quota",
        "shop",
        spec={"hard": {"requests.cpu": "4"}},
        status={"hard": {"requests.cpu": "4"}, "used": {"requests.cpu": "4"}},
    )


def webhook_refuses(c: Foreign) -> None:
    _refused(c, 'admission webhook "validate.kyverno.svc-fail" denied the request: \n\nresource Pod/shop/importer-78c6b9f9dd-9wq2c was blocked due to the '
             "following policies \n\nrequire-requests-limits:\n  validate-resources: 'validation error: CPU and memory resource requests are required. rule "
             "validate-resources failed at path /spec/containers/0/resources/requests/'\n")  # fmt: skip


def webhook_gone(c: Foreign) -> None:
    _refused(c, 'Internal error occurred: failed calling webhook "pods.policy.example.com": failed to call webhook: Post '
             '"https://policy.policy-system.svc:443/validate?timeout=10s": no endpoints available for service "policy"')  # fmt: skip


def service_account_missing(c: Foreign) -> None:
    _refused(
        c,
        'pods "importer-78c6b9f9dd-" is forbidden: error looking up service account shop/reporter: serviceaccount "reporter" not found',
    )


def pod_security(c: Foreign) -> None:
    _refused(c, 'pods "importer-78c6b9f9dd-x7k2p" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "app" '
             "must set securityContext.allowPrivilegeEscalation=false), runAsNonRoot != true (pod or container \"app\" must set "
             "securityContext.runAsNonRoot=true)")  # fmt: skip


def node_lost(c: Foreign) -> None:
    one_stale_on_a_lost_node(c)


def kubelet_says_not_ready(c: Foreign) -> None:
    text = ("container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not "
            "initialized")  # fmt: skip
    taints = [{"key": "node.kubernetes.io/not-ready", "effect": "NoExecute", "timeAdded": ago(900)}]
    c.node(NODE, Ready=("False", "KubeletNotReady", text, 900), taints=taints)
    c.node("ip-10-0-3-18")


def disk_pressure(c: Foreign) -> None:
    taints = [{"key": "node.kubernetes.io/disk-pressure", "effect": "NoSchedule", "timeAdded": ago(600)}]
    c.node(NODE, DiskPressure=("True", "KubeletHasDiskPressure", "kubelet has disk pressure", 600), taints=taints)
    c.node("ip-10-0-3-18")
    w = _serving(c, "uploads", 2, 2)
    for mark in ("e1", "e2", "e3"):
        pod = w.pod(mark, None, age_s=5000, phase="Failed", since_s=580, reason="Evicted", message=(
            "The node was low on resource: ephemeral-storage. Threshold quantity: 10206454254, available: 7824Mi. Container app was using 24Gi, request is 0, "
            "has larger consumption of ephemeral-storage. "))  # fmt: skip
        c.event(pod, "Evicted", pod["status"]["message"], 580)
    about = {"kind": "Node", "metadata": {"name": NODE, "uid": NODE}}
    c.event(about, "EvictionThresholdMet", "Attempting to reclaim ephemeral-storage", 30, first_s=600, count=60)
    c.event(about, "FreeDiskSpaceFailed", "Failed to garbage collect required amount of images. Attempted to free 9014896640 bytes, but only found 0 bytes "
            "eligible to free.", 200, first_s=600, count=4)  # fmt: skip


def pid_pressure(c: Foreign) -> None:
    taints = [{"key": "node.kubernetes.io/pid-pressure", "effect": "NoSchedule", "timeAdded": ago(240)}]
    c.node(
        NODE,
        PIDPressure=("True", "KubeletHasInsufficientPID", "kubelet has insufficient PID available", 240),
        taints=taints,
    )


def own_storage_limit(c: Foreign) -> None:
    c.node(NODE)
    w = _serving(c, "exporter", 2, 2)
    for i in range(4):
        pod = w.pod(f"v{i}", None, age_s=3000 - 600 * i, phase="Failed", since_s=2800 - 600 * i, reason="Evicted",
                    message="Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ")  # fmt: skip
        c.event(pod, "Evicted", pod["status"]["message"], 2800 - 600 * i)


def drained_by_somebody(c: Foreign) -> None:
    c.node(NODE, cordoned=True)
    c.node("ip-10-0-3-18")
    w = _serving(c, "session", 3, 2)
    app = w.template["spec"]["containers"][0]
    w.pod("new01", [status(app, wait("ContainerCreating"))], age_s=7, phase="Pending", node="ip-10-0-3-18")


def drain_held_by_a_budget(c: Foreign) -> None:
    c.node(NODE, cordoned=True)
    c.node("ip-10-0-3-18")
    w = _serving(c, "session", 1, 1)
    c.objects[-1]["spec"]["nodeName"] = NODE
    c.add("PodDisruptionBudget", "session", "shop", spec={"minAvailable": 1, "selector": {"matchLabels": w.labels}},
          status={"disruptionsAllowed": 0, "currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 1})  # fmt: skip


def autoscaler_at_its_ceiling(c: Foreign) -> None:
    c.node(NODE)
    _serving(c, "api", 10, 10)
    c.add("HorizontalPodAutoscaler", "api", "shop", spec={"maxReplicas": 10, "minReplicas": 2, "scaleTargetRef": {"kind": D, "name": "api"}},
          status={"currentReplicas": 10, "desiredReplicas": 10, "conditions": [{"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas",
                  "message": "the desired replica count is more than the maximum replica count"}]})  # fmt: skip


def suspended(c: Foreign) -> None:
    c.node(NODE)
    c.add(
        "CronJob",
        "cleanup",
        "shop",
        spec={"schedule": "*/5 * * * *", "suspend": True, "jobTemplate": {}},
        status={"lastScheduleTime": ago(260000)},
    )


def all_of_it_long_ago(c: Foreign) -> None:
    node = c.node(NODE)
    app = container("app", "acme/quiet:4", **limits("256Mi"))
    w = Workload(c, "quiet", "shop", [app], ready=2, replicas=2)
    w.revision("5b8c7d6f9c", 3000000, wanted=2, ready=2)
    for i in range(2):
        pod = w.pod(f"h{i}m", [status(app, run(780000), ready=True, restarts=14, last=end("OOMKilled", 137, 780003, 500))], age_s=2000000, ready=True,
                    since_s=779980)  # fmt: skip
        c.event(
            pod,
            "Unhealthy",
            "Readiness probe failed: HTTP probe failed with statuscode: 500",
            3300,
            first_s=3400,
            count=4,
        )
        c.event(pod, "BackOff", "Back-off restarting failed container app in pod", 3250, first_s=3400, count=9)
    c.event(node, "NodeNotReady", f"Node {NODE} status is now: NodeNotReady", 3350, component="node-controller")
    c.event(node, "NodeReady", f"Node {NODE} status is now: NodeReady", 3320, kind="Normal")
    w.settled()


def configuration_not_mounted(c: Foreign) -> None:
    c.node(NODE)
    app = container("app", "nginx:1.27", volumeMounts=[{"name": "conf", "mountPath": "/etc/nginx/conf.d"}])
    volumes = [{"name": "conf", "configMap": {"name": "nginx-conf", "defaultMode": 420}}]
    w = Workload(c, "static", "shop", [app], replicas=1, volumes=volumes)
    w.revision("6c7fb8d8b7", 1300, wanted=1, ready=0)
    c.add("ConfigMap", "kube-root-ca.crt", "shop", data={"ca.crt": "-----BEGIN CERTIFICATE-----"})
    pod = w.pod("m4t8k", [status(app, wait("ContainerCreating"))], age_s=1300, phase="Pending")
    c.event(
        pod,
        "FailedMount",
        'MountVolume.SetUp failed for volume "conf" : configmap "nginx-conf" not found',
        70,
        first_s=1290,
        count=18,
    )
    w.stuck(700)


def volume_held_elsewhere(c: Foreign) -> None:
    c.node(NODE)
    c.node("ip-10-0-3-18")
    app = container("app", "acme/wiki:2")
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "wiki"}}]
    w = Workload(c, "wiki", "shop", [app], replicas=1, ready=1, volumes=volumes)
    old = w.revision(
        "5cc97f5d66", 400000, wanted=1, ready=1, containers=[app | {"image": "acme/wiki:1"}], volumes=volumes
    )
    w.revision("7d44b99c58", 1400, wanted=1, ready=0)
    w.well(1, of=old)
    c.add(
        "PersistentVolumeClaim",
        "wiki",
        "shop",
        spec={"accessModes": ["ReadWriteOnce"], "volumeName": "pvc-3f1"},
        status={"phase": "Bound"},
    )
    pod = w.pod("vd6lp", [status(app, wait("ContainerCreating"))], age_s=1400, phase="Pending")
    c.event(pod, "FailedAttachVolume", 'Multi-Attach error for volume "pvc-3f1" Volume is already used by pod(s) wiki-5cc97f5d66-w0xkq', 1390,
            component="attachdetach-controller")  # fmt: skip
    w.stuck(800)


def no_address_left(c: Foreign) -> None:
    c.node(NODE)
    c.node("ip-10-0-3-18")
    app = container("app", "acme/feed:2")
    w = Workload(c, "feed", "shop", [app], replicas=2, ready=1)
    w.revision("54bb9b6d9b", 900000, wanted=2, ready=1)
    w.well(1)
    pod = w.pod("rr2xd", [status(app, wait("ContainerCreating"))], age_s=1100, phase="Pending")
    c.event(pod, "FailedCreatePodSandBox", 'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "81bd": '
            'plugin type="aws-cni" name="aws-cni" failed (add): add cmd: failed to assign an IP address to container', 12, first_s=1090, count=84)  # fmt: skip


UNSEEN_PLACES = (
    Unseen("a readiness probe on the wrong port", readiness_on_the_wrong_port, (D, "profile", "shop"), [(D, "profile")], ["8081"], sure=(0.3, 0.9)),
    Unseen("a rollout that is never ready", rollout_never_ready, (D, "catalog", "shop"), [(D, "catalog")], ["503"], fix=("", "update-image:acme/catalog:9.4.2")),
    Unseen("a rollout under way", rollout_under_way, (D, "catalog", "shop")),
    Unseen("every pod stale", all_stale, (D, "reviews", "shop"), [(D, "reviews")], now=("restart-deployment",), sure=(0.7, 0.99)),
    Unseen("one pod wedged", one_stale, (D, "reviews", "shop"), [("Pod", "reviews-66c9d7b8c4-u0hvq")], now=("delete-pod",), sure=(0.7, 0.99)),
    Unseen("one pod stale for its lost node", one_stale_on_a_lost_node, (D, "reviews", "shop"), [("Node", NODE)], now=("", "cordon-node"), sure=ANY),
    Unseen("every pod stale for want of a database", all_stale_for_want_of_a_database, (D, "reviews", "shop"), [("StatefulSet", "postgres")], ["memory"],
           now=("", "restart-statefulset"), fix=("", "update-resources")),
    Unseen("a taint without toleration", taint_without_toleration, (D, "render", "shop"), [(D, "render")], ["taint"], sure=ANY),
    Unseen("an affinity that no node has", affinity_impossible, (D, "render", "shop"), [(D, "render")], ["affinity"], sure=ANY),
    Unseen("pushed out by a higher priority", lost_to_a_higher_priority, (D, "batch", "shop"), [(D, "batch")], ["cpu"], sure=ANY),
    Unseen("a claim without its storage class", claim_without_class, ("StatefulSet", "mongo", "data"), [("PersistentVolumeClaim", "data-mongo-0")],
           ["fast-ssd"], sure=ANY),
    Unseen("a quota exhausted", quota_exhausted, (D, "importer", "shop"), [("ResourceQuota", "team-quota"), (D, "importer")], ["team-quota"], sure=ANY),
    Unseen("a webhook that refuses", webhook_refuses, (D, "importer", "shop"), [(D, "importer")], ["kyverno"], sure=ANY),
    Unseen("a webhook that is gone", webhook_gone, (D, "importer", "shop"), [(D, "importer")], ["policy"], sure=ANY),
    Unseen("a service account is missing", service_account_missing, (D, "importer", "shop"), [(D, "importer"), ("ServiceAccount", "reporter")], ["reporter"], sure=ANY),
    Unseen("pod security refuses", pod_security, (D, "importer", "shop"), [(D, "importer")], ["PodSecurity"], sure=ANY),
    Unseen("a node is lost", node_lost, ("Node", NODE, ""), [("Node", NODE)], now=("", "cordon-node"), sure=ANY),
    Unseen("a node without network", kubelet_says_not_ready, ("Node", NODE, ""), [("Node", NODE)], ["network"], now=("", "cordon-node"), sure=ANY),
    Unseen("a node's disk is full", disk_pressure, (D, "uploads", "shop"), [("Node", NODE)], ["disk"], now=("", "cordon-node"), sure=ANY),
    Unseen("a node out of process ids", pid_pressure, ("Node", NODE, ""), [("Node", NODE)], ["process ids"], now=("", "cordon-node"), sure=ANY),
    Unseen("evicted by its own storage limit", own_storage_limit, (D, "exporter", "shop"), [(D, "exporter")], ["storage"], silent=True),
    Unseen("a node that somebody drains", drained_by_somebody, (D, "session", "shop")),
    Unseen("a drain that a budget holds", drain_held_by_a_budget, ("Node", NODE, "")),
    Unseen("an autoscaler at its ceiling", autoscaler_at_its_ceiling, (D, "api", "shop"), [("HorizontalPodAutoscaler", "api")], silent=True),
    Unseen("a CronJob that is suspended", suspended, ("CronJob", "cleanup", "shop"), [("CronJob", "cleanup")], ["suspend"], silent=True),
    Unseen("all of it was long ago", all_of_it_long_ago, (D, "quiet", "shop")),
    Unseen("a ConfigMap to mount is missing", configuration_not_mounted, (D, "static", "shop"), [("ConfigMap", "nginx-conf")], ["nginx-conf"], sure=ANY),
    Unseen("a volume held by another node", volume_held_elsewhere, (D, "wiki", "shop"), [(D, "wiki")], ["volume"], sure=ANY),
    Unseen("no address left on a node", no_address_left, (D, "feed", "shop"), [(D, "feed"), ("Node", NODE)], ["IP address"], sure=ANY),
)  # fmt: skip
