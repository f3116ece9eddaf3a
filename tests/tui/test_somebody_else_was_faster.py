"""Two people act at once: whose question has lost its object is told so before anything is typed, and sends nothing."""

import pytest

from kubernaut_tui.effects import Load
from kubernaut_tui.events import Loaded

from .documents import Driver, reply


def changed(driver: Driver, kind: str, target: str, **changes: object) -> None:
    load = Load(kind, target)
    driver.feed(Loaded(load, {**reply(load), **changes}))


@pytest.mark.parametrize("keys", [("n", "5"), ("enter",), ("y",)])
def test_a_vote_that_somebody_cast(keys: tuple[str, ...]) -> None:
    driver = Driver()
    driver.press("down", "approve")
    assert driver.state.view.target
    changed(driver, "approval", driver.state.view.target, phase="Rejected")
    assert "it is rejected meanwhile: any key leaves, nothing is sent" in driver.lines[-1]
    assert "nothing to vote on any more: it is rejected" in driver.text
    driver.key(*keys)
    assert driver.sent == []
    assert driver.state.prompt is None
    assert "left, nothing was sent: it is rejected meanwhile" in driver.text
    assert "approve" not in driver.lines[-1]


def test_a_pull_request_that_somebody_merged() -> None:
    driver = Driver()
    driver.press("top", "diff", "approve")
    pull = reply(Load("diff", "rr-4f2abc"))["pull_request"]
    changed(driver, "diff", "rr-4f2abc", pull_request={**pull, "state": "merged"})
    assert "#81 is merged meanwhile" in driver.lines[-1]
    driver.key(*"checkout")
    assert driver.sent == []


def test_a_remediation_that_ended() -> None:
    driver = Driver()
    driver.press("top", "open", "stop")
    changed(driver, "remediation", "rr-4f2abc", ended="2026-03-01T03:12:00Z", phase="Completed")
    assert "rr-4f2abc has ended meanwhile (Completed)" in driver.lines[-1]
    driver.key(*"checkout")
    assert driver.sent == []
