"""The permission check remembers its answers for a moment: when a right is taken away in between, the write itself is refused,
and that is an outcome like any other."""

from kubernaut.domain.errors import Refused
from kubernaut.domain.remediation import RemediationPhase
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.tracks import ImperativePhase

from . import objects
from .conftest import N1, WEB, House

_I = ImperativePhase
FORBIDDEN = 'deployments.apps "web" is forbidden: User "kubernaut" cannot patch resource'


async def _forbidden(verb: str, ref: ResourceRef) -> None:
    raise Refused(f"{verb} {ref}: {FORBIDDEN}")


async def test_a_refused_restart_is_escalated_and_not_tried_again(house: House) -> None:
    house.cluster.put(objects.namespace())
    house.cluster.put(objects.replica_set(house.cluster.put(objects.deployment())))
    await house.open("restart-deployment", WEB)
    await house.until(_I.EXECUTING)
    house.cluster.before = _forbidden
    tries: list[str] = []
    house.cluster.when_asked = lambda: tries.append("asked")
    track = await house.until(_I.VERIFYING)
    assert (track.phase, track.wake_at) == (_I.FAILED, None)
    assert FORBIDDEN in track.reason
    assert (await house.get()).phase is RemediationPhase.ESCALATED
    assert house.cluster.writes == []
    kinds = [entry.kind for entry in await house.journal()]
    assert kinds.count("intent") == 1
    assert "mutation" not in kinds
    assert kinds.count("escalation") == 1


async def test_a_drain_that_is_refused_half_way_goes_no_further(house: House) -> None:
    house.cluster.put(objects.namespace())
    house.cluster.put(objects.node())
    replica_set = house.cluster.put(objects.replica_set(house.cluster.put(objects.deployment())))
    house.cluster.put(objects.pod("web-1-1", replica_set))
    await house.open("drain-node", N1, environment="development")
    await house.until(_I.AWAITING_APPROVAL)
    await house.approve()
    await house.until(_I.EXECUTING)

    async def no_evictions(verb: str, ref: ResourceRef) -> None:
        if verb == "evict":
            await _forbidden(verb, ref)

    house.cluster.before = no_evictions
    track = await house.until(_I.VERIFYING)
    assert track.ended
    assert FORBIDDEN in " ".join(entry.message for entry in await house.journal())
    assert ("evict", "shop/pod/web-1-1") not in house.cluster.writes
    assert ("Pod", "shop", "web-1-1") in house.cluster.objects
    before = list(house.cluster.writes)
    house.cluster.before = None
    await house.until(_I.COMPLETED)
    assert house.cluster.writes == before
