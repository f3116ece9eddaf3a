"""Each failure family is found from what a kubelet really shows, with its remedy and enough confidence."""

from datetime import timedelta

import pytest

from kubernaut.domain.facts import Commit, LogKey

from .cluster import NOW, Cluster, Object, container, ended, out_of_memory_cluster, running, waiting

NOT_FOUND = (
    'Back-off pulling image "registry.example/checkout:1.5.0": ErrImagePull: failed to pull and unpack image '
    '"registry.example/checkout:1.5.0": failed to resolve reference "registry.example/checkout:1.5.0": '
    "registry.example/checkout:1.5.0: not found"
)
DENIED = 'Back-off pulling image "registry.example/checkout:1.5.0": ErrImagePull: unexpected status: 401 Unauthorized'
NO_ANSWER = "Back-off pulling image: ErrImagePull: dial tcp: lookup registry.example on 10.96.0.10:53: no such host"


def bad_image(message: str, *, ready_before: int = 3, pull_secret: str = "") -> Cluster:
    """A rollout to 1.5.0 that is stuck because the image does not come."""
    cluster = Cluster()
    cluster.node()
    cluster.revision(1, [container(image="registry.example/checkout:1.4.0")], created_s=80000, ready=ready_before)
    for i in range(ready_before):
        cluster.pod(f"checkout-1-{i}", running(80000))
    cluster.revision(2, [container(image="registry.example/checkout:1.5.0")], created_s=300)
    pod = cluster.pod(
        "checkout-2-0", waiting("ImagePullBackOff", message), created_s=300, unready_s=300, phase="Pending"
    )
    if pull_secret:
        pod["spec"]["imagePullSecrets"] = [{"name": pull_secret}]
    return cluster


def crashing(last: Object, *, restarts: int = 4, log: str = "", containers: list[Object] | None = None) -> Cluster:
    """A Deployment whose only revision crashes."""
    cluster = Cluster(replicas=2)
    cluster.node()
    cluster.revision(1, containers or [container()], created_s=3000)
    for i in range(2):
        name = f"checkout-1-{i}"
        cluster.pod(name, waiting("CrashLoopBackOff", "back-off 1m20s", restarts, last), created_s=900, unready_s=900)
        if log:
            cluster.logs[LogKey("shop", name, "app", True)] = log
    return cluster


