"""Nothing is ever sent but by the one key or word that a question names, typed after it was seen."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubernaut_tui.effects import Quit
from kubernaut_tui.events import Commanded, Loaded, Lost, Painted, Pasted, Pressed
from kubernaut_tui.keys import KEYS
from kubernaut_tui.state import Answer

from .documents import Driver, reply, status

DRAIN = ("down", "approve")


def asked(*commands: str) -> Driver:
    driver = Driver()
    driver.press(*commands)
    assert driver.state.prompt is not None
    return driver


def test_the_word_drains_and_carries_what_was_seen() -> None:
    driver = asked(*DRAIN)
    plan_hash = driver.state.documents[("approval", "ap-09c1de")]["plan_hash"]
    driver.key("n", "5")
    assert [send.path for send in driver.sent] == ["/v1/approvals/ap-09c1de/vote"]
    assert driver.sent[0].body == {"verdict": "approve", "plan_hash": plan_hash, "reason": "", "confirm": "n5"}


def test_a_merge_carries_the_head_that_was_seen() -> None:
    driver = asked("open", "approve")
    driver.key(*"checkout")
    assert [send.path for send in driver.sent] == ["/v1/pulls/fleet/81/merge"]
    assert driver.sent[0].body["expected_head"] == "0f" * 20


@pytest.mark.parametrize("key", ["enter", "escape", "a", "n", "N", "Y", "space", "down", "ctrl+c", "tab"])
def test_any_other_key_leaves_a_yes_or_no(key: str) -> None:
    driver = asked("down", "reject")
    driver.key(key)
    assert driver.sent == []
    assert driver.state.prompt is None
    assert "nothing was changed" in driver.prompt_line


def test_enter_never_confirms_a_word() -> None:
    driver = asked(*DRAIN)
    driver.key("n", "enter", "enter")
    assert driver.sent == []
    driver.key("backspace", "a", "enter", "escape")
    assert driver.sent == []
    assert driver.state.prompt is None


def test_no_question_is_answered_by_the_key_that_opened_it() -> None:
    for key in KEYS:
        if not key.changing:
            continue
        driver = Driver()
        driver.press(key.id)
        prompt = driver.state.prompt
        if prompt is not None and prompt.answer is Answer.LETTER:
            assert key.keys not in dict(prompt.expects)


def test_keys_typed_before_the_question_and_just_after_are_dropped() -> None:
    driver = Driver()
    driver.press("down")
    driver.at += 1.0
    driver.feed(Commanded("reject", driver.at))
    driver.feed(Pressed("y", "y", driver.at - 0.2))
    driver.feed(Pressed("y", "y", driver.at + 0.1))
    driver.feed(Painted(driver.at + 0.2))
    driver.feed(Pressed("y", "y", driver.at + 0.49))
    assert driver.sent == []
    assert driver.state.prompt is not None
    driver.feed(Pressed("y", "y", driver.at + 0.51))
    assert [send.body["verdict"] for send in driver.sent] == ["reject"]


def test_pasted_text_answers_nothing() -> None:
    driver = asked(*DRAIN)
    driver.feed(Pasted("n5"))
    assert driver.sent == []
    assert driver.state.prompt is not None


def test_production_is_read_only_until_somebody_says_why() -> None:
    driver = Driver(armed=False)
    for key in KEYS:
        if key.changing and key.id != "note":
            driver.press("list", key.id)
            assert driver.state.prompt is None
            assert ":rw" in driver.prompt_line
    driver.type(":", *"rw", "enter")
    assert driver.sent == []
    assert "say why" in driver.prompt_line
    driver.type(":", *"rw", "space", *"oom", "enter")
    assert [(send.path, send.body) for send in driver.sent] == [("/v1/arm", {"reason": "oom"})]


def test_a_stale_screen_changes_nothing_and_says_why() -> None:
    driver = Driver()
    driver.wait(20.0, heard=False)
    driver.feed(Commanded("approve", driver.at))
    assert driver.state.prompt is None
    assert "STALE" in driver.prompt_line


def test_without_a_daemon_nothing_is_asked() -> None:
    driver = Driver()
    driver.feed(Lost("gone"))
    driver.press("approve", "stop")
    assert driver.state.prompt is None
    assert "DOWN" in driver.prompt_line


def test_a_viewer_is_told_so() -> None:
    driver = Driver()
    driver.without(status=status(role="viewer"))
    driver.press("approve")
    assert driver.state.prompt is None
    assert "viewer" in driver.prompt_line


def test_a_console_started_read_only_stays_so() -> None:
    driver = Driver(read_only=True)
    driver.press("approve", "note")
    driver.type(":", *"rw", "space", *"why", "enter")
    assert driver.state.prompt is None
    assert driver.sent == []


def test_a_cluster_that_is_down_takes_no_approval_but_a_rejection() -> None:
    driver = Driver()
    gone = status()
    gone["clusters"][0]["state"] = "DOWN"
    driver.without(status=gone)
    driver.press("down", "approve")
    assert driver.state.prompt is None
    assert "DOWN" in driver.prompt_line
    driver.press("reject")
    assert driver.state.prompt is not None


def test_moving_on_before_the_question_came_calls_it_off() -> None:
    driver = Driver()
    driver.press("down")
    driver.hold = True
    driver.press("approve", "up")
    driver.hold = False
    for load in driver.held:
        driver.feed(Loaded(load, reply(load)))
    assert driver.state.prompt is None
    assert driver.state.mentioned() == "rr-4f2abc"


def test_quitting_takes_a_command() -> None:
    driver = Driver()
    driver.type("q", "q", "ctrl+c", "escape")
    assert Quit() not in driver.effects
    driver.type(":", "q", "enter")
    assert Quit() in driver.effects


SEQUENCES = [
    "\x1b[A",
    "\x1b[B",
    "\x1bOP",
    "\x1b[5~",
    "\x1b[1;5A",
    "\x1b[a",
    "\x1bOa",
    "\x1b[200~",
    "\x1b[?62;c",
    "\x1b[1;1R",
]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(SEQUENCES), min_size=1, max_size=4),
    st.lists(st.floats(0.0, 5.0), min_size=40, max_size=40),
    st.sampled_from([(), ("open",), ("approvals",), ("down", "approve"), ("down", "reject"), ("open", "diff")]),
)
def test_torn_escape_sequences_change_nothing(
    sequences: list[str], pauses: list[float], before: tuple[str, ...]
) -> None:
    """Whatever the pauses, the bytes of an escape sequence, one key each, send nothing and open no question."""
    driver = Driver()
    driver.press(*before)
    waits = iter(pauses)
    for character in "".join(sequences):
        name = "escape" if character == "\x1b" else character
        driver.type(name, after_s=next(waits, 0.6))
    assert driver.sent == []
    assert driver.state.prompt is None


def test_a_changing_key_right_behind_an_escape_is_dropped() -> None:
    driver = Driver()
    driver.type("escape")
    driver.type("a", after_s=0.6)
    assert driver.state.prompt is None
    driver.type("a")
    assert driver.state.prompt is not None


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([*"abdegijklnqstwxzNG.-/?12 ", "enter", "escape", "down", "up"]), max_size=25))
def test_keys_without_a_confirming_word_send_nothing(keys: list[str]) -> None:
    """`y` and the words are left out: no other key, in any order, sends a change but a note that was typed and entered."""
    driver = Driver()
    driver.type(*keys)
    assert [send for send in driver.sent if not send.path.endswith("/note")] == []
    assert len(driver.lines) == 24


def test_a_question_that_is_too_long_for_its_answer_takes_two_lines() -> None:
    driver = Driver()
    driver.press("stop")
    assert driver.lines[-2].rstrip() == " Stop rr-4f2abc in PRODUCTION prod-eu? It undoes what ran and closes #81"
    assert driver.lines[-1].startswith(" Type checkout: _")
    driver.key(*"checkou")
    assert driver.sent == []
    driver.key("t")
    assert [(send.path, send.body) for send in driver.sent] == [
        ("/v1/remediations/rr-4f2abc/cancel", {"reason": "", "version": 3})
    ]


def test_a_question_that_outlives_its_daemon_sends_nothing() -> None:
    driver = asked("down", "reject")
    driver.feed(Lost("the daemon closed its journal"))
    driver.key("y")
    assert driver.sent == []
    assert driver.state.prompt is None
    assert "nothing was sent: the daemon is DOWN" in driver.prompt_line


def test_a_question_on_a_screen_that_went_stale_sends_nothing() -> None:
    driver = asked(*DRAIN)
    driver.wait(20.0, heard=False)
    driver.feed(Pressed("n", "n", driver.at))
    driver.feed(Pressed("5", "5", driver.at))
    assert driver.sent == []
    assert driver.state.prompt is None
