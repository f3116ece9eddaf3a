"""POST and DELETE handlers: votes, merges, cancellations, signals by hand, arming."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from kubernaut.domain.approvals import Principal, Role, Verdict
from kubernaut.domain.errors import BadInput, Conflict, NotFound
from kubernaut.domain.journal import JournalDraft
from kubernaut.domain.redaction import redact
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import Signal, SignalSource, SignalStatus
from kubernaut.domain.values import Severity
from kubernaut.pipeline.intake import IntakeDesk
from kubernaut.ports import Change
from kubernaut.server import present
from kubernaut.server.naming import named

from .reading import number_of
from .replies import body_of, reply, text_of
from .services import Services

Stop = Callable[[str, Principal, str], Awaitable[Remediation]]
"""Ends a remediation for a person and a reason."""


class Changing:
    """The write side of the API."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def routes(self) -> list[web.RouteDef]:
        """All routes that change something."""
        return [
            web.post("/v1/approvals/{id}/vote", self.vote),
            web.post("/v1/remediations/{id}/cancel", self.cancel),
            web.post("/v1/remediations/{id}/escalate", self.escalate),
            web.post("/v1/remediations/{id}/note", self.note),
            web.post("/v1/pulls/{repository}/{number}/review", self.review),
            web.post("/v1/pulls/{repository}/{number}/merge", self.merge),
            web.post("/v1/pulls/{repository}/{number}/close", self.close),
            web.post("/v1/signals", self.signal),
            web.post("/v1/arm", self.arm),
            web.delete("/v1/arm", self.disarm),
        ]

    async def vote(self, request: web.Request) -> web.Response:
        """One vote on one plan."""
        s = self._services
        who = s.caller(request, Role.APPROVER)
        document = await body_of(request)
        approval = await s.store.approval(request.match_info["id"])
        if approval is None:
            raise NotFound(f"there is no approval {request.match_info['id']}")
        verdict = _verdict(document)
        plan_hash = text_of(document, "plan_hash", required=True)
        reason, confirm = redact(text_of(document, "reason")), text_of(document, "confirm")
        s.allow_change(who, approval.environment, reason)
        voted = await s.voting.vote(approval.id, who, verdict, plan_hash, reason, confirm)
        return reply(present.approval(voted, who))

    async def cancel(self, request: web.Request) -> web.Response:
        """Stop a remediation."""
        return await self._stop(request, self._services.control.cancel)

    async def escalate(self, request: web.Request) -> web.Response:
        """Take a remediation over."""
        return await self._stop(request, self._services.control.escalate)

    async def _stop(self, request: web.Request, stop: Stop) -> web.Response:
        s = self._services
        who = s.caller(request, Role.APPROVER)
        item = await s.remediation(request.match_info["id"])
        document = await body_of(request)
        reason = text_of(document, "reason")
        _seen(document, item.version)
        s.allow_change(who, item.environment, reason)
        return reply(present.remediation(await stop(item.id, who, reason), whole=False))

    async def note(self, request: web.Request) -> web.Response:
        """A remark for the journal; changes nothing, so production need not be armed."""
        s = self._services
        who = s.caller(request, Role.APPROVER)
        text = text_of(await body_of(request), "text", required=True)
        await s.control.note(request.match_info["id"], who, text)
        return reply({"noted": True})

    async def review(self, request: web.Request) -> web.Response:
        """A yes or no to the commit that the caller saw."""
        s = self._services
        who = s.caller(request, Role.APPROVER)
        document = await body_of(request)
        verdict = _verdict(document)
        head = text_of(document, "expected_head", required=True)
        repository, number, item, reason = await self._pull(request, who, document)
        seen = await s.pulls.review(repository, number, who, verdict, head, reason)
        return reply(present.pull_request(seen, s.pulls.quorum(item), who))

    async def merge(self, request: web.Request) -> web.Response:
        """Merge what the caller saw."""
        s = self._services
        who = s.caller(request, Role.APPROVER)
        document = await body_of(request)
        head = text_of(document, "expected_head", required=True)
        repository, number, item, reason = await self._pull(request, who, document)
        merged = await s.pulls.merge(repository, number, who, head, reason)
        return reply(present.pull_request(merged, s.pulls.quorum(item), who))

    async def close(self, request: web.Request) -> web.Response:
        """Close without merging."""
        s = self._services
        who = s.caller(request, Role.APPROVER)
        repository, number, item, reason = await self._pull(request, who, await body_of(request))
        closed = await s.pulls.close(repository, number, who, reason)
        return reply(present.pull_request(closed, s.pulls.quorum(item), who))

    async def _pull(
        self, request: web.Request, who: Principal, document: dict[str, Any]
    ) -> tuple[str, int, Remediation | None, str]:
        """Repository and number of the path, whose pull request it is, and the reason; production asks for one."""
        s = self._services
        reason = redact(text_of(document, "reason"))
        repository, number = request.match_info["repository"], number_of(request)
        item = await s.pulls.remediation(await s.pulls.find(repository, number))
        s.allow_change(who, item.environment if item else "unknown", reason)
        return repository, number, item, reason

    async def signal(self, request: web.Request) -> web.Response:
        """A signal raised by hand; policy treats the caller as the requester."""
        s = self._services
        who = s.caller(request, Role.APPROVER)
        document = await body_of(request)
        target = _target(document, s.intake)
        severity = text_of(document, "severity") or Severity.WARNING.value
        if severity not in list(Severity):
            raise BadInput(f"must be one of {', '.join(Severity)}", field="severity")
        family = text_of(document, "failure_class", limit=100) or "Manual"
        if not family.isalnum():
            raise BadInput("must be letters and digits, as CrashLoop", field="failure_class")
        summary = redact(text_of(document, "summary", limit=1000))
        if await s.cluster(target.cluster).get(target.kind, target.namespace, target.name, live=True) is None:
            raise NotFound(f"{target} does not exist in cluster {target.cluster}")
        now = s.clock.now()
        raised = Signal(
            name="Manual",
            source=SignalSource.MANUAL,
            cluster=target.cluster,
            status=SignalStatus.FIRING,
            severity=Severity(severity),
            target=target,
            failure_class=family,
            occurrence=f"manual@{now.isoformat()}",
            starts_at=now,
            annotations={"summary": summary} if summary else {},
            requester=who.name,
        )
        [taken] = await s.intake.take([raised])
        s.count(SignalSource.MANUAL.value, {taken.outcome: 1})
        return reply({"remediation_id": taken.remediation_id, "outcome": taken.outcome}, 201)

    async def arm(self, request: web.Request) -> web.Response:
        """Read-write for a while, with a reason, in the journal."""
        s = self._services
        who = s.caller(request, Role.APPROVER)
        reason = redact(text_of(await body_of(request), "reason", required=True, limit=500))
        arming = s.arms.offer(reason)
        message = f"{who.name} is read-write in production until {arming.until:%H:%M:%SZ}: {reason}"
        await s.store.commit(Change(journal=(JournalDraft(s.clock.now(), "arm", message, who.name),)))
        s.arms.take(who, arming)  # only now: leave that nobody could read about in the journal is none
        return reply({"armed": True, "until": present.when(arming.until), "reason": reason})

    async def disarm(self, request: web.Request) -> web.Response:
        """Read-only again."""
        s = self._services
        who = s.caller(request, Role.APPROVER)
        if s.arms.of(who):
            s.arms.disarm(who)
            note = JournalDraft(s.clock.now(), "arm", f"{who.name} is read-only again", who.name)
            await s.store.commit(Change(journal=(note,)))
        return reply({"armed": False, "until": None, "reason": ""})


def _verdict(document: dict[str, Any]) -> Verdict:
    word = text_of(document, "verdict", required=True)
    if word not in list(Verdict):
        raise BadInput("must be approve or reject", field="verdict")
    return Verdict(word)


def _seen(document: dict[str, Any], version: int) -> None:
    """Whether the caller saw what is there now, where it says what it saw.

    Raises:
        Conflict: it changed in between. BadInput: the version is no number.
    """
    seen = document.get("version")
    if seen is None:
        return
    if type(seen) is not int:
        raise BadInput("must be a number", field="version")
    if seen != version:
        raise Conflict("the remediation changed since you looked at it: look again")


def _target(document: dict[str, Any], intake: IntakeDesk) -> ResourceRef:
    """The object that a signal by hand names.

    Raises:
        BadInput: names the field.
    """
    cluster = text_of(document, "cluster") or intake.only_cluster() or ""
    if not cluster:
        raise BadInput("is missing and not exactly one cluster is configured", field="cluster")
    intake.check_cluster(cluster)
    words = (text_of(document, field) for field in ("kind", "namespace", "name"))
    return named(cluster, *words)
