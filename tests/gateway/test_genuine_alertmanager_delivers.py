"""A genuine Alertmanager's own requests: token, groups, repeats, resolves, and its retries after a 5xx."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from kubernaut.domain.remediation import Remediation

from .house import TOKEN, House

pytestmark = pytest.mark.genuine
LABELS = {"alertname": "KubePodCrashLooping", "severity": "critical", "namespace": "shop", "pod": "web-1"}


async def _until(home: House, count: int) -> list[Remediation]:
    async with asyncio.timeout(20):
        while len(found := await home.all()) < count:  # noqa: ASYNC110 - another's state tells nobody
            await asyncio.sleep(0.05)
    return found


async def test_a_firing_and_its_resolve_arrive(home: House, start_alertmanager: Any) -> None:
    alertmanager = await start_alertmanager(f"{home.url}/v1/alertmanager", token=TOKEN)
    since = datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)
    await alertmanager.fire(LABELS, {"summary": "crash"}, starts_at=since)
    [item] = await _until(home, 1)
    assert (str(item.target), item.signal.severity, item.signal.annotations) == (
        "shop/pod/web-1",
        "critical",
        {"summary": "crash"},
    )
    await alertmanager.resolve(LABELS)
    async with asyncio.timeout(20):
        while (item := await home.only()).signal.resolved_at is None:  # noqa: ASYNC110 - another's state tells nobody
            await asyncio.sleep(0.05)
    assert item.signal.count == 1


async def test_a_group_of_many_is_as_many_remediations(home: House, start_alertmanager: Any) -> None:
    alertmanager = await start_alertmanager(f"{home.url}/v1/alertmanager/prod-eu", token=TOKEN, group_wait="1s")
    now = datetime.now(UTC).isoformat()
    await alertmanager.post([{"labels": LABELS | {"pod": f"web-{n}"}, "startsAt": now} for n in range(200)])
    assert len(await _until(home, 200)) == 200


async def test_a_wrong_token_opens_nothing(home: House, start_alertmanager: Any) -> None:
    alertmanager = await start_alertmanager(f"{home.url}/v1/alertmanager", token="wrong-wrong-wrong-wrong")
    await alertmanager.fire(LABELS)
    async with asyncio.timeout(20):
        while 'kubernaut_webhook_posts_total{code="401"}' not in (await home.text("/metrics"))[1]:  # noqa: ASYNC110 - another's state tells nobody
            await asyncio.sleep(0.05)
    assert await home.all() == []
