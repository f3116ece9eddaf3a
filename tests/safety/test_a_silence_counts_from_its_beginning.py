"""Only a silence that somebody listened to is held against the outside: neither age, nor a stop of the daemon, nor a clock."""

from datetime import timedelta
from typing import Any

from kubernaut.domain.assessment import AssessmentPhase
from kubernaut.domain.errors import Temporary
from kubernaut.domain.remediation import RemediationPhase
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import Signal, SignalSource, SignalStatus, fingerprint
from kubernaut.domain.tracks import ImperativePhase
from kubernaut.domain.values import Severity
from kubernaut.pipeline.control import ControlDesk
from kubernaut.ports import ClusterHealth, Intake

from . import objects
from .conftest import ANA, N1, WEB, House
from .memory_cluster import MemoryCluster

_I = ImperativePhase
NIGHT_S = 8 * 3600.0


class Away:
    """A cluster that is known to be gone for as long as it is."""

    def __init__(self, cluster: MemoryCluster) -> None:
        self._cluster = cluster
        self.away = True

    def __getattr__(self, name: str) -> Any:
        if self.away and name not in ("name", "cached"):
            return self._silent
        return getattr(self._cluster, name)

    async def _silent(self, *_: object, **__: object) -> None:
        raise Temporary("prod does not answer: can't connect")

    def health(self) -> ClusterHealth:
        return ClusterHealth("prod", "DOWN", 60.0, "not connected yet") if self.away else self._cluster.health()


def away(house: House) -> Away:
    made = Away(house.cluster)
    house.using(clusters={"prod": made})
    return made


async def listen(house: House, seconds: float, part: str = "imperative", id_: str = "rr-aaaaaa") -> None:
    """Look whenever the row wants it, for so long."""
    until = house.clock.now() + timedelta(seconds=seconds)
    while True:
        item = await house.get(id_)
        wake_at = item.wake_at if part == "assessment" else item.imperative and item.imperative.wake_at
        if wake_at is None or wake_at > until:
            break
        house.clock.moment = max(house.clock.moment, wake_at)
        await house.turn(id_, part)
    house.clock.moment = until


async def verifying(house: House) -> None:
    house.cluster.put(objects.namespace())
    owner = house.cluster.put(objects.replica_set(house.cluster.put(objects.deployment())))
    for number in (1, 2):
        house.cluster.put(objects.pod(f"web-1-{number}", owner))
    await house.open("restart-deployment", WEB)
    await house.until(_I.VERIFYING)
    await house.turn()


async def short_of_a_pod(house: House) -> None:
    deployment = objects.deployment()
    deployment["status"] |= {"readyReplicas": 1, "availableReplicas": 1}
    house.cluster.put(deployment)
    await house.turn()


async def signal(house: House) -> str:
    now = house.clock.now()
    taken = Signal(
        "Odd", SignalSource.ALERTMANAGER, "prod", SignalStatus.FIRING, Severity.CRITICAL, WEB, "CrashLoop", "o", now
    )
    return (await house.store.take([Intake(taken, WEB, fingerprint(WEB, "CrashLoop"), "rr-aaaaaa", now, 300.0)]))[
        0
    ].remediation_id


async def test_a_mitigation_is_not_given_up_because_the_daemon_was_down(house: House) -> None:
    """The power was gone, and the daemon is back before the cluster."""
    await verifying(house)
    house.move(NIGHT_S)
    house.restart()
    cluster = away(house)
    await listen(house, 120.0)
    track = await house.track()
    assert track.phase is _I.VERIFYING, track.reason
    cluster.away = False
    assert (await house.until(_I.COMPLETED, most=200)).phase is _I.COMPLETED


async def test_the_deadline_of_health_stands_still_as_well(house: House) -> None:
    await verifying(house)
    await short_of_a_pod(house)
    house.move(NIGHT_S)
    house.restart()
    cluster = away(house)
    await listen(house, 60.0)
    cluster.away = False
    await listen(house, 60.0)
    track = await house.track()
    assert track.phase is _I.VERIFYING, track.reason


async def test_a_mitigation_is_given_up_after_the_outage_that_was_listened_to(house: House) -> None:
    await verifying(house)
    away(house)
    outage_s = house.out.limits.outage_s
    await listen(house, outage_s / 2)
    house.move(NIGHT_S)
    house.restart()
    await listen(house, outage_s / 2 - 60)
    assert (await house.track()).phase is _I.VERIFYING
    await listen(house, 180.0)
    track = await house.track()
    assert track.phase is _I.FAILED
    assert "gave up waiting: prod does not answer" in track.reason


async def test_a_phase_that_lasts_is_not_given_up_at_the_first_silence(house: House) -> None:
    """An answer in between ends the silence."""
    await verifying(house)
    await short_of_a_pod(house)
    cluster = away(house)
    outage_s = house.out.limits.outage_s
    for _ in range(3):
        cluster.away = True
        await listen(house, outage_s * 0.9)
        cluster.away = False
        await house.turn()
    assert (await house.track()).phase is _I.VERIFYING


