"""Each route that changes something refuses a viewer, each route at all refuses a stranger; a new one is in here by itself."""

from pathlib import Path

from aiohttp import web
from gateway.house import House, house, me

from kubernaut.server.api.changing import Changing
from kubernaut.server.api.explaining import Explaining
from kubernaut.server.api.journal import JournalStream
from kubernaut.server.api.reading import Reading

from .seeds import waiting

_WORDS = {"reason": "x", "verdict": "approve", "plan_hash": "x", "expected_head": "x", "text": "x", "confirm": "y"}
_NOBODY = {role: {"users": []} for role in ("viewer", "approver", "senior", "admin")}


def _routes(room: Changing | Reading | Explaining | JournalStream) -> list[tuple[str, str]]:
    names = {"{repository}": "fleet", "{number}": "1"}
    found = []
    for route in room.routes():
        assert isinstance(route, web.RouteDef)
        path = route.path.replace("{id}", "ap-rr-aaaaaa" if "approvals" in route.path else "rr-aaaaaa")
        for name, value in names.items():
            path = path.replace(name, value)
        assert "{" not in path, path
        found.append((route.method, path))
    return found


CHANGING = _routes(Changing(None))  # type: ignore[arg-type]
LOOKING = _routes(Reading(None)) + _routes(Explaining(None)) + _routes(JournalStream(None))  # type: ignore[arg-type]


async def _untouched(home: House) -> None:
    item = await home.running.store.remediation("rr-aaaaaa")
    assert item is not None
    assert item.imperative is not None
    assert not item.imperative.cancel_requested
    [approval] = await home.running.store.approvals(None, "rr-aaaaaa")
    assert approval.votes == ()
    assert await home.running.store.last_seq() == 2


async def test_a_viewer_looks_at_all_and_changes_nothing(tmp_path: Path) -> None:
    async with house(tmp_path, roles=_NOBODY | {"viewer": {"users": [me()]}}) as home:
        await waiting(home)
        for method, path in CHANGING:
            status, answer = await home.ask(method, path, _WORDS)
            assert (status, answer["error"]["code"]) == (403, "refused"), (method, path)
            assert "roles.approver" in answer["error"]["message"], (method, path)
        for method, path in LOOKING:
            async with home.api.request(method, f"http://kubernaut{path}") as response:
                assert response.status in (200, 404), (method, path)
        await _untouched(home)


async def test_a_stranger_sees_and_changes_nothing(tmp_path: Path) -> None:
    async with house(tmp_path, roles=_NOBODY) as home:
        await waiting(home)
        for method, path in CHANGING + LOOKING:
            status, answer = await home.ask(method, path, _WORDS if method != "GET" else None)
            assert (status, answer["error"]["code"]) == (403, "refused"), (method, path)
        await _untouched(home)
