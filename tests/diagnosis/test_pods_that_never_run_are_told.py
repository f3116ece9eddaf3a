"""What the scheduler, a controller or the kubelet refuses is told in its own words, and nothing is done about it."""

from .cluster import Cluster, ago, container, waiting


def pending(message: str = "", *, since_s: float = 120.0) -> Cluster:
    """A Deployment whose only pod waits for a node."""
    cluster = Cluster(replicas=1)
    cluster.revision(1, [container()], created_s=3000)
    pod = cluster.pod("checkout-1-0", created_s=since_s, unready_s=since_s, phase="Pending", node="")
    told = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    pod["status"]["conditions"] = [told | {"lastTransitionTime": ago(since_s)}]
    return cluster


def test_a_pod_without_a_node_is_told_with_the_schedulers_words() -> None:
    best = pending("0/3 nodes are available: 3 Insufficient memory.").findings()[0]
    assert best.failure_class == "FailedScheduling"
    assert "3 Insufficient memory" in best.cause
    assert best.immediate is None
    assert best.permanent is None
    assert pending("0/3 nodes are available", since_s=3.0).findings() == ()


def test_a_cause_that_quotes_is_one_sentence_however_the_quote_ends() -> None:
    assert pending("0/3 nodes are available").findings()[0].cause.endswith("nodes are available.")
    assert pending("0/3 nodes are available.").findings()[0].cause.endswith("nodes are available.")
    assert pending("").findings()[0].cause.endswith("no node: no reason was given.")


def test_pods_that_may_not_be_created_are_told_with_the_controllers_words() -> None:
    cluster = Cluster(replicas=1)
    cluster.revision(1, [container()], created_s=3000)
    message = 'pods "checkout-1-x" is forbidden: exceeded quota: compute'
    cluster.workload["status"]["conditions"] = [
        {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    ]
    best = cluster.findings()[0]
    assert best.failure_class == "FailedCreate"
    assert "exceeded quota: compute" in best.cause
    assert best.immediate is None


def test_a_container_that_may_not_run_as_root_is_told_and_not_guessed_about() -> None:
    cluster = Cluster(replicas=1)
    cluster.node()
    cluster.revision(1, [container()], created_s=3000)
    said = "container has runAsNonRoot and image will run as root"
    stuck = waiting("CreateContainerConfigError", said)
    cluster.pod("checkout-1-0", stuck, created_s=300, unready_s=300, phase="Pending")
    found = cluster.findings()
    assert [f.failure_class for f in found] == ["CreateContainerConfigError"]
    assert said in found[0].cause
    assert found[0].confidence < 0.9
    assert (found[0].immediate, found[0].permanent) == (None, None)