async def test_a_signal_of_the_evening_is_looked_into_in_the_morning(house: House) -> None:
    id_ = await signal(house)
    house.move(NIGHT_S)
    away(house)
    await listen(house, 120.0, "assessment", id_)
    item = await house.get(id_)
    assert item.assessment is AssessmentPhase.PENDING, item.reason
    await listen(house, house.out.limits.outage_s, "assessment", id_)
    item = await house.get(id_)
    assert item.phase is RemediationPhase.TIMED_OUT
    assert "gave up waiting: prod does not answer" in item.reason


def unclear(house: House) -> None:
    """A pod that is not ready, and nothing tells why."""
    house.cluster.put(objects.namespace())
    deployment = objects.deployment(replicas=1)
    deployment["status"] |= {"readyReplicas": 0, "availableReplicas": 0, "unavailableReplicas": 1}
    pod = objects.pod("web-1-1", house.cluster.put(objects.replica_set(house.cluster.put(deployment))))
    pod["status"]["conditions"] = [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}]
    pod["status"]["containerStatuses"][0]["ready"] = False
    house.cluster.put(pod)


def well(house: House, for_s: float) -> None:
    """All is well, and has been for so long."""
    since = (house.clock.now() - timedelta(seconds=for_s)).isoformat()
    pod = house.cluster.put(house.cluster.objects["Pod", "shop", "web-1-1"])
    pod["status"]["conditions"] = [{"type": "Ready", "status": "True", "lastTransitionTime": since}]
    pod["status"]["containerStatuses"] = [
        {"name": "app", "ready": True, "restartCount": 0, "state": {"running": {"startedAt": since}}}
    ]
    house.cluster.put(objects.deployment(replicas=1))


async def test_a_failure_that_nobody_looked_at_has_all_of_its_patience(house: House) -> None:
    unclear(house)
    id_ = await signal(house)
    house.move(NIGHT_S)
    patience_s = house.out.limits.patience_s
    await listen(house, patience_s - 5, "assessment", id_)
    item = await house.get(id_)
    assert not item.ended, item.reason
    await listen(house, 10, "assessment", id_)
    assert (await house.get(id_)).phase is RemediationPhase.ESCALATED


async def test_nobody_is_called_about_what_got_well_while_nobody_could_look(house: House) -> None:
    """A silent cluster is not one that got well again and again."""
    unclear(house)
    id_ = await signal(house)
    cluster = away(house)
    await listen(house, 1200, "assessment", id_)
    cluster.away = False
    well(house, 10)
    await listen(house, house.out.limits.stability_s + 10, "assessment", id_)
    item = await house.get(id_)
    assert item.phase is RemediationPhase.SKIPPED, item.reason
    assert "nothing is wrong any more" in item.reason


async def test_a_roll_back_is_tried_when_the_cluster_is_back(house: House) -> None:
    for name in ("n1", "n2"):
        house.cluster.put(objects.node(name))
    await house.open("cordon-node", N1)
    await house.until(_I.VERIFYING)
    await ControlDesk(house.store, house.clock, lambda: None).cancel("rr-aaaaaa", ANA, "")
    await house.turn()
    cluster = away(house)
    await listen(house, house.out.limits.rollback_deadline_s * 2)
    assert (await house.track()).phase is _I.ROLLING_BACK
    cluster.away = False
    assert (await house.until(_I.ROLLED_BACK)).phase is _I.ROLLED_BACK
    assert not house.cluster.objects["Node", "", "n1"]["spec"].get("unschedulable")


async def test_a_roll_back_that_the_cluster_does_not_take_is_a_persons_after_its_deadline(house: House) -> None:
    for name in ("n1", "n2"):
        house.cluster.put(objects.node(name))
    await house.open("cordon-node", N1)
    await house.until(_I.VERIFYING)
    await ControlDesk(house.store, house.clock, lambda: None).cancel("rr-aaaaaa", ANA, "")
    await house.turn()

    async def busy(verb: str, ref: ResourceRef) -> None:
        raise Temporary("patch node/n1: too many requests")

    house.cluster.before = busy
    began = house.clock.now()
    track = await house.until(_I.ROLLED_BACK, most=2000)
    assert track.phase is _I.PARTIALLY_ROLLED_BACK
    assert "could not undo cordon-node within 300 s: patch node/n1: too many requests" in track.reason
    assert house.clock.now() - began < timedelta(seconds=house.out.limits.rollback_deadline_s + 30)


async def test_what_resolved_needs_no_answer_of_a_silent_cluster(house: House) -> None:
    id_ = await signal(house)
    away(house)
    await listen(house, 60.0, "assessment", id_)
    await house.resolve(id_)
    await listen(house, 60.0, "assessment", id_)
    item = await house.get(id_)
    assert item.phase is RemediationPhase.SKIPPED, item.reason


async def test_what_resolved_before_it_was_mitigated_needs_no_answer_either(house: House) -> None:
    await opened_and_away(house)
    await listen(house, 60.0)
    await house.resolve()
    await listen(house, 60.0)
    track = await house.track()
    assert track.phase is _I.CANCELLED, track.reason


async def opened_and_away(house: House) -> None:
    house.cluster.put(objects.namespace())
    house.cluster.put(objects.deployment())
    await house.open("restart-deployment", WEB)
    away(house)
