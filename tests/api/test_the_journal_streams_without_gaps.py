"""A follower gets every entry once, however often its connection breaks, and hears from a silent daemon."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from gateway.house import House

from kubernaut.server.api import journal as stream

from .seeds import note, waiting


async def _read(response: aiohttp.ClientResponse, count: int) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    async with asyncio.timeout(20):
        while len(lines) < count:
            line = json.loads(await response.content.readline())
            if "heartbeat" not in line:
                lines.append(line)
    return lines


def _follow(home: House, after: int, **params: str) -> Any:
    query = {"after": str(after), "follow": "true", **params}
    return home.api.get("http://kubernaut/v1/journal", params=query)


async def test_a_follower_that_comes_back_misses_and_repeats_nothing(home: House) -> None:
    async def write() -> None:
        for number in range(60):
            await note(home, f"entry {number}")
            await asyncio.sleep(0)

    writing = asyncio.create_task(write())
    got: list[dict[str, Any]] = []
    while len(got) < 60:
        async with _follow(home, got[-1]["seq"] if got else 0) as response:
            got += await _read(response, min(7, 60 - len(got)))
    await writing
    assert [e["message"] for e in got] == [f"entry {n}" for n in range(60)]
    assert [e["seq"] for e in got] == list(range(1, 61))


async def test_two_hundred_followers_see_the_same(home: House) -> None:
    async def follower() -> list[int]:
        async with _follow(home, 0) as response:
            return [e["seq"] for e in await _read(response, 20)]

    followers = [asyncio.create_task(follower()) for _ in range(200)]
    await asyncio.sleep(0.2)
    for number in range(20):
        await note(home, f"entry {number}")
    seen = await asyncio.gather(*followers)
    assert all(seqs == list(range(1, 21)) for seqs in seen)
    assert (await home.ask("GET", "/v1/status"))[0] == 200


async def test_a_filtered_stream_holds_one_remediation(home: House) -> None:
    await waiting(home)
    async with _follow(home, 0, remediation="rr-aaaaaa") as response:
        await note(home, "of nobody")
        await note(home, "of mine", "rr-aaaaaa")
        got = await _read(response, 3)
    assert [e["message"] for e in got if e["kind"] != "phase"] == ["opened", "of mine"]
    assert {e["remediation_id"] for e in got} == {"rr-aaaaaa"}


async def test_silence_is_told_from_death(home: House) -> None:
    await note(home, "one")
    async with _follow(home, 1) as response, asyncio.timeout(stream._HEARTBEAT_S + 10):
        beat = json.loads(await response.content.readline())
    assert beat["seq"] == 1
    assert beat["heartbeat"].endswith("Z")


async def test_a_page_is_a_page(home: House) -> None:
    for number in range(5):
        await note(home, f"entry {number}")
    async with home.api.get("http://kubernaut/v1/journal", params={"after": "1", "limit": "2"}) as response:
        assert response.headers["Content-Type"] == "application/x-ndjson"
        lines = [json.loads(line) for line in (await response.text()).splitlines()]
    assert [line["seq"] for line in lines] == [2, 3]
    assert all(len(line["hash"]) == 64 for line in lines)


@pytest.mark.parametrize(
    ("params", "field"),
    [({"after": "x"}, "after"), ({"after": "-1"}, "after"), ({"limit": "0"}, "limit"), ({"limit": "10001"}, "limit"),
     ({"follow": "yes"}, "follow"), ({"folow": "true"}, "folow"), ({"after": "9" * 30}, "after")],
)  # fmt: skip
async def test_wrong_parameters_are_named(home: House, params: dict[str, str], field: str) -> None:
    status, answer = await home.ask("GET", "/v1/journal", **params)
    assert (status, answer["error"]["code"], answer["error"]["field"]) == (400, "bad_input", field)
