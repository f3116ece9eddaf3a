"""Without a daemon what was last known stays and says so; what changed while nobody looked is not shown as if it had not."""

import pytest

from kubernaut_tui import loading
from kubernaut_tui.effects import Load
from kubernaut_tui.events import Commanded, Connected, Loaded, LoadFailed, Lost, Pulse
from kubernaut_tui.views import Screen

from .documents import Driver, page, reply, status

GONE = "no daemon listens on /run/kubernaut/kubernaut.sock: start one with `kubernaut daemon`, or name its socket"


def down(driver: Driver) -> Driver:
    driver.feed(Lost(GONE))
    driver.hold = True
    return driver


@pytest.mark.parametrize("keys", [(*"/ledger", "enter"), ("z",)])
def test_a_filter_without_a_daemon_leaves_the_list(keys: tuple[str, ...]) -> None:
    driver = down(Driver())
    driver.type(*keys)
    assert "rr-4f2abc" in driver.text
    assert "the list stays as it is" in driver.text
    assert (driver.state.filter, driver.state.faults) == ("", False)


def test_the_last_row_without_a_daemon_is_the_last_that_is_there() -> None:
    driver = Driver()
    driver.feed(Loaded(loading.page(driver.state), {**page(), "total": 400}))
    down(driver).press("bottom")
    assert "rr-4f2abc" in driver.text
    assert driver.state.rows.index == 3


def test_it_says_since_when_and_why_in_full() -> None:
    driver = Driver()
    since = driver.lines[0][-7:]
    down(driver)
    driver.feed(Pulse(driver.at + 600.0, driver.state.wall + 600.0))
    driver.feed(Lost(GONE))
    assert f"DOWN since {since.strip()}: no daemon listens on" in driver.text
    assert "start one with `kubernaut daemon`" in " ".join(driver.text.split())


def test_what_was_never_read_does_not_claim_to_be_on_its_way() -> None:
    driver = down(Driver())
    driver.press("logs")
    assert "reading" not in driver.text
    assert "The daemon is DOWN: this is read as soon as it answers." in driver.text


def test_approvals_that_changed_meanwhile_are_not_shown_again() -> None:
    driver = Driver()
    driver.press("approvals")
    assert "drain-node" in driver.text
    driver.press("list")
    driver.wait(1.0)
    driver.feed(Pulse(driver.at, 0.0, frozenset({"rr-09c1de"}), approvals=True, last_line=driver.at))
    down(driver).press("approvals")
    assert "drain-node" not in driver.text
    assert "No connection to a daemon" in driver.text


def test_the_list_knows_better_than_a_detail_that_was_read_before_it() -> None:
    driver = Driver()
    driver.press("top", "open", "back")
    item = driver.state.rows.cursor
    assert "waits for you" in driver.lines[-2]
    driver.hold = True
    driver.wait(1.0)
    driver.feed(Pulse(driver.at, 0.0, frozenset({item}), last_line=driver.at))
    rows = page()
    rows["items"][0] |= {"needs_you": False, "story": "out of memory; fixed by PR#81"}
    driver.feed(Loaded(loading.page(driver.state), rows))
    assert "fixed by PR#81" in driver.text
    assert "waits for you" not in driver.text


def test_what_changed_while_the_daemon_was_away_is_read_before_it_is_shown() -> None:
    driver = Driver()
    driver.press("approvals", "list")
    down(driver).feed(Connected(status(), driver.at))
    driver.press("approvals")
    assert "drain-node" not in driver.text
    assert "Asking the daemon" in driver.text


@pytest.mark.parametrize(("key", "screen"), [("yaml", Screen.YAML), ("logs", Screen.LOGS), ("tree", Screen.TREE)])
def test_what_could_not_be_read_is_read_again(key: str, screen: Screen) -> None:
    driver = Driver()
    driver.hold = True
    driver.press("top", key)
    load = next(each for each in driver.held if each.kind == screen.value)
    why = "get shop/deployment/checkout: can't connect to the API server (Connect call failed ('127.0.0.1', 38365))"
    driver.feed(LoadFailed(load, why))
    assert "38365" in driver.text, "the reason is cut"
    driver.held.clear()
    for _ in range(8):
        driver.wait(1.0)
    assert driver.held.count(load) == 1
    driver.feed(Loaded(load, reply(load)))
    assert "38365" not in driver.text


def test_a_read_back_that_failed_is_tried_again() -> None:
    driver = Driver()
    driver.hold = True
    driver.without(uncertain={"rr-4f2abc": "merge #81"})
    load = Load("readback", "rr-4f2abc", "/v1/remediations/rr-4f2abc")
    driver.feed(LoadFailed(load, "the daemon did not answer in time"))
    driver.held.clear()
    for _ in range(8):
        driver.wait(1.0)
    assert driver.held.count(load) == 1


def test_an_excuse_goes_with_its_cause() -> None:
    driver = Driver()
    driver.feed(Lost(GONE))
    driver.press("approve")
    assert "not now: the daemon is DOWN" in driver.text
    driver.feed(Connected(status(), driver.at))
    assert "DOWN" not in driver.text
    driver.wait(12.0, heard=False)
    driver.feed(Commanded("approve", driver.at))
    assert "STALE" in driver.lines[-2]
    driver.wait(1.0)
    assert "STALE" not in driver.text
