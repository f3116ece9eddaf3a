"""May kubernaut do this? The API server's own authorizer says it (SelfSubjectAccessReview), before anything is tried."""

import asyncio
from datetime import datetime, timedelta

import msgspec

from kubernaut.domain.errors import KubernautError, Temporary
from kubernaut.domain.resources import Kind
from kubernaut.ports import Clock

from .errors import readable
from .session import Session

_PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_FRESH, _KEEP = timedelta(), timedelta(seconds=30)
"""How old an answer is that is taken; one from the future was given before the clock was put back."""
_MANY = 2000


class _Verdict(msgspec.Struct, rename="camel"):
    allowed: bool = False
    reason: str = ""
    evaluation_error: str = ""


class _Review(msgspec.Struct):
    status: _Verdict


Question = tuple[str, str, str, str, str]


class Access:
    """Asks and remembers answers for 30 s; the server checks again at the write itself, so an old yes is no risk.

    Whoever asks what is being asked already waits for that answer: a hundred remediations begin at one moment.
    """

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._known: dict[Question, tuple[datetime, str]] = {}
        self._asked: dict[Question, asyncio.Future[str]] = {}

    async def refusal(self, verb: str, kind: Kind, namespace: str, name: str, subresource: str) -> str:
        """Why not; empty when it is allowed. Raises Temporary, Refused, Permanent.

        Who may do it to all objects of a namespace may do it to this one, so the name is only asked about when not.
        """
        if name and not await self._answer(verb, kind, namespace, "", subresource):
            return ""
        return await self._answer(verb, kind, namespace, name, subresource)

    async def _answer(self, verb: str, kind: Kind, namespace: str, name: str, subresource: str) -> str:
        key = (verb, kind.kind, namespace, name, subresource)
        while True:
            known = self._known.get(key)
            if known is not None and _FRESH <= self._clock.now() - known[0] < _KEEP:
                return known[1]
            asked = self._asked.get(key)
            if asked is None:
                break
            await asyncio.wait({asked})
            if not asked.cancelled():
                return asked.result()
        asked = self._asked[key] = asyncio.get_running_loop().create_future()
        try:
            answer = await self._ask(verb, kind, namespace, name, subresource)
        except KubernautError as e:
            asked.set_exception(e)
            asked.exception()  # seen, also when nobody waits for it
            raise
        else:
            asked.set_result(answer)
        finally:
            del self._asked[key]
            asked.cancel()  # does nothing to one that has its answer
        if len(self._known) >= _MANY:
            self._known.clear()
        self._known[key] = (self._clock.now(), answer)
        return answer

    async def _ask(self, verb: str, kind: Kind, namespace: str, name: str, subresource: str) -> str:
        resource = f"{kind.plural}/{subresource}" if subresource else kind.plural
        attributes = {
            "verb": verb,
            "group": kind.group,
            "version": kind.api_version.rpartition("/")[2],
            "resource": kind.plural,
            "subresource": subresource,
            "namespace": namespace,
            "name": name,
        }
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {k: v for k, v in attributes.items() if v}},
        }
        what = f"ask whether kubernaut may {verb} {resource}"
        raw = await self._session.write("POST", _PATH, body, what=what, changes=False)
        try:
            verdict = msgspec.json.decode(raw, type=_Review).status
        except msgspec.DecodeError as e:
            raise Temporary(f"{what}: the answer is not an access review") from e
        if verdict.allowed:
            return ""
        group = f".{kind.group}" if kind.group else ""
        where = f" in namespace {namespace}" if namespace else ""
        if self._session.doubtful:
            raise Temporary(f"{what}: no, but it has just come back, and its refusals may not last")
        because = readable(verdict.reason or verdict.evaluation_error)
        return f"RBAC does not let kubernaut {verb} {resource}{group}{where}" + (f": {because}" if because else "")
