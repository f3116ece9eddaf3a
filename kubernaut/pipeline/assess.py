"""Assess a remediation: read the facts, classify, analyse, decide. Reads only; a crash anywhere here just begins anew."""

import asyncio
import time
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from kubernaut.diagnosis.well import Well, well
from kubernaut.domain.analysis import Analysis, Finding
from kubernaut.domain.assessment import OPEN, AssessmentEvent, AssessmentPhase
from kubernaut.domain.errors import KubernautError, NotFound, Temporary
from kubernaut.domain.facts import Commit, Snapshot
from kubernaut.domain.journal import JournalDraft
from kubernaut.domain.remediation import FINAL, Remediation, advance
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import fingerprint
from kubernaut.ports import Change

from .classify import classify
from .decide import decide
from .enrich import enrich
from .entries import entry
from .outside import Outside
from .ownership import ownership_of
from .steady import unwatched

log = structlog.get_logger()
_TURN, _MAX_TURN = timedelta(milliseconds=100), timedelta(seconds=2)
"""Each look reads the cluster, so whoever waits for an older one looks less and less often."""


async def assess(out: Outside, remediation: Remediation) -> Change:
    """One look at a remediation whose assessment is open; returns what to persist."""
    now = out.clock.now()
    late_s = unwatched(remediation.wake_at, now).total_seconds()
    remediation = replace(remediation, unwatched_s=remediation.unwatched_s + late_s) if late_s else remediation
    if _gone_by_itself(remediation):
        reason = "the alert resolved before anything was done"
        skipped = advance(remediation, AssessmentEvent.SKIP, now, wake_at=None, reason=reason)
        return Change(skipped, journal=(entry(now, remediation, "signal", reason),))
    if remediation.assessment is AssessmentPhase.PENDING:
        return Change(advance(remediation, AssessmentEvent.TAKEN, now, wake_at=now))
    return await _look(out, remediation)


async def _look(out: Outside, remediation: Remediation) -> Change:
    snapshot = await _facts(out, remediation)
    if snapshot.target != remediation.target:
        return await _retarget(out, remediation, snapshot.target)
    environment, priority = await classify(out, snapshot.target, remediation.signal.severity)
    remediation = replace(remediation, environment=environment, priority=priority)
    analysis = await _analyse(out, snapshot)
    if (analysis.best is None or analysis.best.permanent is None) and (commits := await _commits(out, snapshot)):
        snapshot = replace(snapshot, commits=commits)
        analysis = await _analyse(out, snapshot)
    now = out.clock.now()
    if remediation.assessment is AssessmentPhase.PROCESSING:
        remediation = advance(remediation, AssessmentEvent.ENRICHED, now, wake_at=now)
    remediation = replace(remediation, analysis=analysis)
    if analysis.best is None and (now_well := well(snapshot, remediation.failure_class)):
        return _over_by_itself(out, remediation, analysis, now_well, now)
    if unclear := _unclear(out, analysis):
        return _patient(out, remediation, analysis, unclear, now)
    assert analysis.best is not None  # noqa: S101 - an unclear analysis is the only one without a finding
    if ahead := await _undecided_before(out, remediation):
        waiting = advance(
            remediation,
            AssessmentEvent.WAIT,
            now,
            wake_at=now + min(_MAX_TURN, _TURN * (1 + remediation.attempt)),
            reason=f"after {ahead}",
        )
        return Change(waiting)
    if other := await _same_cause(out, remediation, analysis.best):
        reason = f"the same cause is being handled by {other}"
        skipped = advance(remediation, AssessmentEvent.SKIP, now, wake_at=None, reason=reason)
        return Change(replace(skipped, superseded_by=other), journal=(entry(now, remediation, "analysis", reason),))
    change = await decide(out, remediation, snapshot, analysis.best)
    return replace(change, journal=(_told(now, remediation, analysis), *change.journal))