def serving(replicas: int = 3, stale: int = 0, *, unready_s: float = 600.0) -> Cluster:
    """A Deployment that has run for a day; the first `stale` pods lost their readiness."""
    cluster = Cluster(replicas=replicas)
    cluster.node("n1")
    cluster.node("n2")
    cluster.revision(1, [container()], created_s=80000, ready=replicas - stale)
    for i in range(replicas):
        bad = i < stale
        pod = cluster.pod(
            f"checkout-1-{i}",
            running(79990, ready=not bad),
            created_s=80000,
            unready_s=unready_s if bad else None,
            node=f"n{i % 2 + 1}",
        )
        if bad:
            cluster.event(pod, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", count=40)
    return cluster


# ---------------------------------------------------------------------------------------------- out of memory


def test_a_lowered_limit_goes_back_to_what_it_was_and_says_who_lowered_it() -> None:
    cluster = out_of_memory_cluster()
    commit = Commit("9c1d2e77", NOW - timedelta(minutes=11), "Tom", "Right-size memory limits")
    cluster.commits = (commit,)
    best = cluster.findings()[0]
    assert best.permanent is not None
    assert best.permanent.parameters["to"] == "256Mi"
    assert any("256Mi -> 128Mi (revision 41)" in e.value for e in best.evidence)
    assert any(e.object == "commit/9c1d2e77" and "Right-size" in e.value for e in best.evidence)


@pytest.mark.parametrize(("limit", "to"), [("128Mi", "256Mi"), ("300M", "576Mi"), ("1Gi", "2Gi"), ("900Mi", "1920Mi")])
def test_without_a_better_past_the_limit_is_doubled_in_binary_sizes(limit: str, to: str) -> None:
    cluster = crashing(ended("OOMKilled", 137), containers=[container(memory=limit)])
    best = cluster.findings()[0]
    assert best.failure_class == "OOMKilled"
    assert best.confidence > 0.9
    assert best.permanent is not None
    assert best.permanent.parameters == {"container": "app", "field": "limits.memory", "from": limit, "to": to}


def test_an_init_container_out_of_memory_gets_a_limit_but_no_restart() -> None:
    cluster = Cluster(replicas=1)
    cluster.node()
    cluster.revision(1, [container()], created_s=3000)
    pod = cluster.pod("checkout-1-0", waiting("PodInitializing"), created_s=900, unready_s=900, phase="Pending")
    pod["spec"]["initContainers"] = [container("migrate", memory="64Mi")]
    cluster.workload["spec"]["template"]["spec"]["initContainers"] = [container("migrate", memory="64Mi")]
    last = waiting("CrashLoopBackOff", "", 3, ended("OOMKilled", 137))
    pod["status"]["initContainerStatuses"] = [{"name": "migrate"} | last]
    best = cluster.findings()[0]
    assert (best.failure_class, best.immediate) == ("OOMKilled", None)
    assert best.permanent is not None
    assert best.permanent.parameters["container"] == "migrate"


def test_only_the_container_that_was_killed_is_blamed() -> None:
    cluster = Cluster(replicas=1)
    cluster.node()
    cluster.revision(1, [container(), container("proxy", memory="32Mi")], created_s=3000)
    dead = waiting("CrashLoopBackOff", "", 3, ended("OOMKilled", 137))
    cluster.pod("checkout-1-0", running(800), dead, created_s=900, unready_s=100)
    found = cluster.findings()
    assert [f.permanent.parameters["container"] for f in found if f.permanent] == ["proxy"]


def test_a_statefulset_is_restarted_as_one() -> None:
    cluster = Cluster(replicas=1, kind="StatefulSet")
    cluster.node()
    cluster.pod("checkout-0", waiting("CrashLoopBackOff", "", 3, ended("OOMKilled", 137)), unready_s=60)
    best = cluster.findings()[0]
    assert best.immediate is not None
    assert best.immediate.action == "restart-statefulset"


def test_a_node_that_ran_out_of_memory_itself_makes_the_limit_less_certain() -> None:
    cluster = out_of_memory_cluster()
    node = next(o for o in cluster.objects if o["kind"] == "Node")
    cluster.event(node, "SystemOOM", "System OOM encountered, victim process: java, pid: 4711")
    assert out_of_memory_cluster().findings()[0].confidence > 0.9 > cluster.findings()[0].confidence


# ------------------------------------------------------------------------------------------------------ images


def test_an_image_that_was_never_pushed_goes_back_to_the_one_that_serves() -> None:
    best = bad_image(NOT_FOUND).findings()[0]
    assert (best.failure_class, best.urgent, best.immediate) == ("ImagePullBackOff", True, None)
    assert best.confidence > 0.9
    assert best.permanent is not None
    assert best.permanent.action == "update-image"
    assert best.permanent.parameters == {
        "container": "app",
        "from": "registry.example/checkout:1.5.0",
        "to": "registry.example/checkout:1.4.0",
    }


def test_a_revision_that_never_served_is_not_gone_back_to() -> None:
    cluster = Cluster()
    cluster.node()
    cluster.revision(1, [container(image="registry.example/checkout:1.4.0")], created_s=80000, ready=2)
    cluster.revision(2, [container(image="registry.example/checkout:1.4.9-broken")], created_s=600)
    cluster.revision(3, [container(image="registry.example/checkout:1.5.0")], created_s=300)
    cluster.pod("checkout-3-0", waiting("ImagePullBackOff", NOT_FOUND), created_s=300, unready_s=300, phase="Pending")
    best = cluster.findings()[0]
    assert best.permanent is not None
    assert best.permanent.parameters["to"] == "registry.example/checkout:1.4.0"


def test_a_pull_secret_that_does_not_exist_is_named_and_no_image_is_changed() -> None:
    cluster = bad_image(DENIED, pull_secret="regcred")
    pod = cluster.objects[-1]
    cluster.event(pod, "FailedToRetrieveImagePullSecret", "Unable to retrieve some image pull secrets (regcred)")
    best = cluster.findings()[0]
    assert "pull secret regcred does not exist" in best.cause
    assert best.permanent is None
    assert best.immediate is None
    assert best.confidence > 0.9


def test_denied_credentials_are_told_apart_from_a_missing_tag() -> None:
    best = bad_image(DENIED).findings()[0]
    assert "refuses to give out" in best.cause
    assert best.permanent is None
    assert 0.7 <= best.confidence <= 0.9


def test_a_registry_that_does_not_answer_changes_nothing() -> None:
    best = bad_image(NO_ANSWER).findings()[0]
    assert "does not answer" in best.cause
    assert best.permanent is None
    assert best.confidence <= 0.9


def test_without_an_earlier_image_nothing_is_proposed() -> None:
    cluster = Cluster()
    cluster.revision(1, [container(image="registry.example/checkout:1.5.0")], created_s=300)
    cluster.pod("checkout-1-0", waiting("ImagePullBackOff", NOT_FOUND), created_s=300, unready_s=300, phase="Pending")
    best = cluster.findings()[0]
    assert best.failure_class == "ImagePullBackOff"
    assert best.permanent is None
    assert not best.urgent


# ---------------------------------------------------------------------------------------------------- commands


def test_a_program_that_is_not_in_the_image_is_told_with_the_runtimes_words() -> None:
    message = 'runc create failed: exec: "/app/serve": stat /app/serve: no such file or directory'
    cluster = crashing(
        ended("StartError", 128, message=message), containers=[container() | {"command": ["/app/serve"]}]
    )
    best = cluster.findings()[0]
    assert best.failure_class == "CrashLoopBackOff"
    assert "/app/serve" in best.cause
    assert best.confidence > 0.9
    assert best.immediate is None
    assert len(cluster.findings()) == 1


def test_a_new_image_without_the_program_goes_back() -> None:
    cluster = Cluster()
    cluster.node()
    cluster.revision(1, [container(image="registry.example/checkout:1.4.0")], created_s=80000, ready=3)
    cluster.revision(2, [container(image="registry.example/checkout:1.5.0")], created_s=300)
    last = ended("Error", 127)
    cluster.pod("checkout-2-0", waiting("CrashLoopBackOff", "", 3, last), created_s=300, unready_s=300)
    cluster.logs[LogKey("shop", "checkout-2-0", "app", True)] = "/entrypoint.sh: line 3: serve: command not found"
    best = cluster.findings()[0]
    assert best.permanent is not None
    assert best.permanent.parameters["to"] == "registry.example/checkout:1.4.0"
    assert "command not found" in best.cause


def test_a_changed_command_is_named_and_left_to_its_owner() -> None:
    cluster = Cluster()
    cluster.node()
    cluster.revision(1, [container() | {"command": ["/app/serve"]}], created_s=80000, ready=3)
    cluster.revision(2, [container() | {"command": ["/app/sevre"]}], created_s=300)
    message = 'exec: "/app/sevre": executable file not found in $PATH'
    cluster.pod(
        "checkout-2-0", waiting("CrashLoopBackOff", "", 3, ended("StartError", 128, message=message)), unready_s=300
    )
    best = cluster.findings()[0]
    assert "its command changed" in best.cause
    assert best.permanent is None
    assert any("/app/serve -> /app/sevre" in e.value for e in best.evidence)


# ----------------------------------------------------------------------------------------------- configuration


def missing_key(*, data: dict[str, str]) -> Cluster:
    """A container that wants key URL of ConfigMap settings."""
    cluster = Cluster(replicas=1)
    cluster.node()
    reference = {"name": "URL", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "URL"}}}
    cluster.revision(1, [container() | {"env": [reference]}], created_s=3000)
    cluster.configmap("settings", data, changed_s=400)
    message = "couldn't find key URL in ConfigMap shop/settings"
    cluster.pod(
        "checkout-1-0", waiting("CreateContainerConfigError", message), created_s=300, unready_s=300, phase="Pending"
    )
    return cluster


