"""The real application on a real daemon: keys go in, the screen and the daemon's state come out."""

import asyncio
from pathlib import Path

import pytest

from kubernaut.domain.approvals import ApprovalPhase

from .desk import console, desk, screen, until

pytestmark = pytest.mark.timeout(110)


async def arm(app: object, pilot: object, why: str = "drill") -> None:
    keys = ["colon", "r", "w", "space", *why, "enter"]
    await pilot.press(*keys)  # type: ignore[attr-defined]


async def test_changes_appear_without_a_key(tmp_path: Path) -> None:
    async with desk(tmp_path) as home:
        await home.four()
        app = console(home.socket)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(app, "rr-4f2abc", "rr-09c1de", "LIVE", "3 need you")
            await pilot.press("enter")
            await until(app, "3/3 ready", "128Mi -> 256Mi", "looking at FIN-212")
            await home.says("rr-4f2abc", "2/3 ready, 1 of 3 pods is new")
            await until(app, "2/3 ready")


async def test_a_person_approves_a_drain(tmp_path: Path) -> None:
    async with desk(tmp_path) as home:
        await home.four()
        app = console(home.socket)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(app, "rr-09c1de")
            while app.state.rows.cursor != "rr-09c1de":
                await pilot.press("j")
            await pilot.press("a")
            await until(app, "production is READ-ONLY")
            await arm(app, pilot)
            await until(app, "READ-WRITE")
            await pilot.press("a")
            await until(app, "n5 in PRODUCTION", "Type n5", "15 evictions accepted")
            await pilot.press("n")
            assert "Type n5: _" in screen(app), "a key typed at once was taken"
            await asyncio.sleep(0.4)
            await pilot.press("n", "enter")
            assert (await home.approval()).phase is ApprovalPhase.PENDING
            await pilot.press("5")
            await until(app, "done: approve drain-node n5")
            approval = await home.approval()
            assert approval.phase is ApprovalPhase.APPROVED
            assert [vote.verdict for vote in approval.votes] == ["approve"]


async def test_no_key_quits(tmp_path: Path) -> None:
    async with desk(tmp_path) as home:
        await home.four()
        app = console(home.socket)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(app, "rr-4f2abc", "LIVE")
            await pilot.press("ctrl+q", "ctrl+c", "q", "ctrl+d", "ctrl+z", "escape", "enter")
            await until(app, "NOW", "esc back")
            await home.says("rr-4f2abc", "2/3 ready, 1 of 3 pods is new")
            await until(app, "2/3 ready")
            assert app.is_running


async def test_a_note_lands_in_the_timeline(tmp_path: Path) -> None:
    async with desk(tmp_path) as home:
        await home.four()
        app = console(home.socket)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(app, "rr-4f2abc")
            await pilot.press("i", *"mine", "enter", "t")
            await until(app, "timeline", "mine")


async def test_the_filter_asks_the_daemon(tmp_path: Path) -> None:
    async with desk(tmp_path) as home:
        await home.four()
        app = console(home.socket)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(app, "rr-4f2abc")
            await pilot.press("slash", *"ledger", "enter")
            text = await until(app, "/ledger", "1 of 1")
            assert "rr-3b0dca" in text
            assert "rr-4f2abc" not in text
            await pilot.press("escape")
            await until(app, "rr-4f2abc", "1 of 4")


async def test_it_opens_without_a_daemon_connects_and_connects_again(tmp_path: Path) -> None:
    socket = tmp_path / "state" / "kubernaut.sock"
    app = console(socket)
    async with app.run_test(size=(80, 24)):
        await until(app, "No connection to a daemon", "DOWN", "start one with")
        async with desk(tmp_path) as home:
            assert home.socket == socket
            await home.four()
            await until(app, "LIVE", "rr-4f2abc")
        await until(app, "DOWN", "rr-4f2abc")
        async with desk(tmp_path):
            await until(app, "LIVE", "rr-4f2abc")


async def test_every_screen_opens_and_says_something(tmp_path: Path) -> None:
    async with desk(tmp_path) as home:
        await home.four()
        app = console(home.socket)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(app, "rr-4f2abc")
            await pilot.press("d")
            await until(app, "+               memory: 256Mi")
            await pilot.press("2")
            await until(app, "1 pending", "drain-node")
            await pilot.press("enter")
            await until(app, "15 pods", "undo")
            await pilot.press("question_mark")
            await until(app, "Asks first, then changes")
            await pilot.press("1")
            await until(app, "STORY")
            await pilot.press("ctrl+p")
            await until(app, ":rw REASON")


async def test_rows_are_paged_from_the_daemon(tmp_path: Path) -> None:
    from .incidents import steady

    async with desk(tmp_path) as home:
        for number in range(260):
            await home.hold(steady(f"rr-{number:06d}", f"app-{number:06d}"))
        app = console(home.socket)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(app, "1 of 260")
            await pilot.press("G")
            await until(app, "260 of 260")
            await pilot.press("k", "k")
            await until(app, "258 of 260")
            await pilot.press("g")
            await until(app, "1 of 260")
            assert len(app.state.rows.items) <= 500


async def test_a_wider_terminal_gets_two_panes(tmp_path: Path) -> None:
    async with desk(tmp_path) as home:
        await home.four()
        app = console(home.socket)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(app, "rr-4f2abc")
            await pilot.resize_terminal(120, 40)
            await until(app, "│", "NOW", "PERMANENT")
            await pilot.resize_terminal(60, 12)
            assert "│" not in await until(app, "rr-4f2abc")


async def test_a_person_stops_a_remediation_and_the_version_goes_along(tmp_path: Path) -> None:
    async with desk(tmp_path) as home:
        await home.four()
        app = console(home.socket)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(app, "rr-4f2abc", "LIVE")
            await arm(app, pilot)
            await until(app, "READ-WRITE")
            while app.state.rows.cursor != "rr-4f2abc":
                await pilot.press("j")
            await pilot.press("s")
            await until(app, "Stop rr-4f2abc in PRODUCTION prod-eu", "Type checkout")
            await asyncio.sleep(0.5)
            await pilot.press(*"checkout")
            await until(app, "done: stop rr-4f2abc")
            item = await home.running.store.remediation("rr-4f2abc")
            assert item is not None
            assert item.imperative is not None
            assert item.imperative.cancel_requested or item.imperative.ended