async def _retarget(out: Outside, remediation: Remediation, owner: ResourceRef) -> Change:
    """Intake did not know the top owner yet (its cache was not filled): the failure is the owner's, and so is the mark."""
    now = out.clock.now()
    mark = fingerprint(owner, remediation.failure_class)
    other = await out.store.active(mark)
    if other and other != remediation.id:
        reason = f"the same failure of {owner} is being handled by {other}"
        skipped = advance(remediation, AssessmentEvent.SKIP, now, wake_at=None, reason=reason)
        return Change(replace(skipped, superseded_by=other), journal=(entry(now, remediation, "signal", reason),))
    owned = replace(remediation, target=owner, fingerprint=mark)
    event = AssessmentEvent.WAIT
    return Change(advance(owned, event, now, wake_at=now, reason=f"belongs to {owner}"))


async def _undecided_before(out: Outside, remediation: Remediation) -> str:
    """An older remediation of the same owner that is still being assessed: it decides first, so that one cause gets one
    mitigation however many alerts it raises at the same moment. One that nobody looks at yet decides nothing."""
    now = out.clock.now()
    for other in await out.store.history(remediation.target, remediation.created_at - timedelta(days=1)):
        older = (other.created_at, other.id) < (remediation.created_at, remediation.id)
        put_off = other.assessment is AssessmentPhase.PENDING and other.wake_at is not None and other.wake_at > now
        if older and other.assessment in OPEN and not put_off:
            return other.id
    return ""


async def _facts(out: Outside, remediation: Remediation) -> Snapshot:
    limits = out.limits
    labels = remediation.signal.labels
    reader = out.cluster(remediation.cluster)
    return await enrich(
        reader, remediation.target, clock=out.clock, deadline_s=limits.enrich_deadline_s,
        signal=remediation.signal.name, labels=labels,
    )  # fmt: skip


async def _commits(out: Outside, snapshot: Snapshot) -> tuple[Commit, ...]:
    """What changed in Git lately, read only when the cluster alone does not tell what to change back."""
    if snapshot.root is None or not snapshot.target.namespace:
        return ()
    ownership = await ownership_of(out, snapshot, snapshot.target)
    if ownership is None or not out.forge.serves(ownership.repo_url):
        return ()
    try:
        async with asyncio.timeout(out.limits.call_deadline_s):
            return tuple(await out.forge.commits(ownership.repo_url, ownership.revision, ownership.path))
    except (KubernautError, TimeoutError) as error:
        log.warning("commits could not be read", remediation=str(snapshot.target), error=str(error))
        return ()


async def _analyse(out: Outside, snapshot: Snapshot) -> Analysis:
    started = time.monotonic()
    try:
        async with asyncio.timeout(out.limits.call_deadline_s):
            findings, seen = await out.analyst.analyse(snapshot)
    except TimeoutError:
        raise Temporary(f"the analysis was not done within {out.limits.call_deadline_s:g} s") from None
    return Analysis(findings, (*seen, *snapshot.missing), out.analyst.name, (time.monotonic() - started) * 1000)


def _gone_by_itself(remediation: Remediation) -> bool:
    return remediation.signal.resolved_at is not None


def _unclear(out: Outside, analysis: Analysis) -> str:
    """Why the analysis is not to be acted on, one sentence; empty when it may be."""
    best = analysis.best
    if best is None:
        return "no known cause was found"
    if best.confidence < out.limits.never_below:
        return f"the likeliest cause ({best.cause}) is too uncertain to act on: confidence {best.confidence:.2f}"
    if best.immediate is None and best.permanent is None:
        return f"{best.cause} kubernaut knows no safe action against it"
    return ""


