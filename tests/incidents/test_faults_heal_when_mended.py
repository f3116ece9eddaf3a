"""A fault acts while its cause is there, and only then: whatever the facts, and without any cluster."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubernaut.sim.faults import (
    Board,
    FailingDisk,
    MemoryTooSmall,
    OverloadedRuntime,
    RejectedValue,
    StalePods,
    UnknownCommand,
    WedgedPod,
    Workload,
)
from kubernaut.sim.kubelet import Behaviour, Launch, NodeHealth, NodeView, Pace, Registry

MIB = 2**20
SHOP = Workload("shop", "checkout")
USUAL = Behaviour()
LAUNCH = Launch(
    namespace="shop",
    pod="checkout-1",
    pod_uid="1",
    node="worker-1",
    labels={"app.kubernetes.io/name": "checkout"},
    container="checkout",
    image="registry.shop.example/shop/checkout:1",
    command=(),
    memory_limit_bytes=128 * MIB,
    env={},
    files={},
    pod_started=0.0,
    started=0.0,
    restarts=0,
    now=0.0,
)
moments = st.floats(0, 10_000, allow_nan=False)


@given(limit=st.integers(1, 4096), needs=st.integers(1, 4096), pod=moments, started=moments, since=moments)
def test_memory_kills_exactly_below_the_need(limit: int, needs: int, pod: float, started: float, since: float) -> None:
    launch = replace(LAUNCH, memory_limit_bytes=limit * MIB, pod_started=pod, started=started)
    acts = MemoryTooSmall(SHOP, needs).container(launch, USUAL, since)
    if limit >= needs:
        assert acts == USUAL
    else:
        assert (acts.exit_reason, acts.exit_code) == ("OOMKilled", 137)
        assert acts.exits_after_s is not None
        assert acts.exits_after_s >= 2.0


def test_memory_without_a_limit_is_never_too_small() -> None:
    assert MemoryTooSmall(SHOP).container(replace(LAUNCH, memory_limit_bytes=None), USUAL, 0.0) == USUAL


def test_memory_grants_relief_to_new_pods_but_not_to_restarted_containers() -> None:
    fault = MemoryTooSmall(SHOP, relief_s=60.0)
    fresh = fault.container(replace(LAUNCH, pod_started=100.0, started=100.0), USUAL, 50.0)
    again = fault.container(replace(LAUNCH, pod_started=100.0, started=200.0), USUAL, 50.0)
    assert (fresh.exits_after_s, again.exits_after_s) == (60.0, 2.0)


@given(pod=moments, since=moments)
def test_stale_are_the_pods_from_before(pod: float, since: float) -> None:
    assert StalePods(SHOP).container(replace(LAUNCH, pod_started=pod), USUAL, since).ready == (pod >= since)


@given(name=st.sampled_from(["checkout-1", "checkout-2"]))
def test_wedged_is_one_pod(name: str) -> None:
    assert WedgedPod("shop", "checkout-1").container(replace(LAUNCH, pod=name), USUAL, 0.0).ready == (name[-1] == "2")


@given(value=st.from_regex(r"[0-9]{1,3}(ms|s|m)?( minutes)?", fullmatch=True))
def test_a_value_is_refused_exactly_when_it_does_not_parse(value: str) -> None:
    fault = RejectedValue(SHOP, "TIMEOUT", r"[0-9]+(ms|s|m)", "unknown unit")
    acts = fault.container(replace(LAUNCH, env={"TIMEOUT": value}), USUAL, 0.0)
    assert (acts == USUAL) == value.endswith(("s", "m")) or value.endswith("minutes")
    assert (acts.exit_code == 0) == (acts == USUAL)


@pytest.mark.parametrize(("command", "starts"), [((), True), (("/app/run",), True), (("/app/rum",), False)])
def test_a_command_starts_when_the_image_holds_it(command: tuple[str, ...], starts: bool) -> None:
    acts = UnknownCommand(SHOP, frozenset({"/app/run"})).container(replace(LAUNCH, command=command), USUAL, 0.0)
    assert (acts.start_error == "") == starts


@given(now=moments, since=moments)
def test_a_cordoned_node_rests(now: float, since: float) -> None:
    fault = OverloadedRuntime("n1")
    assert fault.node(NodeView("n1", unschedulable=True, pods=9, now=now), NodeHealth(), since).ready
    assert fault.node(NodeView("n2", unschedulable=False, pods=9, now=now), NodeHealth(), since).ready


def test_a_node_that_is_not_cordoned_flaps() -> None:
    fault = OverloadedRuntime("n1")
    views = [NodeView("n1", unschedulable=False, pods=9, now=float(second)) for second in range(0, 120, 5)]
    assert {fault.node(view, NodeHealth(), 0.0).ready for view in views} == {True, False}


@given(now=moments, cordoned=st.booleans(), pods=st.integers(0, 3))
def test_a_broken_disk_stays_broken_but_is_quiet_when_drained(now: float, cordoned: bool, pods: int) -> None:
    health = FailingDisk("n1").node(NodeView("n1", cordoned, pods, now), NodeHealth(), 0.0)
    assert "ReadonlyFilesystem" in health.problems
    if cordoned and pods == 0:
        assert health.ready


@given(namespace=st.sampled_from(["shop", "other"]), app=st.sampled_from(["checkout", "cart"]))
def test_others_are_left_alone(namespace: str, app: str) -> None:
    launch = replace(LAUNCH, namespace=namespace, labels={"app.kubernetes.io/name": app}, pod_started=-1.0)
    board = Board(Pace())
    board.inject(StalePods(SHOP))
    board.inject(MemoryTooSmall(SHOP))
    touched = board.container(launch, USUAL) != USUAL
    assert touched == ((namespace, app) == ("shop", "checkout"))


def test_withdrawn_faults_are_gone() -> None:
    board = Board(Pace())
    board.inject(MemoryTooSmall(SHOP))
    board.withdraw(MemoryTooSmall(SHOP))
    assert board.container(LAUNCH, USUAL) == USUAL


def test_only_published_tags_exist_where_tags_are_known() -> None:
    registry = Registry({"registry.example:5000/a": ["1"]})
    assert registry.has("registry.example:5000/a:1")
    assert not registry.has("registry.example:5000/a:2")
    assert not registry.has("registry.example:5000/a")
    assert registry.has("registry.example:5000/b")
    registry.publish("registry.example:5000/a:2")
    assert registry.has("registry.example:5000/a:2")
