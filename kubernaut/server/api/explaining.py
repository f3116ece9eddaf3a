"""GET /v1/remediations/{id}/policy: what policy was asked, what it said, and what its word hangs on."""

from aiohttp import web

from kubernaut.pipeline.explain import explain
from kubernaut.server import present

from .replies import only, reply
from .services import Services

_ENTRIES = 100_000
_SHOWN = 10


class Explaining:
    """Policy's decisions about one remediation."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def routes(self) -> list[web.RouteDef]:
        """The one route."""
        return [web.get("/v1/remediations/{id}/policy", self.policy)]

    async def policy(self, request: web.Request) -> web.Response:
        """The newest decisions as they were recorded, and each explained by the policies that are in force now."""
        s = self._services
        s.caller(request)
        only(request)
        item = await s.remediation(request.match_info["id"])
        entries = await s.store.journal(0, _ENTRIES, item.id)
        asked = [entry for entry in entries if entry.kind == "policy" and "request" in entry.data]
        items = []
        for entry in asked[-_SHOWN:]:
            now = (await explain(s.policy.decide, entry.data["request"])).to_document()
            items.append(
                {
                    "time": present.when(entry.at),
                    "track": entry.track,
                    "request": entry.data["request"],
                    "revision": entry.data["revision"],
                    "recorded": entry.data["decision"],
                    "now": now,
                }
            )
        return reply({"items": items, "policy_revision": s.policy.revision})
