"""Production takes changes from somebody who is armed or says why; arming ends by itself."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from gateway.house import House, house, me, now

from .seeds import waiting


class MovedClock:
    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return now() + self.ahead


@pytest.mark.parametrize("environment", ["production", "unknown"])
async def test_without_a_reason_nothing_changes(home: House, environment: str) -> None:
    asked = await waiting(home, environment=environment)
    body = {"verdict": "approve", "plan_hash": asked.plan_hash, "confirm": "y"}
    for path, given in (
        (f"/v1/approvals/{asked.id}/vote", body),
        ("/v1/remediations/rr-aaaaaa/cancel", {}),
        ("/v1/remediations/rr-aaaaaa/escalate", {"reason": "  "}),
    ):
        status, answer = await home.ask("POST", path, given)
        assert (status, answer["error"]["code"]) == (403, "read_only"), path
        assert "reason" in answer["error"]["message"]
    assert (await home.only()).imperative.phase == "AwaitingApproval"  # type: ignore[union-attr]


async def test_elsewhere_no_reason_is_needed(home: House) -> None:
    await waiting(home, environment="staging")
    assert (await home.ask("POST", "/v1/remediations/rr-aaaaaa/cancel", {}))[0] == 200


async def test_a_note_changes_nothing_and_is_always_taken(home: House) -> None:
    await waiting(home)
    assert (await home.ask("POST", "/v1/remediations/rr-aaaaaa/note", {"text": "looks like DNS"}))[0] == 200
    _, item = await home.ask("GET", "/v1/remediations/rr-aaaaaa")
    assert [(e["actor"], e["message"]) for e in item["timeline"] if e["kind"] == "note"] == [(me(), "looks like DNS")]


async def test_arming_holds_for_its_time_and_is_journaled(tmp_path: Path) -> None:
    clock = MovedClock()
    async with house(tmp_path, clock) as home:
        await waiting(home, "rr-aaaaaa", "a")
        await waiting(home, "rr-aaaaab", "b")
        status, answer = await home.ask("POST", "/v1/arm", {})
        assert (status, answer["error"]["field"]) == (400, "reason")
        status, answer = await home.ask("POST", "/v1/arm", {"reason": "deploy went wrong, password=hunter2secret"})
        assert (status, answer["armed"]) == (200, True)
        _, seen = await home.ask("GET", "/v1/status")
        assert (seen["mode"]["armed"], seen["mode"]["until"]) == (True, answer["until"])
        assert (await home.ask("POST", "/v1/remediations/rr-aaaaaa/cancel", {}))[0] == 200
        clock.ahead = timedelta(minutes=15, seconds=1)
        assert (await home.ask("POST", "/v1/remediations/rr-aaaaab/cancel", {}))[0] == 403
        assert (await home.ask("GET", "/v1/status"))[1]["mode"]["armed"] is False
        entries = await home.running.store.journal(0, 100)
        [armed] = [e for e in entries if e.kind == "arm"]
        assert armed.actor == me()
        assert "hunter2secret" not in armed.message


async def test_disarming_ends_it_at_once(home: House) -> None:
    await waiting(home)
    await home.ask("POST", "/v1/arm", {"reason": "look"})
    assert (await home.ask("DELETE", "/v1/arm"))[1]["armed"] is False
    assert (await home.ask("POST", "/v1/remediations/rr-aaaaaa/cancel", {}))[0] == 403
