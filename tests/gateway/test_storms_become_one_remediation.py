"""However many arrive at once, one failure is one remediation, and one bad alert never costs its neighbours."""

import asyncio

import aiohttp

from .house import TOKEN, House, alert, payload


async def test_a_hundred_identical_alerts_on_fifty_connections_open_one(home: House) -> None:
    sessions = [aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) for _ in range(50)]

    async def twice(session: aiohttp.ClientSession) -> list[int]:
        url, body = f"{home.url}/v1/alertmanager", payload(alert(1))
        statuses = []
        for _ in range(2):
            async with session.post(url, json=body) as response:
                statuses.append(response.status)
        return statuses

    try:
        answers = await asyncio.gather(*(twice(session) for session in sessions))
    finally:
        await asyncio.gather(*(session.close() for session in sessions))
    assert {status for pair in answers for status in pair} == {200}
    assert (await home.only()).signal.count == 100


async def test_ten_malformed_among_a_thousand_are_told_by_index(home: House) -> None:
    bad = {100 * n + 7: broken for n, broken in enumerate([
        None, 17, "text", [], {}, alert(0, status="maybe"), alert(0, labels={"alertname": None}), alert(0, startsAt="now"),
        alert(0, labels={"cluster": "nowhere"}), alert(0, annotations={"summary": 5}),
    ])}  # fmt: skip
    alerts = [bad.get(n, alert(n)) for n in range(1000)]
    status, answer = await home.post(payload(*alerts))
    assert status == 200
    assert answer["taken"] == 990
    assert answer["outcomes"] == {"opened": 990}
    assert [r["index"] for r in answer["rejected"]] == sorted(bad)
    assert all(r["field"].startswith(f"alerts[{r['index']}]") and r["message"] for r in answer["rejected"])
    by_index = {r["index"]: r for r in answer["rejected"]}
    assert by_index[507]["field"] == "alerts[507].status"
    assert by_index[607]["field"] == "alerts[607].labels.alertname"
    assert by_index[707]["field"] == "alerts[707].startsAt"
    assert by_index[807]["field"] == "alerts[807].labels.cluster"
    assert "nowhere" in by_index[807]["message"]
    assert "prod-eu" in by_index[807]["message"]
    assert (await home.running.store.counts())["total"] == 990


async def test_a_storm_is_written_down_first_and_worked_off_then(home: House) -> None:
    """The runner gives way to the senders; none of what they sent is left lying when they are done."""
    numbers = iter(range(300))

    async def sender() -> None:
        for number in numbers:
            assert (await home.post(payload(alert(number))))[0] == 200

    await asyncio.gather(*(sender() for _ in range(30)))
    async with asyncio.timeout(60):
        while (counts := await home.running.store.counts())["active"]:  # noqa: ASYNC110 - the runner tells nobody
            await asyncio.sleep(0.1)
    assert counts["total"] == 300
