"""A transition is written whole or not at all, and one that is refused costs its neighbours nothing."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from kubernaut.domain.approvals import ApprovalPhase, Principal, Role, Verdict, cast
from kubernaut.domain.assessment import AssessmentEvent
from kubernaut.domain.errors import BadInput, Conflict, NotFound
from kubernaut.domain.journal import first_broken
from kubernaut.domain.plans import StepPhase, StepRun
from kubernaut.domain.remediation import Remediation, RemediationPhase, advance
from kubernaut.domain.tracks import GitOpsPhase, ImperativePhase
from kubernaut.ports import Change, OutboxDraft, Query, Store

from .values import START, approval, decided, gitops, imperative, note, opened, remediation

ID = "rr-aaaaaa"


async def read(store: Store, id_: str = ID) -> Remediation:
    item = await store.remediation(id_)
    assert item is not None
    return item


async def test_everything_comes_back_as_it_went_in(store: Store) -> None:
    steps = (StepRun("b", StepPhase.APPLIED, {"replicas": 3}, {"done": ["x"]}, "ok", 1, START, START), StepRun("a"))
    before = replace(remediation(), environment="production", reason="said so")
    written = await store.commit(Change(decided(before), (imperative(steps=steps), gitops()), (approval(),)))
    item = await read(store)
    assert item.imperative == written.tracks[0]
    assert item.gitops == written.tracks[1]
    assert item.imperative is not None
    assert item.imperative.steps == steps
    assert replace(item, imperative=None, gitops=None) == written.remediation
    assert await store.approval("ap-1") == written.approvals[0]
    assert (item.version, item.imperative.version, written.approvals[0].version) == (1, 1, 1)


async def test_what_is_not_there_is_none(store: Store) -> None:
    assert await store.remediation("rr-zzzzzz") is None
    assert await store.approval("ap-z") is None
    assert await store.active("0" * 16) is None


async def test_versions_count_up_and_an_old_one_is_a_conflict(store: Store) -> None:
    change = await store.commit(Change(decided(remediation()), (imperative(),)))
    again = await store.commit(Change(change.remediation, change.tracks))
    assert again.remediation is not None
    assert (again.remediation.version, again.tracks[0].version) == (2, 2)
    with pytest.raises(Conflict, match="version 2, not 1"):
        await store.commit(Change(change.remediation))
    with pytest.raises(Conflict, match="version 2, not 1"):
        await store.commit(Change(tracks=change.tracks))
    assert (await read(store)).version == 2


async def test_of_many_with_the_same_version_one_wins(store: Store) -> None:
    (track,) = (await store.commit(Change(decided(remediation()), (imperative(),)))).tracks
    tries = (store.commit(Change(tracks=(replace(track, reason=str(n)),))) for n in range(50))
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(result, Change) for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 49


async def test_a_refused_one_leaves_nothing_behind_and_harms_no_neighbour(store: Store) -> None:
    await store.commit(opened())
    stale = replace(remediation(), version=7)
    refused = Change(stale, journal=(note("never"),), outbox=(OutboxDraft("notify", "never", {}),))
    changes = [refused if n % 3 == 0 else opened(f"rr-{n:06}", f"workload-{n}") for n in range(60)]
    results = await asyncio.gather(*map(store.commit, changes), return_exceptions=True)
    assert [isinstance(result, Conflict) for result in results] == [n % 3 == 0 for n in range(60)]
    assert (await store.list(Query())).total == 41
    entries = await store.journal(0, 1000)
    assert [entry.seq for entry in entries] == list(range(1, 42))
    assert "never" not in {entry.message for entry in entries}
    assert not await store.outbox(START, 10)


async def test_one_that_fails_after_its_first_write_harms_no_neighbour_of_its_transaction(store: Store) -> None:
    await store.commit(opened())
    spoilt = Change(tracks=(imperative(), imperative("rr-missing")), journal=(note("never"),))
    stale = Change(replace(remediation(), version=7), journal=(note("never"),))
    changes = [
        spoilt if n % 7 == 3 else stale if n % 7 == 5 else opened(f"rr-{n:06}", f"workload-{n}") for n in range(70)
    ]
    results = await asyncio.gather(*map(store.commit, changes), return_exceptions=True)
    kinds = {3: NotFound, 5: Conflict}
    assert [type(result) for result in results] == [kinds.get(n % 7, Change) for n in range(70)]
    assert (await read(store)).tracks == ()
    assert (await store.list(Query())).total == 51
    entries = await store.journal(0, 1000)
    assert [entry.message for entry in entries] == ["opened"] * 51
    assert first_broken(entries) is None


@pytest.mark.parametrize(
    "broken",
    [
        Change(tracks=(imperative(), imperative("rr-missing"))),
        Change(journal=(note(), replace(note(), message="\ud800"))),
        Change(journal=(note(), replace(note(), data={"bad": float("nan")}))),
        Change(journal=(note(), replace(note(), at=datetime(2026, 3, 1)))),  # noqa: DTZ001 - the fault that is tested
        Change(tracks=(imperative(),), outbox=(OutboxDraft("notify", "k", {"bad": object()}),)),
    ],
    ids=[
        "track of nobody",
        "text that is no text",
        "data that is no number",
        "time without zone",
        "message that is no JSON",
    ],
)
async def test_an_error_in_the_last_part_undoes_the_first(store: Store, broken: Change) -> None:
    await store.commit(opened())
    with pytest.raises((NotFound, BadInput)):
        await store.commit(broken)
    assert (await read(store)).tracks == ()
    assert await store.last_seq() == 1


async def test_a_failure_has_one_active_remediation(store: Store) -> None:
    await store.commit(opened())
    with pytest.raises(Conflict):
        await store.commit(opened("rr-bbbbbb"))
    item = await read(store)
    await store.commit(Change(advance(item, AssessmentEvent.SKIP, START, wake_at=None)))
    await store.commit(opened("rr-bbbbbb"))
    assert await store.active(item.fingerprint) == "rr-bbbbbb"


async def test_a_second_track_of_a_kind_is_refused(store: Store) -> None:
    await store.commit(Change(decided(remediation()), (imperative(),)))
    with pytest.raises(Conflict, match="imperative track already"):
        await store.commit(Change(tracks=(replace(imperative(), id="another"),)))


Im, G, R = ImperativePhase, GitOpsPhase, RemediationPhase
WHOLE = [
    (Im.EXECUTING, G.AWAITING_MERGE, R.EXECUTING, True),
    (Im.AWAITING_APPROVAL, G.SYNCING, R.EXECUTING, True),
    (Im.AWAITING_APPROVAL, None, R.AWAITING_APPROVAL, True),
    (Im.VERIFYING, G.AWAITING_MERGE, R.VERIFYING, True),
    (Im.COMPLETED, G.OVERDUE, R.AWAITING_APPROVAL, True),
    (Im.COMPLETED, G.VERIFYING, R.VERIFYING, False),
    (Im.COMPLETED, G.COMPLETED, R.COMPLETED, False),
    (Im.FAILED, G.COMPLETED, R.ESCALATED, True),
    (Im.REJECTED, None, R.REJECTED, False),
    (None, G.CLOSED, R.REJECTED, False),
    (Im.TIMED_OUT, G.COMPLETED, R.TIMED_OUT, True),
]


@pytest.mark.parametrize(("i", "g", "whole", "waits"), WHOLE)
async def test_the_whole_follows_from_tracks_that_are_committed_apart(
    store: Store, i: ImperativePhase | None, g: GitOpsPhase | None, whole: RemediationPhase, waits: bool
) -> None:
    tracks = ((imperative(),) if i else ()) + ((gitops(),) if g else ())
    change = await store.commit(Change(decided(remediation()), tracks))
    for track in change.tracks:
        phase = i if isinstance(track.phase, ImperativePhase) else g
        ended = phase is not None and replace(track, phase=phase).ended  # type: ignore[arg-type]
        end = {"wake_at": None, "ended_at": START + timedelta(seconds=9)} if ended else {}
        await store.commit(Change(tracks=(replace(track, phase=phase, **end),)))  # type: ignore[arg-type]
    item = await read(store)
    assert item.phase is whole
    is_over = item.ended
    assert item.ended_at == (START + timedelta(seconds=9) if is_over else None)
    assert await store.active(item.fingerprint) == (None if is_over else ID)
    listed = await store.list(Query(phases=(whole.value,), active=not is_over, needs_you=waits))
    assert [found.id for found in listed.items] == [ID]
    counts = await store.counts()
    assert counts == {whole.value: 1, "total": 1, "active": int(not is_over), "needs_you": int(waits)}


async def test_a_changed_phase_is_told_by_the_store_and_an_unchanged_one_is_not(store: Store) -> None:
    await store.commit(opened())
    item = await read(store)
    change = await store.commit(Change(decided(item), (imperative(), gitops())))
    track = change.tracks[0]
    change = await store.commit(Change(tracks=(replace(track, phase=Im.VALIDATING),)))
    await store.commit(Change(tracks=(replace(change.tracks[0], phase=Im.AWAITING_APPROVAL),)))
    told = [entry for entry in await store.journal(0, 100, ID) if entry.kind == "phase"]
    assert [entry.message for entry in told] == ["Pending → Executing"]
    assert told[0].data == {"from": "Pending", "to": "Executing"}


async def test_the_entry_of_the_phase_comes_after_its_cause(store: Store) -> None:
    await store.commit(opened())
    item = await read(store)
    skipped = advance(item, AssessmentEvent.SKIP, START, wake_at=None)
    await store.commit(Change(skipped, journal=(note("nothing to do", at=START + timedelta(seconds=5)),)))
    cause, phase = (await store.journal(0, 100, ID))[-2:]
    assert (cause.message, phase.message) == ("nothing to do", "Pending → Skipped")
    assert phase.at == cause.at


async def test_steps_of_an_earlier_plan_are_gone(store: Store) -> None:
    change = await store.commit(Change(decided(remediation()), (imperative(steps=(StepRun("a"), StepRun("b"))),)))
    fewer = replace(change.tracks[0], steps=(StepRun("c", StepPhase.INTENDED),))  # type: ignore[call-arg]
    await store.commit(Change(tracks=(fewer,)))
    item = await read(store)
    assert item.imperative is not None
    assert [run.step_id for run in item.imperative.steps] == ["c"]


async def test_votes_are_kept_in_their_order_and_once(store: Store) -> None:
    await store.commit(opened())
    asked = replace(approval(), min_approvers=2)
    (asked,) = (await store.commit(Change(approvals=(asked,)))).approvals
    for name in ("zoe", "ana"):
        voted = cast(asked, Principal(name, role=Role.APPROVER), Verdict.APPROVE, asked.plan_hash, START, "looks right")
        (asked,) = (await store.commit(Change(approvals=(voted,)))).approvals
    stored = await store.approval(asked.id)
    assert stored == asked
    assert stored is not None
    assert [vote.principal for vote in stored.votes] == ["zoe", "ana"]
    assert stored.phase is ApprovalPhase.APPROVED


async def test_of_two_votes_at_once_on_one_picture_one_is_a_conflict(store: Store) -> None:
    await store.commit(opened())
    (asked,) = (await store.commit(Change(approvals=(approval(),)))).approvals
    votes = (
        cast(asked, Principal(name, role=Role.APPROVER), verdict, asked.plan_hash, START)
        for name, verdict in (("ana", Verdict.APPROVE), ("bo", Verdict.REJECT))
    )
    results = await asyncio.gather(*(store.commit(Change(approvals=(vote,))) for vote in votes), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Change", "Conflict"]


async def test_approvals_are_listed_by_what_expires_first(store: Store) -> None:
    await store.commit(opened())
    await store.commit(opened("rr-bbbbbb", "cart"))
    asked = (approval("late", expires_in_s=900), approval("soon", expires_in_s=60))
    await store.commit(Change(approvals=(*asked, approval("other", "rr-bbbbbb", expires_in_s=90))))
    await store.commit(Change(approvals=(replace(approval("done"), phase=ApprovalPhase.VOID),)))
    assert [a.id for a in await store.approvals(ApprovalPhase.PENDING)] == ["soon", "other", "late"]
    assert [a.id for a in await store.approvals(remediation_id="rr-bbbbbb")] == ["other"]
    assert len(await store.approvals()) == 4


async def test_a_caller_that_gave_up_stops_nobody(store: Store) -> None:
    gone = asyncio.ensure_future(store.commit(opened("rr-cccccc", "gone")))
    stays = asyncio.ensure_future(store.commit(opened()))
    await asyncio.sleep(0)
    gone.cancel()
    await stays
    assert (await read(store)).id == ID
