"""Tokens and policies are looked at again; a broken edit keeps what was good, and the journal says so."""

import asyncio
import os
import shutil
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

from gateway.house import House, alert, house, payload

from kubernaut.adapters.rego.shipped import shipped_policies

from .process import Life


async def _until(claim: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await claim():  # noqa: ASYNC110 - a file's effect tells nobody
            await asyncio.sleep(0.1)


async def _told(home: House, word: str) -> list[str]:
    entries = await home.running.store.journal(0, 1000)
    return [entry.message for entry in entries if entry.kind == "policy" and word in entry.message]


async def _revision(home: House) -> str:
    return str((await home.ask("GET", "/v1/status"))[1]["policy_revision"])


async def test_policies_are_reloaded_and_a_broken_set_is_not_taken(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    shutil.copytree(shipped_policies(), folder)
    async with house(tmp_path, policies={"dir": folder}) as home:
        first = await _revision(home)
        (folder / "approval.rego").write_text((folder / "approval.rego").read_text() + "\n# a remark\n")
        await _until(lambda: _changed(home, first))
        second = await _revision(home)

        async def reloaded() -> bool:
            return bool(await _told(home, "reloaded: revision"))

        await _until(reloaded)
        good = (folder / "approval.rego").read_text()
        (folder / "approval.rego").write_text("package kubernaut.approval\n\ndecision := {\n")

        async def refused() -> bool:
            return bool(await _told(home, "not taken"))

        await _until(refused)
        [said] = await _told(home, "not taken")
        assert "approval.rego:" in said
        assert await _revision(home) == second
        (folder / "approval.rego").write_text(good + "# mended\n")
        await _until(lambda: _changed(home, second))

        async def reloaded_again() -> bool:
            return len(await _told(home, "reloaded: revision")) == 2

        await _until(reloaded_again)
        assert len(await _told(home, "not taken")) == 1


async def _changed(home: House, before: str) -> bool:
    return await _revision(home) != before


async def test_sighup_has_files_read_again_and_ends_nothing(one: Life) -> None:
    """Also a file whose time and size tell nothing: that is what one sends it for."""
    await one.start()
    tokens = one.house.folder / "tokens.txt"
    before = tokens.stat()
    other = one.house.token[::-1]
    tokens.write_text(tokens.read_text().replace(one.house.token, other))
    os.utime(tokens, ns=(before.st_atime_ns, before.st_mtime_ns))
    one.send(signal.SIGHUP)
    one.house.token = other

    async def new_one_works() -> bool:
        return await one.post(payload(alert(1))) == 200

    async def says_so() -> bool:
        return "looked again at tokens and policies" in one.log

    await _until(new_one_works)
    await _until(says_so)
    assert await one.terminate() is not None
    assert one.popen is not None
    assert one.popen.returncode == 0


async def test_a_new_token_is_taken_and_the_old_one_no_longer(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        assert home.settings.gateway.tokens_file is not None
        home.settings.gateway.tokens_file.write_text("another-token-another-token\n")

        async def new_one_works() -> bool:
            return (await home.post(payload(alert(1)), token="another-token-another-token"))[0] == 200

        await _until(new_one_works)
        assert (await home.post(payload(alert(1))))[0] == 401
        home.settings.gateway.tokens_file.unlink()
        await asyncio.sleep(0)
        assert (await home.post(payload(alert(1)), token="another-token-another-token"))[0] == 200
