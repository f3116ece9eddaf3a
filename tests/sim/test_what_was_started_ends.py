"""What runs beside a caller is ended by it, and neither's end is lost in the other's."""

import asyncio

import pytest

from kubernaut.sim.background import Background


async def test_who_is_cancelled_while_stopping_is_told_and_the_rest_is_tidied_up() -> None:
    tidied = asyncio.Event()

    async def main() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.3)  # as for a child process that has to end
            tidied.set()

    background = Background(main, "slow to end")
    background.start()
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await background.stop()
    async with asyncio.timeout(60):
        await background.stop()
    assert tidied.is_set()


async def test_a_stop_raises_what_the_task_died_of() -> None:
    async def main() -> None:
        raise ValueError("odd object")

    background = Background(main, "dies")
    background.start()
    await asyncio.sleep(0)
    with pytest.raises(ValueError, match="odd object"):
        await background.stop()
    await background.stop()