def _over_by_itself(out: Outside, remediation: Remediation, analysis: Analysis, seen: Well, now: datetime) -> Change:
    """Nothing is wrong any more: when that holds without a break it is noted with what was seen, and nobody is called.

    Evidence may still be on its way, so an unclear failure's patience is the least that it has to hold for. What gets well
    again and again without staying so is not well: after a while a person is told.
    """
    limits, begin = out.limits, remediation.watched_from
    steady_at = max(seen.since + timedelta(seconds=limits.stability_s), begin + timedelta(seconds=limits.patience_s))
    if now >= steady_at:
        reason = f"nothing is wrong any more: {seen.text} for {(now - seen.since).total_seconds():.0f} s"
        skipped = advance(remediation, AssessmentEvent.SKIP, now, wake_at=None, reason=reason)
        return Change(skipped, journal=(_told(now, remediation, analysis), entry(now, remediation, "signal", reason)))
    if now >= begin + timedelta(seconds=limits.verify_deadline_s + limits.stability_s):
        return _escalated(remediation, analysis, f"{seen.text}, but never for long, and no known cause was found", now)
    reason = f"nothing is wrong just now ({seen.text}), looking whether it stays so"
    wake_at = min(steady_at, now + timedelta(seconds=1 + remediation.attempt))
    waiting = advance(remediation, AssessmentEvent.WAIT, now, wake_at=wake_at, reason=reason)
    first = remediation.attempt == 0
    return Change(waiting, journal=(entry(now, remediation, "wait", reason),) if first else ())


def _patient(out: Outside, remediation: Remediation, analysis: Analysis, unclear: str, now: datetime) -> Change:
    """Evidence may still be on its way: look again for a while, then hand the findings to a person."""
    give_up_at = remediation.watched_from + timedelta(seconds=out.limits.patience_s)
    if now < give_up_at:
        wake_at = min(give_up_at, now + timedelta(seconds=1 + remediation.attempt))
        waiting = advance(remediation, AssessmentEvent.WAIT, now, wake_at=wake_at, reason=f"{unclear}, looking again")
        first = remediation.attempt == 0
        return Change(waiting, journal=(entry(now, remediation, "wait", waiting.reason),) if first else ())
    return _escalated(remediation, analysis, unclear, now)


def _escalated(remediation: Remediation, analysis: Analysis, reason: str, now: datetime) -> Change:
    escalated = advance(remediation, AssessmentEvent.ESCALATE, now, wake_at=None, reason=reason)
    told = _told(now, remediation, analysis)
    note = entry(now, remediation, "escalation", f"escalated: {reason}", seen=list(analysis.seen))
    return Change(escalated, journal=(told, note))


def _told(now: datetime, remediation: Remediation, analysis: Analysis) -> JournalDraft:
    best = analysis.best
    took = f"in {analysis.duration_ms:.0f} ms"
    if best is None:
        return entry(
            now, remediation, "analysis", f"{analysis.analyst}: nothing found {took}", seen=list(analysis.seen)
        )
    message = f"{best.cause} Confidence {best.confidence:.2f}, {took}."
    return entry(now, remediation, "analysis", message, failure_class=best.failure_class, confidence=best.confidence)


async def _same_cause(out: Outside, remediation: Remediation, finding: Finding) -> str:
    """The older remediation that is busy with the same failure of the same object, if there is one.

    Different alerts can have one cause: a container out of memory raises a crash-loop alert and a not-ready alert.
    """
    day = timedelta(days=1)
    owners: list[ResourceRef] = [remediation.target]
    if finding.target != remediation.target:
        owners.append(finding.target)
    for owner in owners:
        for other in await out.store.history(owner, remediation.created_at - day):
            if other.id == remediation.id or other.phase in FINAL or other.analysis is None:
                continue
            best = other.analysis.best
            older = (other.created_at, other.id) < (remediation.created_at, remediation.id)
            if best and older and (best.failure_class, best.target) == (finding.failure_class, finding.target):
                return other.id
    return ""


def missing_target(error: NotFound, remediation: Remediation, now: datetime) -> Change:
    """The target does not exist: said plainly, and left to a person."""
    reason = f"the target does not exist: {error}"
    escalated = advance(remediation, AssessmentEvent.ESCALATE, now, wake_at=None, reason=reason)
    return Change(escalated, journal=(entry(now, remediation, "escalation", reason),))
