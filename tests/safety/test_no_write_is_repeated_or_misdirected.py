"""A write happens once, on the object that was judged, while the judgement is fresh."""

import copy
from dataclasses import replace

from kubernaut.domain.errors import Temporary, Unknown
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.tracks import ImperativePhase
from kubernaut.ports import Change

from . import objects
from .conftest import N1, WEB, House

_I = ImperativePhase
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


def _web(house: House) -> None:
    house.cluster.put(objects.namespace())
    web = house.cluster.put(objects.deployment())
    replica_set = house.cluster.put(objects.replica_set(web))
    for number in (1, 2):
        house.cluster.put(objects.pod(f"web-1-{number}", replica_set))


def _stamped(house: House, moment: str) -> None:
    web = copy.deepcopy(house.cluster.objects["Deployment", "shop", "web"])
    web["spec"]["template"]["metadata"].setdefault("annotations", {})[RESTARTED_AT] = moment
    web["metadata"]["generation"] += 1
    house.cluster.put(web)


async def _lose(verb: str, ref: ResourceRef) -> None:
    raise Unknown(f"{verb} {ref}: the reply was lost")


async def test_a_restart_whose_reply_was_lost_is_not_repeated_when_somebody_restarted_after_it(house: House) -> None:
    _web(house)
    await house.open("restart-deployment", WEB)
    await house.until(_I.EXECUTING)
    await house.turn()
    house.cluster.after = _lose
    await house.turn()
    house.cluster.after = None
    _stamped(house, "2026-03-01T03:07:00Z")
    await house.until(_I.VERIFYING)
    assert house.cluster.writes == [("patch", "shop/deployment/web")]
    web = house.cluster.objects["Deployment", "shop", "web"]
    assert web["spec"]["template"]["metadata"]["annotations"][RESTARTED_AT] == "2026-03-01T03:07:00Z"


async def test_a_restart_whose_mark_was_taken_away_again_is_known_by_its_replica_set(house: House) -> None:
    """Flux strips the annotation; what it left behind is a ReplicaSet made from it."""
    _web(house)
    await house.open("restart-deployment", WEB)
    await house.until(_I.EXECUTING)
    await house.turn()
    house.cluster.after = _lose
    await house.turn()
    house.cluster.after = None
    web = copy.deepcopy(house.cluster.objects["Deployment", "shop", "web"])
    house.cluster.put(objects.replica_set(web, "web-2", copy.deepcopy(web["spec"]["template"])))
    del web["spec"]["template"]["metadata"]["annotations"]
    house.cluster.put(web)
    await house.until(_I.VERIFYING)
    assert house.cluster.writes == [("patch", "shop/deployment/web")]


async def test_a_server_that_never_says_what_became_of_a_write_is_not_asked_for_ever(house: House) -> None:
    _web(house)
    await house.open("restart-deployment", WEB)
    await house.until(_I.EXECUTING)
    house.cluster.before = _lose
    track = await house.until(_I.VERIFYING, most=200)
    assert track.ended, "the track goes on for ever"
    assert track.phase is _I.FAILED
    entries = [e for e in await house.journal() if e.kind == "error"]
    assert len(entries) < 10, "every attempt is told anew"


async def test_an_outage_during_the_permission_question_is_waited_for(house: House) -> None:
    _web(house)
    await house.open("restart-deployment", WEB)
    await house.until(_I.VALIDATING)

    def gone() -> None:
        raise Temporary("the API server does not answer")

    house.cluster.when_asked = gone
    await house.turn()
    assert not (await house.track()).ended
    house.cluster.when_asked = None
    assert (await house.until(_I.VERIFYING)).phase is _I.VERIFYING


async def test_a_pod_that_took_the_name_of_the_judged_one_is_left_alone(house: House) -> None:
    house.cluster.put(objects.namespace())
    owner = house.cluster.put(objects.replica_set(house.cluster.put(objects.deployment())))
    house.cluster.put(objects.pod("db-0", owner, uid="first"))
    await house.open("delete-pod", ResourceRef("prod", "Pod", "db-0", "shop"), of=WEB)
    house.cluster.put(objects.pod("db-0", owner, uid="second"))
    track = await house.until(_I.VERIFYING)
    assert house.cluster.writes == []
    assert track.phase is _I.FAILED
    assert "made anew" in track.reason


async def test_an_intent_that_is_hours_old_is_judged_anew_before_anything_is_written(house: House) -> None:
    _web(house)
    await house.open("restart-deployment", WEB)
    await house.until(_I.EXECUTING)
    await house.turn()
    house.restart()
    house.move(4 * 3600)
    house.using(freeze=True)
    await house.turn()
    assert house.cluster.writes == []
    track = await house.until(_I.AWAITING_APPROVAL)
    assert track.phase is _I.AWAITING_APPROVAL
    assert (await house.approval()).rule == "freeze"


