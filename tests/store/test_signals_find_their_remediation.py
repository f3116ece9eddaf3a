"""A signal joins what it belongs to, or opens one remediation, however many arrive at once (R-SIG-6, R-SIG-7)."""

import asyncio

from kubernaut.ports import Query, Store

from .values import intake


async def test_two_hundred_at_once_make_one_remediation(store: Store) -> None:
    taken = await asyncio.gather(*(store.take([intake(candidate=f"rr-{n:06}")]) for n in range(200)))
    page = await store.list(Query())
    assert page.total == 1
    assert page.items[0].signal.count == 200
    assert [t[0].outcome for t in taken].count("opened") == 1
    assert {t[0].remediation_id for t in taken} == {page.items[0].id}