def test_a_missing_key_is_named_and_nobody_guesses_its_value() -> None:
    best = missing_key(data={"OTHER": "1"}).findings()[0]
    assert best.failure_class == "CreateContainerConfigError"
    assert (best.target.kind, best.target.name) == ("ConfigMap", "settings")
    assert "Key URL of ConfigMap settings does not exist" in best.cause
    assert best.confidence > 0.9
    assert best.permanent is None
    assert any("kubectl-edit" in e.value for e in best.evidence)


def test_a_removed_key_comes_back_with_the_value_that_the_commit_took_away() -> None:
    cluster = missing_key(data={"OTHER": "1"})
    diff = "--- a/s.yaml\n+++ b/s.yaml\n@@ -3,4 +3,3 @@\n data:\n-  URL: http://db:5432   # primary\n   OTHER: '1'\n"
    cluster.commits = (Commit("abc12345", NOW - timedelta(minutes=7), "Ana", "Tidy settings", diff),)
    best = cluster.findings()[0]
    assert best.permanent is not None
    assert best.permanent.action == "update-configmap"
    assert best.permanent.target.name == "settings"
    assert best.permanent.parameters == {"key": "URL", "from": None, "to": "http://db:5432"}


def test_a_missing_config_map_and_a_missing_secret_are_named() -> None:
    for message, what in (
        ('configmap "settings" not found', "ConfigMap settings"),
        ('secret "db" not found', "Secret db"),
        ("couldn't find key password in Secret shop/db", "Key password of Secret db"),
    ):
        cluster = Cluster(replicas=1)
        cluster.revision(1, [container()], created_s=3000)
        stuck = waiting("CreateContainerConfigError", message)
        cluster.pod("checkout-1-0", stuck, created_s=300, unready_s=300, phase="Pending")
        best = cluster.findings()[0]
        assert f"{what} does not exist" in best.cause
        assert best.permanent is None


