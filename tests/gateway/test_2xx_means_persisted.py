"""2xx only after the disk has it; 503 only when it has nothing; and what was refused so is taken the next time."""

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from kubernaut.adapters.store import SqliteStore
from kubernaut.domain.errors import Temporary
from kubernaut.ports import Intake, Taken

from .house import House, alert, house, payload


class FillsUp(SqliteStore):
    """A store whose disk has room for one transaction of signals, until somebody makes more."""

    room = 1

    async def take(self, intakes: Sequence[Intake]) -> Sequence[Taken]:
        if not self.room:
            raise Temporary("the disk is full")
        self.room -= 1
        return await super().take(intakes)


async def test_when_the_store_can_not_write_nothing_is_taken_and_the_sender_is_told(home: House) -> None:
    other = sqlite3.connect(home.settings.state_dir / "kubernaut.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    status, answer = await home.post(payload(alert(1), alert(2)))
    assert status == 503
    assert "nothing was persisted" in answer["error"]["message"]
    other.execute("ROLLBACK")
    other.close()
    assert await home.all() == []
    assert (await home.post(payload(alert(1), alert(2))))[1]["outcomes"] == {"opened": 2}


async def test_a_store_that_is_closed_is_a_reason_to_send_again(home: House) -> None:
    await home.running.store.close()
    assert (await home.post(payload(alert(1))))[0] == 503


async def test_at_the_moment_of_2xx_another_reader_finds_it(home: House) -> None:
    async def one(number: int) -> None:
        status, _ = await home.post(payload(alert(number)))
        assert status == 200
        reader = sqlite3.connect(f"file:{home.settings.state_dir / 'kubernaut.db'}?mode=ro", uri=True)
        try:
            found = reader.execute("SELECT count(*) FROM remediation WHERE name = ?", (f"web-{number}",)).fetchone()
        finally:
            reader.close()
        assert found == (1,)

    await asyncio.gather(*(one(number) for number in range(20)))


async def test_what_is_persisted_in_part_is_no_2xx_and_is_counted_when_it_comes_again(tmp_path: Path) -> None:
    post = payload(*(alert(number) for number in range(450)))
    async with house(tmp_path, open_store=FillsUp.open) as home:
        store = home.running.store
        assert isinstance(store, FillsUp)
        status, answer = await home.post(post)
        assert status == 507, "Alertmanager sends again after any 5xx"
        persisted = answer["taken"]
        assert (await store.counts())["total"] == persisted
        assert 0 < persisted < 450
        assert answer["error"]["message"].startswith(f"{persisted} of 450 alerts were persisted, send all again")

        status, answer = await home.post(post)
        assert status == 503, "nothing of it was persisted"
        assert (await store.counts())["total"] == persisted

        store.room = 100
        status, answer = await home.post(post)
        assert status == 200
        assert answer["outcomes"] == {"opened": 450 - persisted, "attached": persisted}
        assert (await store.counts())["total"] == 450
