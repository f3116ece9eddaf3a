"""Object state that means trouble is told once for each occurrence, and symptoms are not told beside their cause."""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kubernaut.adapters.kubernetes import Graces, StateWatcher
from kubernaut.adapters.kubernetes.state_signals import pod_unready_since, signals
from kubernaut.domain.signals import Signal
from kubernaut.domain.values import Severity

Json = dict[str, Any]
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class HeldClock:
    """Time that moves when the test says so."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    def pass_s(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Watched:
    """A watcher, what it told, and the objects as they were fed last."""

    def __init__(self) -> None:
        self.clock = HeldClock()
        self.told: list[Signal] = []
        self.watcher = StateWatcher("prod", self.told.append, self.clock, Graces())
        self._last: dict[str, Json] = {}

    def see(self, *items: Json) -> None:
        for item in items:
            key = f"{item['kind']}/{item['metadata']['name']}"
            self.watcher.feed(self._last.get(key), item)
            self._last[key] = copy.deepcopy(item)

    def gone(self, item: Json) -> None:
        self.watcher.feed(item, None)

    def wait(self, seconds: float) -> None:
        self.clock.pass_s(seconds)
        self.watcher.tick()

    @property
    def names(self) -> list[str]:
        return [signal.name for signal in self.told]


@pytest.fixture
def watched() -> Watched:
    return Watched()


def at(seconds: float = 0) -> str:
    return f"{START + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


def pod(
    name: str = "web-1", *, ready: bool = True, since: float = -3600, owner: str = "rs-web", node: str = "n1"
) -> Json:
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": f"uid-{name}",
            "creationTimestamp": at(-7200),
            "ownerReferences": [{"kind": "ReplicaSet", "name": owner, "uid": owner, "controller": True}],
        },
        "spec": {"nodeName": node},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": str(ready), "lastTransitionTime": at(since)}],
            "containerStatuses": [
                {"name": "app", "image": "app:1", "restartCount": 0, "state": {"running": {"startedAt": at(-7000)}}}
            ],
        },
    }


def waiting(item: Json, reason: str, restarts: int = 0, **last_state: Any) -> Json:
    container = item["status"]["containerStatuses"][0]
    container |= {"state": {"waiting": {"reason": reason}}, "restartCount": restarts, "lastState": last_state}
    item["status"]["conditions"][0]["status"] = "False"
    return item


def terminated(reason: str, finished: float) -> Json:
    return {
        "terminated": {"reason": reason, "exitCode": 137, "startedAt": at(finished - 10), "finishedAt": at(finished)}
    }


def deployment(
    *, available: bool = True, since: float = 0, ready: int = 0, progress: str = "NewReplicaSetAvailable"
) -> Json:
    return {
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "uid": "uid-web"},
        "spec": {"replicas": 3},
        "status": {
            "readyReplicas": ready,
            "conditions": [
                {"type": "Available", "status": str(available), "lastTransitionTime": at(since)},
                {
                    "type": "Progressing",
                    "status": str(progress != "ProgressDeadlineExceeded"),
                    "reason": progress,
                    "lastTransitionTime": at(since),
                },
            ],
        },
    }


def replica_set() -> Json:
    owner = {"kind": "Deployment", "name": "web", "uid": "uid-web", "controller": True}
    return {
        "kind": "ReplicaSet",
        "metadata": {"name": "rs-web", "namespace": "shop", "uid": "rs-web", "ownerReferences": [owner]},
    }


def node(status: str = "True", since: float = -9000, **pressures: str) -> Json:
    conditions = [{"type": "Ready", "status": status, "reason": "Kubelet", "lastTransitionTime": at(since)}]
    conditions += [
        {"type": kind, "status": value, "lastTransitionTime": at(since)} for kind, value in pressures.items()
    ]
    return {
        "kind": "Node",
        "metadata": {"name": "n1", "uid": "uid-n1", "creationTimestamp": at(-9000)},
        "status": {"conditions": conditions},
    }


@pytest.mark.parametrize(
    ("reason", "family"),
    [
        ("CrashLoopBackOff", "CrashLoop"),
        ("ImagePullBackOff", "ImagePull"),
        ("ErrImagePull", "ImagePull"),
        ("InvalidImageName", "ImagePull"),
        ("ErrImageNeverPull", "ImagePull"),
        ("CreateContainerConfigError", "ConfigError"),
        ("CreateContainerError", "ConfigError"),
    ],
)
def test_each_waiting_reason_is_told_with_its_family_and_place(watched, reason, family):
    watched.see(pod(), waiting(pod(), reason, 1))
    (signal,) = watched.told
    assert (signal.name, signal.failure_class) == (reason, family)
    assert (signal.target.kind, signal.target.namespace, signal.target.name) == ("Pod", "shop", "web-1")
    assert signal.labels == {"namespace": "shop", "pod": "web-1", "container": "app", "reason": reason}


@pytest.mark.parametrize("reason", ["ContainerCreating", "PodInitializing", ""])
def test_ordinary_waiting_is_no_trouble(watched, reason):
    watched.see(waiting(pod(), reason))
    assert watched.told == []


def test_an_image_that_cannot_be_pulled_is_told_once_whichever_reason_shows(watched):
    watched.see(waiting(pod(), "ErrImagePull"), waiting(pod(), "ImagePullBackOff"), waiting(pod(), "ErrImagePull"))
    assert watched.names == ["ErrImagePull"]
    other = waiting(pod(), "ErrImagePull")
    other["status"]["containerStatuses"][0]["image"] = "app:2"
    watched.see(other)
    assert watched.names == ["ErrImagePull", "ErrImagePull"]
    assert watched.told[0].occurrence != watched.told[1].occurrence


def test_an_out_of_memory_kill_is_told_from_the_last_state(watched):
    item = pod()
    item["status"]["containerStatuses"][0] |= {"restartCount": 1, "lastState": terminated("OOMKilled", -5)}
    watched.see(pod(), item, item)
    (signal,) = watched.told
    assert (signal.name, signal.failure_class, signal.starts_at) == (
        "OOMKilled",
        "CrashLoop",
        START - timedelta(seconds=5),
    )


def test_a_kill_without_that_reason_is_not_out_of_memory(watched):
    item = pod()
    item["status"]["containerStatuses"][0] |= {"restartCount": 1, "lastState": terminated("Error", -5)}
    watched.see(item)
    assert watched.told == []


def test_an_old_out_of_memory_kill_in_a_first_listing_is_history(watched):
    item = pod()
    item["status"]["containerStatuses"][0] |= {"restartCount": 1, "lastState": terminated("OOMKilled", -86400)}
    watched.see(item)
    assert watched.told == []


def test_a_crash_loop_is_told_again_only_after_a_while_and_with_another_occurrence(watched):
    for restarts in (1, 2, 3):
        watched.see(waiting(pod(), "CrashLoopBackOff", restarts), pod(ready=False, since=0))
        watched.wait(20)
    assert watched.names == ["CrashLoopBackOff"]
    watched.clock.pass_s(300)
    watched.see(waiting(pod(), "CrashLoopBackOff", 4))
    assert watched.names == ["CrashLoopBackOff"] * 2
    assert watched.told[0].occurrence != watched.told[1].occurrence


def test_another_watcher_gives_the_same_trouble_the_same_occurrence(watched):
    again = Watched()
    watched.see(waiting(pod(), "CrashLoopBackOff", 3))
    again.see(waiting(pod(), "CrashLoopBackOff", 3))
    assert watched.told == again.told


def test_a_pod_of_the_same_name_with_another_uid_is_a_new_trouble(watched):
    watched.see(waiting(pod(), "CrashLoopBackOff", 3))
    other = waiting(pod(), "CrashLoopBackOff", 3)
    other["metadata"]["uid"] = "another"
    watched.see(other)
    assert len({signal.occurrence for signal in watched.told}) == 2


def test_one_wedged_pod_is_told_after_its_grace(watched):
    watched.see(replica_set(), pod("web-2"), pod("web-1", ready=False, since=0))
    watched.wait(59)
    assert watched.told == []
    watched.wait(2)
    watched.wait(100)
    assert watched.names == ["PodNotReady"]
    assert watched.told[0].target.name == "web-1"


def test_a_pod_that_gets_ready_in_time_is_not_told(watched):
    watched.see(pod("web-2"), pod("web-1", ready=False, since=0))
    watched.wait(30)
    watched.see(pod("web-1", ready=True, since=30))
    watched.wait(300)
    assert watched.told == []


def test_a_pod_without_a_ready_sibling_is_left_to_its_deployment(watched):
    watched.see(replica_set(), pod("web-1", ready=False, since=0), pod("web-2", ready=False, since=0))
    watched.see(deployment(available=False, since=0))
    watched.wait(61)
    assert watched.names == ["DeploymentUnavailable"]
    assert watched.told[0].severity is Severity.CRITICAL


def test_a_deployment_whose_pods_name_their_trouble_is_not_told_beside_them(watched):
    watched.see(replica_set(), waiting(pod("web-1"), "CrashLoopBackOff", 2), deployment(available=False, since=0))
    watched.wait(61)
    between_crashes = pod("web-1", ready=False, since=61)
    watched.see(between_crashes, deployment(available=False, since=0, progress="ProgressDeadlineExceeded"))
    watched.wait(1)
    assert watched.names == ["CrashLoopBackOff"]


def test_a_slow_start_is_no_trouble_before_the_progress_deadline(watched):
    watched.see(deployment(available=False, since=0, progress="ReplicaSetUpdated"))
    watched.wait(500)
    assert watched.told == []
    watched.see(deployment(available=False, since=0, progress="ProgressDeadlineExceeded"))
    assert watched.names[0] == "ProgressDeadlineExceeded"
    assert watched.told[0].failure_class == "PodsNotReady"


def test_a_deployment_scaled_to_zero_is_well(watched):
    item = deployment(available=False, since=0)
    item["spec"]["replicas"] = 0
    watched.see(item)
    watched.wait(500)
    assert watched.told == []


def test_a_lost_node_is_told_and_its_pods_are_not(watched):
    watched.see(node(), pod("web-2", node="n2"), pod("web-1"))
    watched.see(node("Unknown", since=0), pod("web-1", ready=False, since=0))
    watched.wait(61)
    assert watched.names == ["NodeUnreachable"]
    assert (watched.told[0].failure_class, watched.told[0].target.name) == ("NodeNotReady", "n1")


def test_a_kubelet_that_restarts_quickly_is_not_told(watched):
    watched.see(node(), node("False", since=0))
    watched.wait(5)
    watched.see(node("True", since=5))
    watched.wait(60)
    assert watched.told == []


def test_a_node_that_has_just_joined_is_given_time(watched):
    young = node("False", since=0)
    young["metadata"]["creationTimestamp"] = at(0)
    watched.see(young)
    watched.wait(30)
    assert watched.told == []
    watched.wait(31)
    assert watched.names == ["NodeNotReady"]


@pytest.mark.parametrize("kind", ["MemoryPressure", "DiskPressure", "PIDPressure"])
def test_pressure_is_told_at_once(watched, kind):
    watched.see(node(), node(since=0, **{kind: "True"}))
    assert [(s.name, s.failure_class) for s in watched.told] == [(f"Node{kind}", "NodePressure")]


def test_a_flapping_node_is_told_as_such(watched):
    for _ in range(2):
        watched.see(node("True", since=-9000))
        watched.clock.pass_s(5)
        watched.see(node("False", since=(watched.clock.now() - START).total_seconds()))
        watched.clock.pass_s(5)
    watched.see(node("True", since=99))
    assert watched.names == ["NodeReadinessFlapping"]


def test_what_is_being_deleted_is_no_trouble(watched):
    item = waiting(pod(), "CrashLoopBackOff", 3)
    item["metadata"]["deletionTimestamp"] = at()
    watched.see(item)
    assert watched.told == []
    assert pod_unready_since(item) is None


def test_a_deleted_pod_is_forgotten(watched):
    broken = pod("web-1", ready=False, since=0)
    watched.see(pod("web-2"), broken)
    watched.gone(broken)
    watched.wait(600)
    assert watched.told == []


def test_the_difference_between_two_states_is_what_is_new():
    once = waiting(pod(), "CrashLoopBackOff", 3)
    assert [s.name for s in signals(None, once, "prod")] == ["CrashLoopBackOff"]
    assert signals(once, once, "prod") == []
    assert signals(once, None, "prod") == []


def test_what_was_evicted_in_a_crash_loop_names_nobodys_trouble_any_more(watched):
    """Pods that failed stay for days as objects; the Deployment's next trouble is another one."""
    watched.see(replica_set(), waiting(pod("web-1"), "CrashLoopBackOff", 2), deployment(available=False, since=0))
    evicted = pod("web-1", ready=False, since=10)
    evicted["status"] |= {"phase": "Failed", "reason": "Evicted", "containerStatuses": []}
    watched.see(evicted)
    watched.wait(61)
    assert watched.names == ["CrashLoopBackOff", "DeploymentUnavailable"]


