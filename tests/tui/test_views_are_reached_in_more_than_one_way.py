"""Tabs, panes, the palette and the last view: every way to a screen opens it and none changes anything."""

import pytest

from kubernaut_tui.effects import Press
from kubernaut_tui.events import Commanded
from kubernaut_tui.keys import KEYS
from kubernaut_tui.palette import entries
from kubernaut_tui.views import TABS, Screen

from .documents import Driver


def test_tab_goes_round_through_the_views_of_one_remediation_and_back() -> None:
    driver = Driver()
    driver.press("open")
    seen = [driver.state.view.screen]
    for _ in TABS:
        driver.press("tab")
        seen.append(driver.state.view.screen)
        assert driver.state.mentioned() == "rr-4f2abc"
    assert seen == [*TABS, Screen.DETAIL]
    driver.press("tab-back")
    assert driver.state.view.screen is Screen.TREE
    driver.press("last")
    assert driver.state.view.screen is Screen.DETAIL
    driver.press("back", "back")
    assert driver.state.view.screen is Screen.REMEDIATIONS


def test_two_panes_become_one_and_two_again() -> None:
    driver = Driver(120, 30)
    assert "│" in driver.text
    driver.press("split")
    assert "│" not in driver.text
    driver.press("split")
    assert "│" in driver.text


def test_a_narrow_terminal_says_that_it_has_no_room_for_two() -> None:
    driver = Driver(80, 24)
    driver.press("split")
    assert "two panes need 100 columns" in driver.prompt_line


def test_the_owners_of_the_target_are_shown_with_their_states() -> None:
    driver = Driver()
    driver.press("tree")
    lines = [line.rstrip() for line in driver.lines]
    assert next(line for line in lines if "x2x4" in line).lstrip().startswith("x ")
    assert any("Deployment shop/checkout" in line and "< this one" in line for line in lines)
    assert any("not read: poddisruptionbudgets" in line for line in lines)


@pytest.mark.parametrize(
    ("typed", "first"),
    [("own", "owners"), ("tl", "timeline"), ("rw", "rw"), ("hunk", ""), ("appr", "approvals"), ("roll", "roll back")],
)
def test_the_palette_finds_what_is_meant(typed: str, first: str) -> None:
    found = [entry.name for entry in entries(Screen.REMEDIATIONS, typed)]
    assert (found[0] if found else "") == first


def test_the_palette_narrows_while_one_types_and_enter_takes_the_first() -> None:
    driver = Driver()
    driver.press("palette")
    driver.key(*"own")
    assert driver.lines[2].startswith(" > owners")
    driver.key("enter")
    assert Press("tree") in driver.effects


def test_an_empty_palette_does_nothing_on_enter() -> None:
    driver = Driver()
    driver.press("palette")
    driver.key("enter")
    assert driver.effects == []
    assert driver.state.prompt is None


def test_a_changing_key_from_the_palette_still_only_asks() -> None:
    for key in KEYS:
        if not key.changing:
            continue
        driver = Driver()
        driver.press("open", "palette")
        driver.key(*key.label, "enter")
        for press in [effect for effect in driver.effects if isinstance(effect, Press)]:
            driver.feed(Commanded(press.command, driver.at))
        driver.key("enter", "enter")
        assert driver.sent == []
