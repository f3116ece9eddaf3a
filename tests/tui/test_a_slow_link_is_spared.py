"""Through a pseudo-terminal: how many bytes the console writes, what torn keys do, and how it leaves the terminal."""

import asyncio
import re
import signal
from pathlib import Path

import pytest

from kubernaut.domain.approvals import ApprovalPhase

from .desk import desk
from .terminal import modes, terminal

pytestmark = pytest.mark.timeout(110)
FAR = {"SSH_TTY": "/dev/pts/9"}


async def test_bytes_stay_within_their_budgets(tmp_path: Path) -> None:
    async with desk(tmp_path) as home:
        await home.four()
        async with terminal("--socket", home.socket, env=FAR) as tty:
            await tty.until("rr-4f2abc", "LIVE")
            assert await tty.still(1.5) <= 30_000
            before = len(tty.output)
            await asyncio.sleep(6.0)
            assert len(tty.output) - before <= 600, "idle"
            assert await tty.bytes_of(b"j") <= 1_200
            assert await tty.bytes_of(b"\x1b[B") <= 1_200
            await asyncio.sleep(0.6)
            before = await tty.still()
            await home.overdue("rr-4f2abc")
            await tty.until("PR#81 is overdue")
            assert await tty.still() - before <= 400, "one changed row"


async def test_a_question_costs_little(tmp_path: Path) -> None:
    async with desk(tmp_path) as home:
        await home.four()
        async with terminal("--socket", home.socket, env=FAR) as tty:
            await tty.until("rr-09c1de")
            tty.send(b":rw drill\r")
            await tty.until("READ-WRITE")
            tty.send(b"2")
            await tty.until("drain-node", "1 pending")
            tty.send(b"\r")
            await tty.until("15 evictions accepted")
            before = await tty.still(1.2)
            tty.send(b"a")
            await tty.until("Type n5")
            assert await tty.still(1.2) - before <= 1_500


async def test_mouse_and_colours_stay_off_where_they_should(tmp_path: Path) -> None:
    async with desk(tmp_path) as home:
        await home.four()
        async with terminal("--socket", home.socket, env={**FAR, "NO_COLOR": "1"}) as tty:
            await tty.until("rr-4f2abc", "LIVE")
            await tty.still()
            output = bytes(tty.output)
    assert not re.search(rb"\x1b\[\?100[0236]h", output), "mouse reports"
    for codes in re.findall(rb"\x1b\[([0-9;]*)m", output):
        assert not {int(code or 0) for code in codes.split(b";")} & {*range(30, 39), *range(40, 49), *range(90, 108)}, (
            codes
        )


async def test_only_the_sixteen_colours_are_used(tmp_path: Path) -> None:
    async with desk(tmp_path) as home:
        await home.four()
        async with terminal("--socket", home.socket) as tty:
            await tty.until("rr-4f2abc", "LIVE")
            tty.send(b"d")
            await tty.until("256Mi")
            await tty.still()
            output = bytes(tty.output)
    assert b"\x1b[38;" not in output
    assert b";38;" not in output


@pytest.mark.parametrize("sequence", [b"\x1b[A", b"\x1bOa", b"\x1b[1;5B", b"\x1b[a"])
async def test_a_torn_key_votes_for_nothing(tmp_path: Path, sequence: bytes) -> None:
    async with desk(tmp_path) as home:
        await home.four()
        async with terminal("--socket", home.socket, env={**FAR, "ESCDELAY": "100"}) as tty:
            await tty.until("rr-09c1de")
            tty.send(b":rw drill\r")
            await tty.until("READ-WRITE")
            tty.send(b"jj")
            for byte in sequence:
                tty.send(bytes([byte]))
                await asyncio.sleep(0.3)
            await tty.still()
            assert "Type" not in tty.screen
            assert "y/N" not in tty.screen
            assert (await home.approval()).phase is ApprovalPhase.PENDING


@pytest.mark.parametrize("ending", [b":q\r", signal.SIGTERM, signal.SIGHUP, b":q!\r"])
async def test_it_leaves_the_terminal_as_it_was(tmp_path: Path, ending: bytes | signal.Signals) -> None:
    async with terminal("--socket", tmp_path / "none.sock") as tty:
        before = modes(tty.master)
        await tty.until("No connection to a daemon")
        assert modes(tty.master) != before
        if isinstance(ending, bytes):
            tty.send(ending)
        else:
            tty.process.send_signal(ending)
        async with asyncio.timeout(20):
            assert await tty.process.wait() == 0
        await asyncio.sleep(0.1)
        assert modes(tty.master) == before
        assert b"\x1b[?1049l" in tty.output
        assert tty.output.rfind(b"\x1b[?25h") > tty.output.rfind(b"\x1b[?25l")


async def test_lines_instead_of_a_screen(tmp_path: Path) -> None:
    async with desk(tmp_path) as home:
        await home.four()
        async with terminal("--plain", "--socket", home.socket) as tty:
            screen = await tty.until("NEEDS YOU  rr-4f2abc", "following the journal")
            assert "FAILED  rr-77e1fa" in screen.replace("\n", "")
            await home.says("rr-4f2abc", "2/3 ready")
            await tty.until("2/3 ready")
            assert b"\x1b" not in tty.output
            tty.send(b"\x03")
            async with asyncio.timeout(10):
                assert await tty.process.wait() == 0


async def test_a_dumb_terminal_gets_lines(tmp_path: Path) -> None:
    async with desk(tmp_path) as home:
        await home.four()
        async with terminal("--socket", home.socket, env={"TERM": "dumb"}) as tty:
            assert "NEEDS YOU  rr-4f2abc" in await tty.until("following the journal")
            assert b"\x1b" not in tty.output


async def test_help_teaches(tmp_path: Path) -> None:
    async with terminal("--help", rows=50) as tty:
        await tty.until(":rw", "--read-only", "--plain", "KUBERNAUT_API__SOCKET")
        assert await tty.process.wait() == 0
