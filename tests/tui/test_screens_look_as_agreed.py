"""Each screen at 80x24 is what the golden file shows. `KUBERNAUT_GOLDENS=write` writes them anew: read the diff."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kubernaut_tui.events import Lost

from .documents import Driver, status

GOLDENS = Path(__file__).parent / "goldens"


def _list() -> Driver:
    return Driver()


def _opened(*commands: str) -> Callable[[], Driver]:
    def make() -> Driver:
        driver = Driver()
        driver.press("open", *commands)
        return driver

    return make


def _wide() -> Driver:
    return Driver(132, 30)


def _hundred() -> Driver:
    return Driver(100, 24)


def _wide_diff() -> Driver:
    driver = Driver(132, 30)
    driver.press("diff")
    return driver


def _approvals() -> Driver:
    driver = Driver()
    driver.press("approvals")
    return driver


def _wide_approvals() -> Driver:
    driver = Driver(110, 24)
    driver.press("approvals")
    return driver


def _narrow(*commands: str) -> Callable[[], Driver]:
    def make() -> Driver:
        driver = Driver(60, 20)
        driver.press(*commands)
        return driver

    return make


def _asked() -> Driver:
    driver = Driver()
    driver.press("down", "approve")
    return driver


def _merge() -> Driver:
    driver = Driver()
    driver.press("open", "approve")
    return driver


def _escalated() -> Driver:
    driver = Driver()
    driver.press("down", "down", "open")
    return driver


def _clusters() -> Driver:
    driver = Driver()
    driver.without(status=status(clusters=("prod-eu", "prod-us", "stag-eu")))
    return driver


def _stopping() -> Driver:
    driver = Driver()
    driver.press("open", "stop")
    return driver


def _help() -> Driver:
    driver = Driver()
    driver.press("help")
    return driver


def _palette() -> Driver:
    driver = Driver()
    driver.press("palette")
    return driver


def _stale() -> Driver:
    driver = Driver()
    driver.wait(15.0, heard=False)
    return driver


def _no_daemon() -> Driver:
    driver = Driver()
    fresh = Driver.__new__(Driver)
    fresh.__dict__.update(driver.__dict__)
    fresh.state = type(driver.state)(at=driver.at, wall=driver.state.wall)
    why = (
        "no daemon listens on state/kubernaut.sock: start one with `kubernaut daemon`, or name its socket with --socket"
    )
    fresh.feed(Lost(why))
    return fresh


SCREENS: dict[str, Callable[[], Driver]] = {
    "remediations": _list, "remediations-132x30": _wide, "remediations-100x24": _hundred, "several-clusters": _clusters,
    "detail": _opened(), "detail-wrapped": _opened("wrap"), "diff-wrapped": _opened("diff", "wrap"),
    "escalated": _escalated, "timeline": _opened("timeline"), "logs": _opened("logs"),
    "yaml": _opened("yaml"), "owners": _opened("tree"), "diff": _opened("diff"), "diff-132x30": _wide_diff,
    "approvals": _approvals, "approval-asked": _asked, "merge-asked": _merge, "stop-asked": _stopping, "help": _help,
    "approvals-110x24": _wide_approvals, "approvals-60x20": _narrow("approvals"), "detail-60x20": _narrow("open"),
    "remediations-60x20": _narrow(), "palette": _palette, "stale": _stale, "no-daemon": _no_daemon,
}  # fmt: skip


@pytest.mark.parametrize("name", SCREENS)
def test_screen(name: str) -> None:
    text = SCREENS[name]().text
    golden = GOLDENS / f"{name}.txt"
    if os.environ.get("KUBERNAUT_GOLDENS") == "write":
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8")


@pytest.mark.parametrize("name", SCREENS)
def test_nothing_on_a_screen_can_steer_the_terminal(name: str) -> None:
    for character in SCREENS[name]().text.replace("\n", ""):
        assert character.isprintable(), repr(character)
