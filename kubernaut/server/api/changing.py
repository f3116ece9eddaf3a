"""POST and DELETE handlers: votes, merges, cancellations, signals by hand, arming."""

from aiohttp import web

from kubernaut.domain.approvals import Role, Verdict
from kubernaut.domain.errors import BadInput, NotFound
from kubernaut.domain.journal import JournalDraft
from kubernaut.domain.redaction import redact
from kubernaut.domain.resources import KINDS, ResourceRef
from kubernaut.domain.signals import Signal, SignalSource, SignalStatus
from kubernaut.domain.values import Severity
from kubernaut.ports import Change
from kubernaut.server import present

from .reading import number_of
from .replies import body_of, reply, text_of
from .services import Services


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
        word = text_of(document, "verdict", required=True)
        if word not in list(Verdict):
            raise BadInput("must be approve or reject", field="verdict")
        plan_hash = text_of(document, "plan_hash", required=True)
        reason, confirm = redact(text_of(document, "reason")), text_of(document, "confirm")
        s.allow_change(who, approval.environment, reason)
        voted = await s.voting.vote(approval.id, who, Verdict(word), plan_hash, reason, confirm)
        return reply(present.approval(voted, who))

    async def cancel(self, request: web.Request) -> web.Response:
        """Stop a remediation."""
        s = self._services
        who = s.caller(request, Role.APPROVER)
        item = await s.remediation(request.match_info["id"])
        reason = text_of(await body_of(request), "reason")
        s.allow_change(who, item.environment, reason)
        return reply(present.remediation(await s.control.cancel(item.id, who, reason), whole=False))

    async def escalate(self, request: web.Request) -> web.Response:
        """Take a remediation over."""
        s = self._services
        who = s.caller(request, Role.APPROVER)
        item = await s.remediation(request.match_info["id"])
        reason = text_of(await body_of(request), "reason")
        s.allow_change(who, item.environment, reason)
        return reply(present.remediation(await s.control.escalate(item.id, who, reason), whole=False))

    async def note(self, request: web.Request) -> web.Response:
        """A remark for the journal; changes nothing, so production need not be armed."""
        s = self._services
        who = s.caller(request, Role.APPROVER)
        text = text_of(await body_of(request), "text", required=True)
        await s.control.note(request.match_info["id"], who, text)
        return reply({"noted": True})

    async def merge(self, request: web.Request) -> web.Response:
        """Merge what the caller saw."""
        s = self._services
        who = s.caller(request, Role.APPROVER)
        document = await body_of(request)
        head, reason = text_of(document, "expected_head", required=True), redact(text_of(document, "reason"))
        repository, number = request.match_info["repository"], number_of(request)
        item = await s.pulls.remediation(await s.pulls.find(repository, number))
        s.allow_change(who, item.environment if item else "unknown", reason)
        return reply(present.pull_request(await s.pulls.merge(repository, number, who, head, reason)))

    async def close(self, request: web.Request) -> web.Response:
        """Close without merging."""
        s = self._services
        who = s.caller(request, Role.APPROVER)
        reason = redact(text_of(await body_of(request), "reason"))
        repository, number = request.match_info["repository"], number_of(request)
        item = await s.pulls.remediation(await s.pulls.find(repository, number))
        s.allow_change(who, item.environment if item else "unknown", reason)
        return reply(present.pull_request(await s.pulls.close(repository, number, who, reason)))

    async def signal(self, request: web.Request) -> web.Response:
        """A signal raised by hand; policy treats the caller as the requester."""
        s = self._services
        who = s.caller(request, Role.APPROVER)
        document = await body_of(request)
        cluster = text_of(document, "cluster") or s.intake.only_cluster() or ""
        s.intake.check_cluster(cluster)
        kind = text_of(document, "kind", required=True)
        if kind not in KINDS:
            raise BadInput(f"unknown kind {kind!r}; known: {', '.join(sorted(KINDS))}", field="kind")
        namespace = text_of(document, "namespace", required=KINDS[kind].namespaced) if KINDS[kind].namespaced else ""
        target = ResourceRef(cluster, kind, text_of(document, "name", required=True, limit=253), namespace)
        live = await s.clusters[cluster].get(kind, namespace, target.name, live=True)
        if live is None:
            raise NotFound(f"{target} does not exist in cluster {cluster}")
        now = s.clock.now()
        summary = redact(text_of(document, "summary", limit=1000))
        family = text_of(document, "failure_class", limit=100) or "Manual"
        taken = await s.intake.take(
            [
                Signal(
                    "Manual", SignalSource.MANUAL, cluster, SignalStatus.FIRING,
                    Severity.parse(text_of(document, "severity")), target, family, f"manual@{now.isoformat()}", now,
                    annotations={"summary": summary} if summary else {}, requester=who.name,
                )
            ]
        )  # fmt: skip
        return reply({"remediation_id": taken[0].remediation_id, "outcome": taken[0].outcome}, 201)

    async def arm(self, request: web.Request) -> web.Response:
        """Read-write for a while, with a reason, in the journal."""
        s = self._services
        who = s.caller(request, Role.APPROVER)
        reason = redact(text_of(await body_of(request), "reason", required=True, limit=500))
        arming = s.arms.arm(who, reason)
        message = f"{who.name} is read-write in production until {arming.until:%H:%M:%SZ}: {reason}"
        await s.store.commit(Change(journal=(JournalDraft(s.clock.now(), "arm", message, who.name),)))
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