async def test_a_target_that_keeps_changing_is_handed_over(house: House) -> None:
    _web(house)
    await house.open("restart-deployment", WEB)

    async def changing(kind: str, namespace: str, name: str, *, live: bool = False) -> object:
        if kind == "Deployment":
            house.cluster.objects["Deployment", "shop", "web"]["metadata"]["generation"] += 1
        return copy.deepcopy(house.cluster.objects.get((kind, namespace, name)))

    house.cluster.get = changing  # type: ignore[method-assign, assignment]
    began = house.clock.now()
    track = await house.until(_I.EXECUTING, most=200)
    assert track.phase is _I.FAILED
    assert (house.clock.now() - began).total_seconds() > 1, "it was planned again and again at once"
    assert len(await house.journal()) < 40


async def test_a_person_who_uncordons_a_node_in_the_middle_of_a_drain_ends_the_drain(house: House) -> None:
    _drainable(house)
    await house.open("drain-node", N1, environment="test", failure_class="NodeHardware")
    house.using(cluster_labels={"prod": {"environment": "test"}})

    async def budget(verb: str, ref: ResourceRef) -> None:
        if verb == "evict" and ref.name == "web-1-2":
            raise Temporary("the budget does not allow it")

    house.cluster.before = budget
    await house.until(_I.EXECUTING)
    await house.turn()
    await house.turn()
    assert ("patch", "node/n1") in house.cluster.writes
    house.cluster.objects["Node", "", "n1"]["spec"]["unschedulable"] = False
    house.cluster.before = None
    track = await house.until(_I.VERIFYING)
    assert track.ended
    assert house.cluster.objects["Node", "", "n1"]["spec"]["unschedulable"] is False
    assert ("Pod", "shop", "web-1-2") in house.cluster.objects


async def test_a_drain_does_not_cordon_again_a_node_that_a_person_uncordoned(house: House) -> None:
    """It was cordoned before, so that to undo the drain looks like cordoning it."""
    _drainable(house, cordoned=True)
    await house.open("drain-node", N1, environment="test", failure_class="NodeHardware")
    house.using(cluster_labels={"prod": {"environment": "test"}})
    await house.until(_I.VERIFYING)
    house.cluster.objects["Node", "", "n1"]["spec"]["unschedulable"] = False
    house.cluster.writes.clear()
    track = await house.until(_I.COMPLETED, most=2000)
    assert track.ended
    assert house.cluster.writes == []
    assert house.cluster.objects["Node", "", "n1"]["spec"]["unschedulable"] is False


async def test_of_two_drains_of_a_pool_the_one_that_began_is_finished_first(house: House) -> None:
    """The second was validated while the first had not begun, and its validation began earlier."""
    for name in ("n1", "n2"):
        house.cluster.put(objects.node(name))
    owner = house.cluster.put(objects.replica_set(house.cluster.put(objects.deployment())))
    house.cluster.put(objects.pod("a", owner, node="n1"))
    house.cluster.put(objects.pod("b", owner, node="n2"))
    house.using(cluster_labels={"prod": {"environment": "test"}})
    n2 = ResourceRef("prod", "Node", "n2")
    await house.open("drain-node", N1, environment="test", id_="rr-aaaaaa")
    await house.open("drain-node", n2, environment="test", id_="rr-bbbbbb")
    early = await house.until(_I.EXECUTING, id_="rr-bbbbbb")
    late = await house.until(_I.VALIDATING, id_="rr-aaaaaa")
    house.move(1)
    # The first's validation ended later than the second's began, and its intent came first.
    await house.store.commit(Change(tracks=(replace(early, phase=_I.VALIDATING),)))
    forced = replace(late, phase=_I.EXECUTING, since=house.clock.now(), decision=early.decision)
    await house.store.commit(Change(tracks=(forced,)))
    await house.turn("rr-aaaaaa")
    parked = await house.track("rr-bbbbbb")
    await house.store.commit(Change(tracks=(replace(parked, phase=_I.EXECUTING),)))
    await house.turn("rr-bbbbbb")
    assert (await house.track("rr-bbbbbb")).steps == ()
    assert "waits" in (await house.track("rr-bbbbbb")).reason


def _drainable(house: House, *, cordoned: bool = False) -> None:
    house.cluster.put(objects.node("n1", cordoned=cordoned))
    house.cluster.put(objects.node("n2"))
    owner = house.cluster.put(objects.replica_set(house.cluster.put(objects.deployment(replicas=4))))
    for number in (1, 2):
        house.cluster.put(objects.pod(f"web-1-{number}", owner, node="n1"))
    for number in (3, 4):
        house.cluster.put(objects.pod(f"web-1-{number}", owner, node="n2"))