def test_what_was_taken_out_of_its_deployment_names_nobodys_trouble_any_more(watched):
    """Somebody took the label off a crashing pod, to look at it while its controller makes another one."""
    watched.see(replica_set(), waiting(pod("web-1"), "CrashLoopBackOff", 2), deployment(available=False, since=0))
    released = waiting(pod("web-1"), "CrashLoopBackOff", 2)
    del released["metadata"]["ownerReferences"]
    watched.see(released)
    watched.wait(61)
    assert "DeploymentUnavailable" in watched.names


def test_a_ready_pod_that_was_taken_out_does_not_stand_for_its_siblings(watched):
    watched.see(replica_set(), pod("web-1"), pod("web-2", ready=False, since=0))
    released = pod("web-1")
    del released["metadata"]["ownerReferences"]
    watched.see(released, deployment(available=False, since=0))
    watched.wait(61)
    assert watched.names == ["DeploymentUnavailable"]


_NULLS: Json = {"spec": None, "status": None}
_EMPTY_STATUS: Json = {"phase": "Running", "conditions": [], "containerStatuses": None}


@pytest.mark.parametrize("kind", ["Pod", "Deployment", "Node", "ReplicaSet"])
@pytest.mark.parametrize(
    "odd", [{}, _NULLS, {"spec": {}, "status": {}}, {"status": _EMPTY_STATUS}, {"spec": "odd", "status": "odd"}]
)
def test_an_odd_object_is_at_most_not_judged(watched, kind, odd):
    """Nulls are what encoders of other languages write; whatever it is, the next object is judged."""
    item = {"kind": kind, "metadata": {"name": "odd", "namespace": "shop", "uid": "uid-odd"}, **odd}
    watched.see(item)
    watched.see(deployment(available=False, since=0))
    watched.wait(61)
    assert watched.names == ["DeploymentUnavailable"]


