"""A signal joins what it belongs to, or opens one remediation, however many arrive at once (R-SIG-6, R-SIG-7)."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from kubernaut.domain.assessment import AssessmentEvent, AssessmentPhase
from kubernaut.domain.errors import Conflict
from kubernaut.domain.remediation import Remediation, advance
from kubernaut.domain.signals import SignalSource, SignalStatus, fingerprint
from kubernaut.domain.tracks import ImperativePhase
from kubernaut.domain.values import Severity
from kubernaut.ports import Change, Intake, Query, Store

from .values import START, HeldClock, decided, imperative, intake, owner

RESOLVED = SignalStatus.RESOLVED


async def only(store: Store) -> Remediation:
    page = await store.list(Query())
    assert page.total == 1
    return page.items[0]


async def take(store: Store, item: Intake) -> tuple[str, str]:
    (taken,) = await store.take([item])
    return taken.outcome, taken.remediation_id


async def end(store: Store, id_: str, event: AssessmentEvent, after_s: float = 0) -> Remediation:
    item = await store.remediation(id_)
    assert item is not None
    ended = advance(item, event, START + timedelta(seconds=after_s), wake_at=None)
    await store.commit(Change(ended))
    return ended


def orphaned(item: Intake) -> Intake:
    """The same signal, when nobody knows any more whose pod it is about."""
    target = item.signal.target
    assert target is not None
    return replace(item, owner=target, fingerprint=fingerprint(target, item.signal.failure_class))


async def test_two_hundred_at_once_make_one_remediation(store: Store) -> None:
    taken = await asyncio.gather(*(store.take([intake(candidate=f"rr-{n:06}")]) for n in range(200)))
    item = await only(store)
    assert item.signal.count == 200
    assert [t[0].outcome for t in taken].count("opened") == 1
    assert {t[0].remediation_id for t in taken} == {item.id}


async def test_a_batch_is_answered_in_its_order(store: Store) -> None:
    taken = await store.take([intake("a"), intake("b"), intake("a"), intake("c", status=RESOLVED)])
    assert [t.outcome for t in taken] == ["opened", "opened", "attached", "ignored"]
    assert taken[0].remediation_id == taken[2].remediation_id != taken[1].remediation_id


async def test_what_opens_wants_to_be_looked_at_now(store: Store, clock: HeldClock) -> None:
    _, id_ = await take(store, intake())
    item = await only(store)
    assert (item.wake_at, item.assessment, item.version) == (START, AssessmentPhase.PENDING, 1)
    assert [(due.remediation_id, due.part) for due in await store.due(clock.now(), 10)] == [(id_, "assessment")]
    assert await store.active(item.fingerprint) == id_


async def test_another_failure_of_the_same_owner_is_no_duplicate(store: Store) -> None:
    await store.take([intake(), intake(failure_class="ImagePull", candidate="rr-bbbbbb")])
    assert (await store.list(Query())).total == 2


async def test_an_id_that_is_taken_is_replaced(store: Store) -> None:
    taken = await store.take([intake("a", candidate="rr-aaaaaa"), intake("b", candidate="rr-aaaaaa")])
    assert taken[0].remediation_id == "rr-aaaaaa"
    assert taken[1].outcome == "opened"
    assert taken[1].remediation_id != "rr-aaaaaa"
    assert len(taken[1].remediation_id) == len("rr-aaaaaa")


async def test_a_repeat_moves_the_counters_and_leaves_the_version(store: Store) -> None:
    await take(store, intake())
    later = START + timedelta(seconds=60)
    assert (await take(store, intake(at=later)))[0] == "attached"
    item = await only(store)
    assert (item.signal.count, item.signal.first_seen, item.signal.last_seen) == (2, START, later)
    assert item.version == 1


async def test_a_stage_that_commits_meanwhile_takes_no_count_away(store: Store) -> None:
    _, id_ = await take(store, intake())
    read = await store.remediation(id_)
    assert read is not None
    await store.take([intake(), intake(severity=Severity.CRITICAL)])
    await store.commit(Change(replace(read, environment="production")))
    item = await only(store)
    assert (item.signal.count, item.signal.severity, item.environment) == (3, Severity.CRITICAL, "production")


async def test_severity_is_only_ever_raised(store: Store) -> None:
    for severity in (Severity.WARNING, Severity.CRITICAL, Severity.INFO):
        await take(store, intake(severity=severity))
    assert (await only(store)).signal.severity is Severity.CRITICAL
    messages = [entry.message for entry in await store.journal(0, 100)]
    assert "severity raised from warning to critical by KubePodCrashLooping" in messages


async def test_a_storm_is_counted_exactly_and_told_briefly(store: Store) -> None:
    await store.take([intake() for _ in range(1000)])
    assert (await only(store)).signal.count == 1000
    counts = [entry.data["count"] for entry in await store.journal(0, 100)]
    assert counts == [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]


@pytest.mark.parametrize(("after_s", "outcome"), [(299, "attached"), (301, "opened")])
async def test_an_ended_one_takes_duplicates_for_the_window(store: Store, after_s: float, outcome: str) -> None:
    """Another pod's alert of the same failure, that began before the end and comes after it."""
    _, id_ = await take(store, intake())
    await end(store, id_, AssessmentEvent.SKIP)
    again = intake(at=START + timedelta(seconds=after_s), began_at=START, occurrence="occurrence-2")
    assert (await take(store, again))[0] == outcome