def test_a_volume_that_waits_for_a_config_map_is_found_by_its_event() -> None:
    cluster = Cluster(replicas=1)
    cluster.revision(1, [container()], created_s=3000)
    pod = cluster.pod("checkout-1-0", waiting("ContainerCreating"), created_s=300, unready_s=300, phase="Pending")
    cluster.event(
        pod, "FailedMount", 'MountVolume.SetUp failed for volume "c" : configmap "settings" not found', count=9
    )
    best = cluster.findings()[0]
    assert best.failure_class == "FailedMount"
    assert "ConfigMap settings does not exist" in best.cause


def refused_value(*, changed_s: float = 600.0) -> Cluster:
    """An application that refuses PAYMENT_TIMEOUT, which was changed lately."""
    line = 'level=fatal msg="invalid configuration" key=PAYMENT_TIMEOUT value="2 minutes" err="unknown unit"'
    app = container() | {"envFrom": [{"configMapRef": {"name": "settings"}}]}
    cluster = crashing(ended("Error", 1), log=f"level=info msg=starting\n{line}", containers=[app])
    cluster.configmap(
        "settings", {"PAYMENT_TIMEOUT": "2 minutes", "QUEUE": "orders"}, changed_s, manager="argocd-controller"
    )
    return cluster


def test_a_refused_value_goes_back_to_what_the_commit_replaced() -> None:
    cluster = refused_value()
    diff = "@@ -5,3 +5,3 @@ data:\n-  PAYMENT_TIMEOUT: 30s   # slow banks\n+  PAYMENT_TIMEOUT: 2 minutes\n   QUEUE: orders\n"
    cluster.commits = (Commit("5cf1aa00", NOW - timedelta(minutes=11), "Ada", "Give slow banks more time", diff),)
    best = cluster.findings()[0]
    assert best.failure_class == "CrashLoopBackOff"
    assert (best.target.kind, best.target.name) == ("ConfigMap", "settings")
    assert best.confidence > 0.9
    assert best.immediate is None
    assert best.permanent is not None
    assert best.permanent.parameters == {"key": "PAYMENT_TIMEOUT", "from": "2 minutes", "to": "30s"}
    assert len(cluster.findings()) == 1


def test_a_refused_value_without_history_is_named_and_not_guessed() -> None:
    best = refused_value().findings()[0]
    assert "PAYMENT_TIMEOUT" in best.cause
    assert best.permanent is None
    assert best.confidence > 0.9
    assert refused_value(changed_s=90000).findings()[0].confidence <= 0.9


def test_a_secret_in_a_config_map_is_never_proposed_nor_shown() -> None:
    line = 'fatal: cannot use DB_PASSWORD "hunter2hunter2"'
    app = container() | {"envFrom": [{"configMapRef": {"name": "settings"}}]}
    cluster = crashing(ended("Error", 1), log=line, containers=[app])
    cluster.configmap("settings", {"DB_PASSWORD": "hunter2hunter2"}, 600)
    diff = "-  DB_PASSWORD: old-secret\n+  DB_PASSWORD: hunter2hunter2\n"
    cluster.commits = (Commit("5cf1aa00", NOW - timedelta(minutes=11), "Ada", "x", diff),)
    best = cluster.findings()[0]
    assert best.permanent is None
    assert "hunter2" not in best.cause
    assert "old-secret" not in repr(best)


# --------------------------------------------------------------------------------------------------- readiness


def test_stale_pods_of_a_deployment_are_restarted() -> None:
    cluster = serving(3, stale=3)
    best = cluster.findings()[0]
    assert best.failure_class == "PodsNotReady"
    assert str(best.target) == "shop/deployment/checkout"
    assert best.immediate is not None
    assert best.immediate.action == "restart-deployment"
    assert best.permanent is None
    assert best.confidence > 0.9
    assert len(cluster.findings()) == 1


def test_a_dependency_that_does_not_answer_makes_a_restart_a_persons_decision() -> None:
    cluster = serving(3, stale=3)
    for i in range(3):
        cluster.logs[LogKey("shop", f"checkout-1-{i}", "app")] = "dial tcp 10.0.0.5:5432: connect: connection refused"
    assert cluster.findings()[0].confidence < 0.9


