"""GET handlers: everything that the console and the command line show."""

import asyncio
import contextlib
import re
from collections.abc import Iterable
from typing import Any

import yaml
from aiohttp import web

from kubernaut import __version__
from kubernaut.domain.approvals import ApprovalPhase
from kubernaut.domain.errors import BadInput, KubernautError, NotFound
from kubernaut.domain.facts import Object
from kubernaut.domain.redaction import redact
from kubernaut.domain.remediation import Remediation, RemediationPhase
from kubernaut.pipeline.enrich import enrich
from kubernaut.ports import ClusterReader, Query
from kubernaut.server import present
from kubernaut.server.tree import tree

from .replies import only, reply
from .services import Services

_TIMELINE = 200
_WHOLE = 100
_NUMBER = re.compile(r"-?[0-9]{1,30}", re.ASCII)
_APPROVALS = 500
_LOG_LINES = 200
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""Written in C where libyaml is there: the other keeps everybody waiting for half a second over a large ConfigMap."""
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""The whole object once more, in one line."""
_ENRICH_S = 8.0
_LOGS_S = 12.0
"""For all pods together; what was read until then is shown."""


class Reading:
    """The read side of the API."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def routes(self) -> list[web.RouteDef]:
        """All GET routes but the journal."""
        return [
            web.get("/v1/status", self.status),
            web.get("/v1/clusters", self.clusters),
            web.get("/v1/remediations", self.remediations),
            web.get("/v1/remediations/{id}", self.remediation),
            web.get("/v1/remediations/{id}/diff", self.diff),
            web.get("/v1/remediations/{id}/logs", self.logs),
            web.get("/v1/remediations/{id}/yaml", self.yaml),
            web.get("/v1/remediations/{id}/tree", self.tree),
            web.get("/v1/approvals", self.approvals),
            web.get("/v1/approvals/{id}", self.approval),
            web.get("/v1/pulls", self.pulls),
            web.get("/v1/pulls/{repository}/{number}", self.pull),
        ]

    async def status(self, request: web.Request) -> web.Response:
        """Who am I, which mode, how many, which clusters."""
        s = self._services
        who = s.caller(request)
        arming = s.arms.of(who)
        counts = dict(await s.store.counts())
        special = {name: counts.pop(name, 0) for name in ("needs_you", "active", "total")}
        return reply(
            {
                "version": __version__,
                "time": present.when(s.clock.now()),
                "me": {"name": who.name, "groups": list(who.groups), "role": who.role},
                "mode": {
                    "armed": arming is not None,
                    "until": present.when(arming.until) if arming else None,
                    "reason": arming.reason if arming else "",
                },
                "counts": {**special, "by_phase": counts},
                "clusters": self._clusters(),
                "policy_revision": s.policy.revision,
                "journal_seq": await s.store.last_seq(),
            }
        )

    def _clusters(self) -> list[present.Document]:
        s = self._services
        return [present.cluster(c.health(), s.environments.get(name, "")) for name, c in s.clusters.items()]

    async def clusters(self, request: web.Request) -> web.Response:
        """All clusters."""
        self._services.caller(request)
        return reply({"items": self._clusters()})

    async def remediations(self, request: web.Request) -> web.Response:
        """A page of the list: rows, or whole remediations."""
        self._services.caller(request)
        query, whole = query_of(request), bool(flag_of(request, "whole"))
        if whole and query.limit > _WHOLE:
            raise BadInput(f"must be 1 to {_WHOLE} with whole=true", field="limit")
        page = await self._services.store.list(query)
        items = [await self._whole(item) if whole else present.remediation(item, whole=False) for item in page.items]
        return reply({"items": items, "total": page.total, "offset": query.offset})

    async def _whole(self, item: Remediation) -> present.Document:
        timeline = await self._services.store.journal(0, 100_000, item.id)
        return present.remediation(item, whole=True, timeline=timeline[-_TIMELINE:])

    async def remediation(self, request: web.Request) -> web.Response:
        """One remediation with its timeline."""
        s = self._services
        s.caller(request)
        return reply(await self._whole(await s.remediation(request.match_info["id"])))

    async def diff(self, request: web.Request) -> web.Response:
        """The proposed change."""
        s = self._services
        who = s.caller(request)
        item = await s.remediation(request.match_info["id"])
        track = item.gitops
        pull = track.proposal.pull_request if track else None
        files = track.proposal.files if track else ()
        return reply(
            {
                "files": [present.file_change(f) for f in files],
                "pull_request": present.pull_request(pull, s.pulls.quorum(item), who) if pull else None,
            }
        )

    async def logs(self, request: web.Request) -> web.Response:
        """Log tails of the target's pods, redacted."""
        s = self._services
        s.caller(request)
        item = await s.remediation(request.match_info["id"])
        reader = s.cluster(item.cluster)
        snapshot = await enrich(reader, item.target, clock=s.clock, deadline_s=_ENRICH_S)
        tails: list[present.Document] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOGS_S):
                await _read_logs(reader, snapshot.pods(), tails)
        return reply({"logs": tails})

    async def yaml(self, request: web.Request) -> web.Response:
        """The live target, without managedFields and what `kubectl apply` notes for itself."""
        s = self._services
        s.caller(request)
        item = await s.remediation(request.match_info["id"])
        target = item.target
        live = await s.cluster(item.cluster).get(target.kind, target.namespace, target.name, live=True)
        if live is None:
            raise NotFound(f"{target} does not exist any more")
        meta = {key: value for key, value in live["metadata"].items() if key != "managedFields"}
        if notes := meta.get("annotations"):
            meta["annotations"] = {key: value for key, value in notes.items() if key != _LAST_APPLIED}
        text = yaml.dump({**live, "metadata": meta}, Dumper=_DUMPER, sort_keys=False, allow_unicode=True)
        return reply({"yaml": redact(text)})

    async def tree(self, request: web.Request) -> web.Response:
        """Who owns whom around the target, and how each of them does."""
        s = self._services
        s.caller(request)
        item = await s.remediation(request.match_info["id"])
        async with asyncio.timeout(_ENRICH_S):
            return reply(await tree(s.cluster(item.cluster), item.target))

    async def approvals(self, request: web.Request) -> web.Response:
        """Approvals, the most urgent first."""
        who = self._services.caller(request)
        only(request, "pending", "remediation", "limit")
        limit = number_in(request.query.get("limit", str(_APPROVALS)), "limit", 1, _APPROVALS)
        pending = flag_of(request, "pending")
        phase = ApprovalPhase.PENDING if pending else None
        found = await self._services.store.approvals(phase, request.query.get("remediation", ""))
        return reply({"items": [present.approval(a, who) for a in found[:limit]], "total": len(found)})

    async def approval(self, request: web.Request) -> web.Response:
        """One approval."""
        who = self._services.caller(request)
        found = await self._services.store.approval(request.match_info["id"])
        if found is None:
            raise NotFound(f"there is no approval {request.match_info['id']}")
        return reply(present.approval(found, who))

    async def pulls(self, request: web.Request) -> web.Response:
        """All pull requests."""
        s = self._services
        who = s.caller(request)
        items = []
        for pull in await s.pulls.all():
            quorum = s.pulls.quorum(await s.pulls.remediation(pull))
            items.append(present.pull_request(pull, quorum, who))
        return reply({"items": items})

    async def pull(self, request: web.Request) -> web.Response:
        """One pull request with its files."""
        s = self._services
        who = s.caller(request)
        pull = await s.pulls.find(request.match_info["repository"], number_of(request))
        quorum = s.pulls.quorum(await s.pulls.remediation(pull))
        files = await s.forge.diff(pull.repo_url, pull.number)
        return reply({**present.pull_request(pull, quorum, who), "files": [present.file_change(f) for f in files]})


