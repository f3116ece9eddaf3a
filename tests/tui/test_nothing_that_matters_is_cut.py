"""A question, and what a vote rests on, are read in full; a text that is longer than the screen says so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubernaut_tui.effects import Load, Quit, Send
from kubernaut_tui.events import Commanded, Loaded, NotDone, Painted
from kubernaut_tui.keys import KEYS
from kubernaut_tui.loading import page as page_of
from kubernaut_tui.state import Answer, Prompt
from kubernaut_tui.views import Screen

from .documents import Driver, page, reply


def words(text: str) -> str:
    return " ".join(text.split())


@given(
    st.text("abcdefgh-", min_size=3, max_size=90),
    st.text("abc", min_size=1, max_size=63),
    st.sampled_from([40, 60, 80, 132]),
)
def test_a_question_is_never_cut(cluster: str, word: str, width: int) -> None:
    question = f"Drain node {word} in PRODUCTION {cluster}? It evicts 15 pods and closes #81"
    for prompt in (
        Prompt(question, Answer.WORD, ((word, Send("", "")),)),
        Prompt(question, Answer.LETTER, (("y", Send("", "")),)),
    ):
        driver = Driver(width)
        driver.without(prompt=prompt)
        shown = words("\n".join(line.rstrip() for line in driver.lines[-10:])).replace(" ", "")
        assert question.replace(" ", "") in shown


@pytest.mark.parametrize("width", [40, 80, 132])
@pytest.mark.parametrize("length", [10, 30, 60])
def test_a_refusal_is_told_to_its_last_word(width: int, length: int) -> None:
    driver = Driver(width)
    driver.press("down", "reject")
    driver.key("y")
    driver.feed(
        NotDone(driver.sent[0], "somebody has to do something about it first; " * (length // 10) + "ask the LAST one")
    )
    assert "not done: reject drain-node n5" in words(driver.text)
    assert "ask the LAST one" in words(driver.text)


def test_taking_over_says_what_is_left() -> None:
    driver = Driver()
    driver.press("top", "escalate")
    assert "It leaves what ran and #81 as it is" in words(driver.text)


def test_a_word_that_does_not_fit_is_told_and_enter_says_no_less() -> None:
    driver = Driver()
    driver.press("down", "approve")
    driver.key("n", "4", "enter")
    assert driver.sent == []
    assert "that is not n5: backspace, or esc leaves" in driver.lines[-1]
    driver.key("backspace")
    assert "typing n5 confirms" in driver.lines[-1]


def test_what_a_vote_rests_on_is_there_to_its_last_word() -> None:
    driver = Driver()
    driver.press("approvals", "open")
    item = dict(reply(Load("approval")))
    item["because"] = "disk errors on /dev/nvme1n1; " * 20 + "and the LAST word"
    item["dry_run"] = [f"eviction {n} accepted" for n in range(9)]
    driver.feed(Loaded(Load("approval", driver.state.view.target), item))
    seen = words(driver.text)
    driver.press("bottom")
    seen += words(driver.text)
    assert "and the LAST word" in seen
    assert "eviction 8 accepted" in seen
    assert "-27/27" in driver.lines[1]


def test_what_an_approval_is_about_is_one_key_away() -> None:
    for key, screen in (("logs", Screen.LOGS), ("tree", Screen.TREE), ("open", Screen.DETAIL)):
        driver = Driver()
        driver.press("approvals", "open", key)
        assert (driver.state.view.screen, driver.state.view.target) == (screen, "rr-09c1de")
        driver.press("back")
        assert driver.state.view.screen is Screen.APPROVAL


def test_logs_say_when_they_were_read() -> None:
    driver = Driver()
    driver.press("top", "logs")
    assert "> logs of 03:11:58" in driver.lines[1]
    driver.without(wall=driver.state.wall + 600.0)
    driver.wait(1.0)
    assert "> logs of 03:11:58" in driver.lines[1]
    driver.press("refresh")
    assert "> logs of 03:21:58" in driver.lines[1]


def test_keys_without_a_row_to_use_them_on_are_left_out() -> None:
    driver = Driver()
    driver.feed(Loaded(page_of(driver.state), {"items": [], "total": 0}))
    assert "open" not in driver.lines[-1]
    assert "approve" not in driver.lines[-1]


def test_the_way_back_is_shown_wherever_there_is_one() -> None:
    driver = Driver()
    assert "esc back" not in driver.lines[-1]
    for key in ("open", "diff", "logs", "help", "approvals"):
        driver.press(key)
        assert "esc back  ? help" in driver.lines[-1]


def test_what_was_taken_over_says_how_its_pull_request_is_merged() -> None:
    driver = Driver()
    rows = page()
    taken = rows["items"][0]
    taken |= {"ended": "2026-03-01T03:11:00Z", "phase": "Escalated", "needs_you": True}
    driver.feed(Loaded(page_of(driver.state), rows))
    driver.press("top")
    assert "#81 is still open: kubernaut pr merge fleet/81" in driver.prompt_line


def test_quitting_while_a_change_is_on_its_way_takes_more_than_q() -> None:
    driver = Driver()
    driver.press("down", "reject")
    driver.key("y")
    assert len(driver.sent) == 1
    driver.type(":", "q", "enter")
    assert not any(isinstance(effect, Quit) for effect in driver.effects)
    assert ":q! leaves all the same" in driver.text
    driver.type(":", "q", "!", "enter")
    assert any(isinstance(effect, Quit) for effect in driver.effects)


def test_what_a_key_did_is_not_said_below_what_another_one_shows() -> None:
    driver = Driver()
    driver.press("top", "logs", "wrap")
    assert "long lines are cut" in driver.prompt_line
    driver.feed(Commanded("yaml", driver.at))
    assert "long lines" not in driver.text


@pytest.mark.parametrize("width", [60, 80, 100])
def test_help_is_read_in_full(width: int) -> None:
    driver = Driver(width, 200)
    driver.feed(Commanded("help", driver.at))
    driver.feed(Painted(driver.at))
    shown = words(driver.text)
    assert "…" not in shown
    assert all(words(key.tooltip) in shown for key in KEYS)
    assert ". done" in shown


@pytest.mark.parametrize("keys", ["/", ":", "i", "s", "e", "d", "a"])
def test_how_a_question_is_answered_fits_the_smallest_terminal_that_is_promised(keys: str) -> None:
    driver = Driver()
    driver.type("g", keys)
    assert "…" not in driver.lines[-1]