def test_nulls_are_read_as_nothing(watched):
    """An unready pod and a Deployment short of pods whose numbers and lists are null are troubles as others are."""
    wedged = pod("web-2", ready=False, since=0)
    wedged["spec"] = None
    wedged["status"]["initContainerStatuses"] = None
    for key in ("state", "lastState", "restartCount"):
        wedged["status"]["containerStatuses"][0][key] = None
    short = deployment(available=False, since=0)
    short["spec"]["replicas"] = short["status"]["readyReplicas"] = None
    watched.see(pod("web-1"), wedged, short)
    watched.wait(61)
    assert sorted(watched.names) == ["DeploymentUnavailable", "PodNotReady"]


def test_a_mistake_with_one_object_does_not_end_the_looks_at_the_others(watched):
    """Whoever looks every second is a part of the daemon, which would end with it."""

    def deliver(signal: Signal) -> None:
        if signal.target is not None and signal.target.name == "odd":
            raise ValueError("a mistake")
        watched.told.append(signal)

    watched.watcher = StateWatcher("prod", deliver, watched.clock, Graces())
    odd = deployment(available=False, since=0)
    odd["metadata"] |= {"name": "odd", "uid": "uid-odd"}
    watched.see(odd, deployment(available=False, since=0))
    watched.wait(61)
    assert watched.names == ["DeploymentUnavailable"]