async def completed(store: Store, id_: str) -> None:
    """It was mitigated, and that held."""
    item = await store.remediation(id_)
    assert item is not None
    (track,) = (await store.commit(Change(decided(item), (imperative(id_),)))).tracks
    done = replace(track, phase=ImperativePhase.COMPLETED, wake_at=None, ended_at=START)  # type: ignore[arg-type]
    await store.commit(Change(tracks=(done,)))


async def test_what_was_mended_and_is_back_is_looked_at_when_the_window_is_over(store: Store) -> None:
    _, id_ = await take(store, intake())
    await completed(store, id_)
    at = START + timedelta(seconds=40)
    outcome, other = await take(store, intake(at=at, occurrence="occurrence-2"))
    assert outcome == "opened"
    item = await store.remediation(other)
    assert item is not None
    assert item.wake_at == START + timedelta(seconds=300)
    assert item.reason.startswith(f"back 40 s after {id_} ended")
    assert await take(store, intake(at=at, occurrence="occurrence-3")) == ("attached", other)
    assert await take(store, intake(at=at)) == ("attached", other)
    for n in (1, 2, 3):
        assert not await store.due(at, 10)
        await take(store, intake(at=at, status=RESOLVED, occurrence=f"occurrence-{n}"))
    assert [due.remediation_id for due in await store.due(at, 10)] == [other], "resolved: there is nothing to wait for"


@pytest.mark.parametrize("source", [SignalSource.MANUAL, SignalSource.ALERTMANAGER])
async def test_what_nothing_was_done_about_and_who_asks_by_hand_does_not_wait(
    store: Store, source: SignalSource
) -> None:
    _, id_ = await take(store, intake())
    await (completed(store, id_) if source is SignalSource.MANUAL else end(store, id_, AssessmentEvent.SKIP))
    at = START + timedelta(seconds=40)
    outcome, other = await take(store, intake(at=at, occurrence="occurrence-2", source=source))
    assert outcome == "opened"
    assert [due.remediation_id for due in await store.due(at, 10)] == [other]


async def test_what_was_cancelled_because_it_resolved_and_is_back_is_nobodys(store: Store) -> None:
    _, id_ = await take(store, intake())
    await take(store, intake(status=RESOLVED))
    await end(store, id_, AssessmentEvent.CANCEL)
    at = START + timedelta(seconds=40)
    outcome, other = await take(store, intake(at=at, occurrence="occurrence-2"))
    assert outcome == "opened"
    assert [due.remediation_id for due in await store.due(at, 10)] == [other]


async def test_another_alert_that_joins_it_makes_it_nobody_elses(store: Store) -> None:
    _, id_ = await take(store, intake())
    await take(store, intake(status=RESOLVED))
    await end(store, id_, AssessmentEvent.CANCEL)
    sibling = intake(at=START + timedelta(seconds=40), began_at=START, occurrence="occurrence-2")
    assert await take(store, sibling) == ("attached", id_)
    assert (await take(store, replace(sibling, received_at=START + timedelta(seconds=301))))[0] == "opened"