def test_one_wedged_pod_is_deleted() -> None:
    cluster = serving(3, stale=1)
    best = cluster.findings()[0]
    assert str(best.target) == "shop/pod/checkout-1-0"
    assert best.immediate is not None
    assert best.immediate.action == "delete-pod"
    assert best.immediate.target == best.target
    assert best.confidence > 0.9
    assert len(cluster.findings()) == 1
    assert cluster.findings("Pod", "checkout-1-0")[0] == best


def test_of_several_wedged_pods_none_is_deleted_without_a_person() -> None:
    found = serving(5, stale=2).findings()
    assert len(found) == 2
    assert all(f.confidence <= 0.9 for f in found)


# ------------------------------------------------------------------------------------------------------- nodes


def test_a_flapping_node_is_cordoned() -> None:
    cluster = serving()
    node = cluster.node("n3", Ready=("False", "KubeletNotReady", 8.0))
    cluster.event(node, "NodeNotReady", "Node n3 status is now: NodeNotReady", count=4, component="node-controller")
    best = cluster.findings("Node", "n3")[0]
    assert (best.failure_class, str(best.target)) == ("NodeFlapping", "node/n3")
    assert best.immediate is not None
    assert best.immediate.action == "cordon-node"
    assert best.confidence > 0.9


def test_a_node_that_stays_away_is_a_persons_decision() -> None:
    cluster = serving()
    cluster.node("n3", Ready=("Unknown", "NodeStatusUnknown", 300.0))
    best = cluster.findings("Node", "n3")[0]
    assert best.failure_class == "NodeNotReady"
    assert best.immediate is not None
    assert best.immediate.action == "cordon-node"
    assert 0.7 <= best.confidence <= 0.9


def test_failing_hardware_is_drained() -> None:
    cluster = Cluster(replicas=1)
    node = cluster.node("n1", ReadonlyFilesystem=("True", "FilesystemIsReadOnly", 200.0))
    cluster.revision(1, [container()], created_s=80000, ready=1)
    cluster.pod("checkout-1-0", running(79990))
    cluster.event(node, "IOError", "Buffer I/O error on device nvme1n1", count=5, component="kernel-monitor")
    best = cluster.findings("Node", "n1")[0]
    assert best.failure_class == "ReadonlyFilesystem"
    assert best.immediate is not None
    assert best.immediate.action == "drain-node"
    assert best.confidence > 0.9


def test_hardware_errors_in_events_alone_are_a_persons_decision() -> None:
    cluster = Cluster()
    node = cluster.node("n1")
    cluster.event(node, "Ext4Error", "EXT4-fs error (device sda1)", count=3, component="kernel-monitor")
    best = cluster.findings("Node", "n1")[0]
    assert best.immediate is not None
    assert best.immediate.action == "drain-node"
    assert 0.7 <= best.confidence <= 0.9


def test_pressure_is_told_and_left_to_the_kubelet() -> None:
    cluster = Cluster()
    cluster.node("n1", DiskPressure=("True", "KubeletHasDiskPressure", 100.0))
    best = cluster.findings("Node", "n1")[0]
    assert best.failure_class == "DiskPressure"
    assert best.immediate is None


def test_pods_of_a_lost_node_are_the_nodes_fault() -> None:
    cluster = serving(3)
    cluster.node("n3", Ready=("Unknown", "NodeStatusUnknown", 300.0))
    pod = cluster.pod("checkout-1-9", running(79990, ready=True), created_s=80000, unready_s=290, node="n3")
    assert pod["status"]["containerStatuses"][0]["ready"] is True
    found = cluster.findings()
    assert [str(f.target) for f in found] == ["node/n3"]


# ------------------------------------------------------------------------------------------------------ crashes


def test_a_crash_that_nothing_explains_is_told_without_a_remedy() -> None:
    best = crashing(ended("Error", 1), log="boom").findings()[0]
    assert best.confidence < 0.7
    assert best.immediate is None
    assert best.permanent is None
    assert any(e.value == "boom" for e in best.evidence)


def test_a_release_that_crashes_goes_back_with_a_persons_word() -> None:
    cluster = Cluster()
    cluster.node()
    cluster.revision(1, [container(image="registry.example/checkout:1.4.0")], created_s=80000, ready=3)
    cluster.revision(2, [container(image="registry.example/checkout:1.5.0")], created_s=300)
    last = ended("Error", 2)
    cluster.pod("checkout-2-0", waiting("CrashLoopBackOff", "", 5, last), created_s=300, unready_s=300)
    best = cluster.findings()[0]
    assert best.permanent is not None
    assert best.permanent.parameters["to"] == "registry.example/checkout:1.4.0"
    assert 0.7 <= best.confidence <= 0.9
