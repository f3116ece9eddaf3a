"""What `a` does to a pull request follows from what the daemon says the caller may: merge, say yes, or neither."""

from dataclasses import replace
from typing import Any

from kubernaut.domain.approvals import Principal, Role, Verdict
from kubernaut.domain.proposals import Check, CheckState, Review
from kubernaut.domain.reviews import Quorum
from kubernaut.server import present as api
from kubernaut_tui.events import Loaded

from .documents import Driver, reply
from .incidents import ANA, NOW, out_of_memory

BOB = Principal("bob", ("sre",), Role.SENIOR)
TWO = Quorum(2, Role.SENIOR)


def _pull(quorum: Quorum, who: Principal, *said: tuple[Principal, Verdict], check: CheckState | None = None) -> Any:
    track = out_of_memory().gitops
    assert track is not None
    pull = track.proposal.pull_request
    assert pull is not None
    reviews = tuple(Review(p.name, v, pull.head_commit, NOW, "", p.groups, p.role) for p, v in said)
    checks = (Check("kubernaut/policy", check, "policy said so"),) if check else ()
    return api.pull_request(replace(pull, reviews=reviews, check_runs=checks), quorum, who)


def _opened(pull: Any) -> Driver:
    """The detail of an incident with this pull request."""
    driver = Driver()
    driver.hold = True
    driver.press("open")
    _answer(driver, pull)
    return driver


def _answer(driver: Driver, pull: Any) -> None:
    for load in driver.held:
        document = reply(load)
        if load.kind in ("diff", "wish-diff"):
            document = {**document, "pull_request": pull}
        if load.kind in ("remediation", "wish"):
            document["tracks"][1]["proposal"]["pull_request"] = pull
        driver.feed(Loaded(load, document))
    driver.held.clear()


def _press_approve(driver: Driver, pull: Any) -> None:
    driver.press("approve")
    _answer(driver, pull)
    driver.press()
    driver.wait(1.0)


def test_a_merge_that_needs_two_asks_for_this_persons_yes() -> None:
    pull = _pull(TWO, ANA)
    driver = _opened(pull)
    assert "#81 needs 2 people: a gives your yes" in driver.prompt_line
    _press_approve(driver, pull)
    assert "Approve pull request #81 for PRODUCTION prod-eu? 0 of 2 said yes" in driver.prompt_line


def test_the_yes_carries_the_commit_that_was_seen() -> None:
    pull = _pull(TWO, ANA)
    driver = _opened(pull)
    _press_approve(driver, pull)
    driver.without(prompt=replace(driver.state.prompt, painted_at=driver.at))  # type: ignore[type-var]
    driver.key("y")
    [send] = driver.sent
    assert send.path == "/v1/pulls/fleet/81/review"
    assert send.body == {"verdict": "approve", "expected_head": pull["head_commit"], "reason": ""}


def test_who_said_yes_is_not_asked_again() -> None:
    pull = _pull(TWO, ANA, (ANA, Verdict.APPROVE))
    driver = _opened(pull)
    assert "1 of 2 (ana approved)" in driver.text
    assert "#81 waits for others" in driver.prompt_line
    _press_approve(driver, pull)
    assert driver.state.prompt is None
    assert "you said yes already" in driver.prompt_line


def test_the_second_yes_is_the_merge() -> None:
    pull = _pull(TWO, ANA, (BOB, Verdict.APPROVE))
    driver = _opened(pull)
    _press_approve(driver, pull)
    assert "Merge pull request #81 into PRODUCTION prod-eu?" in driver.prompt_line


def test_who_does_not_count_is_told_why() -> None:
    who = Principal("eve", (), Role.APPROVER)
    pull = _pull(TWO, who)
    driver = _opened(pull)
    _press_approve(driver, pull)
    assert driver.state.prompt is None
    assert "not you: eve needs the role senior" in driver.prompt_line


def test_a_rejection_and_a_failed_check_are_seen() -> None:
    pull = _pull(Quorum(), ANA, (BOB, Verdict.REJECT), check=CheckState.FAILURE)
    driver = _opened(pull)
    assert "rejected by bob" in driver.text
    assert "kubernaut/policy failure" in driver.text
    driver.hold = True
    driver.press("diff")
    _answer(driver, pull)
    assert "checks   kubernaut/policy failure" in driver.text
    assert "bob rejected" in driver.text
    assert "not yet" in driver.text


def test_what_is_to_be_pressed_is_said_where_somebody_is_waited_for() -> None:
    driver = Driver()
    assert "#81 waits for you: a merges it, x closes it, d shows it" in driver.prompt_line
    driver.press("down")
    assert "waits for your vote" in driver.prompt_line
    driver.press("down")
    assert "it is in your hands" in driver.prompt_line
    driver.press("down")
    assert "───" in driver.prompt_line
    unarmed = Driver(armed=False)
    assert "first :rw REASON" in unarmed.prompt_line