async def test_who_asks_by_hand_ends_the_waiting(store: Store) -> None:
    _, id_ = await take(store, intake())
    await completed(store, id_)
    at = START + timedelta(seconds=40)
    _, other = await take(store, intake(at=at, occurrence="occurrence-2"))
    assert not await store.due(at, 10)
    asked = intake(at=at, occurrence="by hand", source=SignalSource.MANUAL)
    assert await take(store, asked) == ("attached", other)
    assert [due.remediation_id for due in await store.due(at, 10)] == [other]


async def test_what_a_person_owns_and_is_back_within_the_window_is_that_persons(store: Store) -> None:
    _, id_ = await take(store, intake())
    await end(store, id_, AssessmentEvent.ESCALATE)
    again = intake(at=START + timedelta(seconds=40), occurrence="occurrence-2")
    assert await take(store, again) == ("attached", id_)


@pytest.mark.parametrize("occurrence", ["occurrence-1", "occurrence-2"])
async def test_repeats_do_not_keep_the_window_open(store: Store, occurrence: str) -> None:
    """The window is counted from the end: what still fires after it was not mended."""
    _, id_ = await take(store, intake())
    await end(store, id_, AssessmentEvent.SKIP)
    for n in range(1, 6):
        again = intake(at=START + timedelta(seconds=59 * n), began_at=START, occurrence=occurrence)
        assert await take(store, again) == ("attached", id_)
    after = intake(at=START + timedelta(seconds=301), began_at=START, occurrence=occurrence)
    outcome, other = await take(store, after)
    assert outcome == "opened"
    assert other != id_
    assert await take(store, after) == ("attached", other)


async def test_a_late_repeat_belongs_to_what_took_its_firing(store: Store) -> None:
    """Its pod is gone, so its name tells nothing any more; the remediation ended a moment ago."""
    _, id_ = await take(store, intake())
    await end(store, id_, AssessmentEvent.SKIP, after_s=100)
    assert await take(store, orphaned(intake(at=START + timedelta(seconds=399)))) == ("attached", id_)
    assert (await take(store, orphaned(intake(at=START + timedelta(seconds=401)))))[0] == "opened"


async def test_what_was_left_to_another_stays_there_as_long_as_that_goes_on(store: Store) -> None:
    _, busy = await take(store, intake(failure_class="PodsNotReady", occurrence="other"))
    _, id_ = await take(store, intake())
    item = await store.remediation(id_)
    assert item is not None
    skipped = advance(item, AssessmentEvent.SKIP, START, wake_at=None)
    await store.commit(Change(replace(skipped, superseded_by=busy)))
    for hours in (1, 8):
        assert await take(store, intake(at=START + timedelta(hours=hours))) == ("attached", id_)
    anew = intake(at=START + timedelta(seconds=40), occurrence="occurrence-2")
    assert await take(store, anew) == ("attached", id_), "it is back, but the other one is still at it"
    await end(store, busy, AssessmentEvent.SKIP, after_s=8 * 3600)
    assert await take(store, intake(at=START + timedelta(hours=8, seconds=299))) == ("attached", id_)
    assert (await take(store, intake(at=START + timedelta(hours=8, seconds=301))))[0] == "opened"


async def test_the_end_of_an_earlier_firing_does_not_end_what_came_after_it(store: Store) -> None:
    """Alertmanager tells of it minutes later, when the failure is back already."""
    _, first = await take(store, intake())
    await end(store, first, AssessmentEvent.SKIP)
    seen = intake(at=START + timedelta(seconds=400), occurrence="seen", source=SignalSource.KUBERNETES)
    outcome, second = await take(store, seen)
    assert outcome == "opened"
    assert await take(store, intake(at=START + timedelta(seconds=410), status=RESOLVED)) == ("resolved", first)
    item = await store.remediation(second)
    assert item is not None
    assert item.signal.resolved_at is None