async def _read_logs(reader: ClusterReader, pods: Iterable[Object], tails: list[present.Document]) -> None:
    for pod in pods:
        meta, spec = pod["metadata"], pod.get("spec") or {}
        for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
            for previous in (True, False):
                text = await _log(reader, meta.get("namespace", ""), meta["name"], container["name"], previous=previous)
                if text:
                    row = {"pod": meta["name"], "container": container["name"], "previous": previous, "text": text}
                    tails.append(row)


async def _log(reader: ClusterReader, namespace: str, pod: str, container: str, *, previous: bool) -> str:
    try:
        return redact(await reader.logs(namespace, pod, container, previous=previous, tail_lines=_LOG_LINES))
    except KubernautError as error:
        return "" if isinstance(error, NotFound) or previous else f"(not readable: {error})"


def number_of(request: web.Request) -> int:
    """The number in the path.

    Raises:
        BadInput: it is none.
    """
    return number_in(request.match_info["number"], "number", 1, 10**9)


def query_of(request: web.Request) -> Query:
    """The listing that the query string asks for.

    Raises:
        BadInput: a parameter is wrong; names it.
    """
    given = request.query
    only(request, "text", "phase", "cluster", "needs_you", "faults", "active", "ids", "offset", "limit", "whole")
    phases = tuple(given.getall("phase", []))
    for phase in phases:
        if phase not in list(RemediationPhase):
            raise BadInput(f"{phase[:40]!r} is no phase; phases: {', '.join(RemediationPhase)}", field="phase")
    return Query(
        text=given.get("text", "")[:200],
        phases=phases,
        cluster=given.get("cluster", ""),
        needs_you=flag_of(request, "needs_you"),
        faults=flag_of(request, "faults"),
        active=flag_of(request, "active"),
        ids=tuple(part for part in given.get("ids", "").split(",") if part)[:500],
        offset=number_in(given.get("offset", "0"), "offset", 0, 10**9),
        limit=number_in(given.get("limit", "100"), "limit", 1, 500),
    )


def flag_of(request: web.Request, name: str) -> bool | None:
    text = request.query.get(name)
    if text is None:
        return None
    if text not in ("true", "false"):
        raise BadInput("must be true or false", field=name)
    return text == "true"


def number_in(text: str, name: str, low: int, high: int) -> int:
    if not _NUMBER.fullmatch(text):
        raise BadInput(f"{text[:40]!r} is not a number", field=name)
    value = int(text)
    if not low <= value <= high:
        raise BadInput(f"must be {low} to {high}", field=name)
    return value
