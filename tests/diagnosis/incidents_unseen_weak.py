"""Incidents aimed at where the rules looked weak when they were read: what they were surest of, and wrongly."""

# ruff: noqa: E501 - the words of a cluster stay on one line, as it says them

from .foreign import Foreign, Workload, ago, container, limits, status, wait
from .incidents_unseen_traps import ANY, ASKS, NODE, PROBE, D, crash, serving
from .unseen import Unseen

_RUNC = "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "
_CLAIM = [{"name": "data", "persistentVolumeClaim": {"claimName": "data-app-0"}}]


def driver_not_loaded(c: Foreign) -> None:
    text = f"{_RUNC}error during container init: error running prestart hook #0: exit status 1, stdout: , stderr: nvidia-container-cli: initialization error: nvml error: driver not loaded: unknown"
    crash(
        c,
        "",
        128,
        reason="StartError",
        message=text,
        old={"image": "acme/app:1.9"},
        events=(("Failed", f"Error: {text}"),),
    )


def no_control_group(c: Foreign) -> None:
    text = f"{_RUNC}unable to apply cgroup configuration: mkdir /sys/fs/cgroup/memory/kubepods/pod1: cannot allocate memory: unknown"
    crash(c, "", 128, reason="StartError", message=text, old={"image": "acme/app:1.9"})


def limit_of_open_files(c: Foreign) -> None:
    text = "FATAL: open files limit 1024 is too low, need 65535"
    crash(c, text, message=text, now=limits("512Mi"))


def prints_all_its_settings(c: Foreign) -> None:
    applied = '{"apiVersion":"v1","kind":"ConfigMap","data":{"LOG_LEVEL":"info","MODE":"live","WORKERS":"16"}}'
    meta = {
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": applied},
        "managedFields": [
            {"manager": "kubectl-edit", "operation": "Update", "time": ago(2500), "fieldsV1": {"f:data": {}}}
        ],
    }
    c.add("ConfigMap", "env", "shop", data={"LOG_LEVEL": "debug", "MODE": "live", "WORKERS": "16"}, metadata=meta)
    log = "panic: runtime error: index out of range [16] with length 16, config=map[LOG_LEVEL:debug MODE:live WORKERS:16]\n\ngoroutine 1 [running]:"
    crash(c, log, 2, now={"envFrom": [{"configMapRef": {"name": "env"}}]})


def replica_catches_up(c: Foreign) -> None:
    app = container("pg", "postgres:16", readinessProbe=PROBE, volumeMounts=[{"name": "data", "mountPath": "/d"}])
    serving(
        c,
        3,
        2,
        kind="StatefulSet",
        app=app,
        volumes=_CLAIM,
        log="LOG: started streaming WAL from primary at 4F/3000000 on timeline 3",
    )


def quorum_lost(c: Foreign) -> None:
    app = container("etcd", "etcd:3.5", readinessProbe=PROBE, volumeMounts=[{"name": "data", "mountPath": "/d"}])
    serving(c, 3, 0, kind="StatefulSet", app=app, volumes=_CLAIM, log="raft: lost leader; no quorum")


def hook_fails(c: Foreign) -> None:
    crash(c, "", 137, events=(("FailedPostStartHook", "PostStartHook failed: command '/bin/init' exited with 1"),))


def one_daemon_wedged(c: Foreign) -> None:
    serving(c, 4, 3, kind="DaemonSet")


def leader_changed(c: Foreign) -> None:
    """Only the leader is ready; 11 minutes ago the other one took over."""
    serving(c, 2, 1, unready_s=700)
    for pod in (o for o in c.objects if o["kind"] == "Pod" and o["status"]["conditions"][1]["status"] == "True"):
        for told in pod["status"]["conditions"]:
            told |= {"lastTransitionTime": ago(688)}


def secret_to_mount_missing(c: Foreign) -> None:
    _waits(
        c,
        'MountVolume.SetUp failed for volume "t" : secret "tls-cert" not found',
        {"secret": {"secretName": "tls-cert"}},
    )


def driver_of_volumes_missing(c: Foreign) -> None:
    c.add("PersistentVolumeClaim", "x", "shop", status={"phase": "Bound"}, spec={})
    text = 'MountVolume.MountDevice failed for volume "pvc-1" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name ebs.csi.aws.com not found in the list of registered CSI drivers'
    _waits(c, text, {"persistentVolumeClaim": {"claimName": "x"}})


def _waits(c: Foreign, why: str, source: dict[str, object]) -> None:
    c.node(NODE)
    app = container("app", "acme/app:1", volumeMounts=[{"name": "t", "mountPath": "/t"}])
    w = Workload(c, "app", "shop", [app], replicas=1, volumes=[{"name": "t", **source}])
    w.revision("7b9d6cf4d5", 900, wanted=1, ready=0)
    pod = w.pod("lw9sz", [status(app, wait("ContainerCreating"))], age_s=900, phase="Pending")
    c.event(pod, "FailedMount", why, 40, first_s=880, count=14)


WEAK = (
    Unseen("a driver is not loaded on the node", driver_not_loaded, (D, "app", "shop"), [(D, "app"), ("Node", NODE)], ["driver not loaded"], sure=ASKS),
    Unseen("no control group could be made", no_control_group, (D, "app", "shop"), [(D, "app"), ("Node", NODE)], ["cannot allocate"], sure=ASKS),
    Unseen("a limit that is not of memory", limit_of_open_files, (D, "app", "shop"), [(D, "app")], ["open files"], sure=ASKS),
    Unseen("a program that prints all its settings when it dies", prints_all_its_settings, (D, "app", "shop"), [(D, "app"), ("ConfigMap", "env")],
           fix=("", "update-configmap:info"), sure=ASKS),
    Unseen("a replica that catches up", replica_catches_up, ("StatefulSet", "app", "shop"), [("Pod", "app-u0hvq")], now=("", "delete-pod"), sure=ASKS),
    Unseen("a database without quorum", quorum_lost, ("StatefulSet", "app", "shop"), [("StatefulSet", "app")], now=("", "restart-statefulset"), sure=ASKS),
    Unseen("a hook after the start fails", hook_fails, (D, "app", "shop"), [(D, "app")], ["hook"], sure=ASKS),
    Unseen("one daemon wedged", one_daemon_wedged, ("DaemonSet", "app", "shop"), [("Pod", "app-u0hvq")], now=("delete-pod",), sure=(0.7, 0.99)),
    Unseen("a leader that changed", leader_changed, (D, "app", "shop"), [("Pod", "app-66c9d7b8c4-u0hvq")], now=("", "delete-pod"), sure=ASKS, silent=True),
    Unseen("a Secret to mount is missing", secret_to_mount_missing, (D, "app", "shop"), [("Secret", "tls-cert")], ["tls-cert"], sure=ANY),
    Unseen("the driver of a volume is missing", driver_of_volumes_missing, (D, "app", "shop"), [(D, "app"), ("Node", NODE)], ["ebs.csi.aws.com"], sure=ANY),
)  # fmt: skip