async def test_a_late_repeat_of_what_is_over_does_not_keep_what_came_after_it_open(store: Store) -> None:
    _, first = await take(store, intake())
    await take(store, intake(status=RESOLVED))
    await end(store, first, AssessmentEvent.SKIP)
    at = START + timedelta(seconds=40)
    _, second = await take(store, intake(at=at, occurrence="occurrence-2"))
    assert await take(store, intake(at=at)) == ("attached", second)
    await take(store, intake(at=at, status=RESOLVED, occurrence="occurrence-2"))
    item = await store.remediation(second)
    assert item is not None
    assert item.signal.resolved_at == at


A_PERSONS = [AssessmentEvent.ESCALATE, AssessmentEvent.FAIL, AssessmentEvent.TIME_OUT, AssessmentEvent.CANCEL]


@pytest.mark.parametrize("event", A_PERSONS)
async def test_a_firing_that_a_person_owns_opens_nothing_however_late(store: Store, event: AssessmentEvent) -> None:
    _, id_ = await take(store, intake())
    await end(store, id_, event)
    tomorrow = START + timedelta(days=1)
    assert await take(store, intake(at=tomorrow)) == ("attached", id_)
    assert (await take(store, intake(at=tomorrow, occurrence="occurrence-2")))[0] == "opened"


async def test_every_firing_that_a_fault_took_is_remembered_not_only_the_last(store: Store) -> None:
    _, id_ = await take(store, intake(occurrence="first"))
    await take(store, intake(occurrence="second"))
    await end(store, id_, AssessmentEvent.ESCALATE)
    tomorrow = START + timedelta(days=1)
    assert await take(store, intake(at=tomorrow, occurrence="first")) == ("attached", id_)


async def test_resolved_alone_opens_nothing(store: Store) -> None:
    assert await take(store, intake(status=RESOLVED)) == ("ignored", "")
    assert (await store.list(Query())).total == 0
    assert await store.last_seq() == 0


async def test_resolved_is_noted_and_makes_everybody_look(store: Store) -> None:
    _, id_ = await take(store, intake())
    item = await only(store)
    late = START + timedelta(hours=1)
    await store.commit(Change(decided(item), (replace(imperative(id_), wake_at=late),)))
    now = START + timedelta(seconds=30)
    assert await take(store, intake(at=now, status=RESOLVED)) == ("resolved", id_)
    item = await only(store)
    assert item.signal.resolved_at == now
    assert item.signal.count == 1
    assert item.imperative is not None
    assert item.imperative.wake_at == now
    assert [due.part for due in await store.due(now, 10)] == ["imperative"]
    assert [entry.message for entry in await store.journal(0, 100, id_)][-1] == "KubePodCrashLooping resolved"


async def test_a_resolution_is_not_lost_on_a_stage_that_is_under_way(store: Store) -> None:
    """The stage has read the remediation before the end of the firing came in, and writes after it."""
    _, id_ = await take(store, intake())
    item = await only(store)
    await store.commit(Change(decided(item), (imperative(id_),)))
    read = (await only(store)).imperative
    assert read is not None
    now = START + timedelta(seconds=30)
    await take(store, intake(at=now, status=RESOLVED))
    late = START + timedelta(hours=1)
    (written,) = (await store.commit(Change(tracks=(replace(read, wake_at=late),)))).tracks
    assert [due.part for due in await store.due(now, 10)] == ["imperative"]
    await store.commit(Change(tracks=(replace(written, wake_at=late),)))
    assert not await store.due(now, 10), "once is enough: this stage has seen it"


async def test_a_resolution_that_comes_during_the_last_stage_wakes_nobody(store: Store) -> None:
    await take(store, intake())
    read = await only(store)
    await take(store, intake(at=START + timedelta(seconds=30), status=RESOLVED))
    await store.commit(Change(advance(read, AssessmentEvent.ESCALATE, START, wake_at=None)))
    assert await store.next_wake() is None
    assert (await only(store)).signal.resolved_at == START + timedelta(seconds=30)


async def test_the_trouble_is_gone_when_its_last_firing_is(store: Store) -> None:
    await store.take([intake(occurrence="pod-1"), intake(occurrence="pod-2")])
    await take(store, intake(occurrence="pod-1", status=RESOLVED))
    assert (await only(store)).signal.resolved_at is None
    await take(store, intake(occurrence="pod-2", status=RESOLVED))
    assert (await only(store)).signal.resolved_at == START


async def test_another_source_that_never_resolves_does_not_hold_it(store: Store) -> None:
    await store.take([intake(), intake(occurrence="seen", source=SignalSource.KUBERNETES)])
    await take(store, intake(status=RESOLVED))
    assert (await only(store)).signal.resolved_at == START


async def test_a_new_firing_takes_the_resolution_back_and_a_late_repeat_does_not(store: Store) -> None:
    await store.take([intake(), intake(status=RESOLVED), intake()])
    assert (await only(store)).signal.resolved_at == START
    await take(store, intake(occurrence="occurrence-2"))
    assert (await only(store)).signal.resolved_at is None


async def test_a_stage_that_saw_it_resolved_does_not_end_what_fires_anew(store: Store) -> None:
    """The firing joins what that stage is about to end, so nobody would look at it before its next repeat."""
    _, id_ = await take(store, intake())
    await take(store, intake(status=RESOLVED))
    read = await only(store)
    await take(store, intake(occurrence="occurrence-2"))
    skipped = Change(advance(read, AssessmentEvent.SKIP, START, wake_at=None, reason="the alert resolved"))
    with pytest.raises(Conflict):
        await store.commit(skipped)
    again = await only(store)
    assert (again.assessment, again.signal.resolved_at) == (AssessmentPhase.PENDING, None)
    await store.commit(Change(decided(again), (imperative(id_),)))
    await take(store, intake(occurrence="occurrence-2", status=RESOLVED))
    track = (await only(store)).imperative
    assert track is not None
    await take(store, intake(occurrence="occurrence-3"))
    with pytest.raises(Conflict):
        await store.commit(Change(tracks=(replace(track, phase=ImperativePhase.CANCELLED, wake_at=None),)))
    await take(store, intake(occurrence="occurrence-4"))
    read = await only(store)
    assert read.imperative is not None
    await store.commit(Change(tracks=(read.imperative,)))


async def test_the_owner_that_escalated_hears_of_the_resolution(store: Store) -> None:
    _, id_ = await take(store, intake())
    await end(store, id_, AssessmentEvent.ESCALATE)
    assert await take(store, intake(status=RESOLVED)) == ("resolved", id_)
    item = await only(store)
    assert item.signal.resolved_at == START
    assert item.assessment is AssessmentPhase.ESCALATED


async def moved(store: Store, id_: str, name: str) -> Remediation:
    """The assessment found that the failure is another owner's."""
    item = await store.remediation(id_)
    assert item is not None
    mark = fingerprint(owner(name), "CrashLoop")
    await store.commit(Change(replace(item, target=owner(name), fingerprint=mark)))
    return await only(store)


async def test_a_failure_that_turned_out_to_be_anothers_is_found_under_both_names(store: Store) -> None:
    _, id_ = await take(store, intake("pod"))
    item = await moved(store, id_, "checkout")
    assert await store.active(item.fingerprint) == id_
    assert await store.active(intake("pod").fingerprint) is None
    assert [found.id for found in await store.history(owner("checkout"), START)] == [id_]
    assert not await store.history(owner("pod"), START)
    assert await take(store, intake("checkout", occurrence="occurrence-2")) == ("attached", id_)
    assert await take(store, intake("pod")) == ("attached", id_)
    assert await take(store, intake("pod", status=RESOLVED)) == ("resolved", id_)
    assert (await only(store)).signal.count == 3
    assert (await only(store)).signal.resolved_at is None
    await take(store, intake("checkout", occurrence="occurrence-2", status=RESOLVED))
    assert (await only(store)).signal.resolved_at == START


async def test_a_failure_that_is_held_already_is_not_taken_over(store: Store) -> None:
    _, id_ = await take(store, intake("pod"))
    await take(store, intake("checkout"))
    with pytest.raises(Conflict, match="has an active remediation already"):
        await moved(store, id_, "checkout")


@pytest.mark.parametrize("status", [SignalStatus.FIRING, RESOLVED])
async def test_a_firing_whose_pod_was_replaced_is_still_known(store: Store, status: SignalStatus) -> None:
    _, id_ = await take(store, intake())
    outcome = "resolved" if status is RESOLVED else "attached"
    assert await take(store, orphaned(intake(status=status))) == (outcome, id_)
    assert (await store.counts())["total"] == 1
