"""Whatever names, causes and logs contain: no line is wider than the terminal and nothing in it steers the terminal."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubernaut_tui.events import Loaded
from kubernaut_tui.lines import clean, width_of
from kubernaut_tui.widgets.canvas import _cells, _changed

from .documents import Driver, page, reply

NASTY = (
    "\x1b[2J\x1b[1;1H", "\x1b]52;c;ZXZpbA==\x07", "\x9b31m", "日本語のポッド名", "e\u0301" * 9, "a" + "\u0300" * 60,
    "\u202egnirts lortnoc", "שלום עולם", "السلام عليكم", "👩\u200d👩\u200d👧", "❤\ufe0f", "🇩🇪🇫🇷", "\u200b\u200c\u2060", "\ud800",
    "\u1160\u3164", "\U000e0041", "tab\tnew\nline\rback\x08", "\u061c\u2066\u2069", "x" * 300,
)  # fmt: skip
_SCREENS = ("list", "open", "timeline", "diff", "logs", "yaml", "tree", "approvals")


def _strings(document: Any, text: str) -> Any:
    """The document with the text in every place that holds words of a cluster or a person."""
    keys = {
        "story", "cause", "reason", "message", "name", "namespace", "field", "value", "object", "summary", "outcome", "actor",
        "text", "yaml", "before", "after", "path", "title", "url", "branch", "base", "state", "because", "rollback", "why_not",
        "rule", "pod", "container", "environment", "cluster", "source",
    }  # fmt: skip
    if isinstance(document, dict):
        return {k: text if k in keys and isinstance(v, str) else _strings(v, text) for k, v in document.items()}
    if isinstance(document, list):
        return [text if isinstance(each, str) else _strings(each, text) for each in document]
    return document


def _shown(text: str, width: int, height: int) -> Iterator[Driver]:
    """Every screen on which the text can be, wrapped and cut."""
    driver = Driver(width, height)
    driver.hold = True
    for screen in _SCREENS:
        for wrap in (False, True):
            driver.press("list", screen, *(["wrap"] if wrap else []))
            for load in driver.held:
                document = reply(load) if load.kind not in ("page", "rows") else page()
                driver.feed(Loaded(load, document if load.kind == "status" else _strings(document, text)))
            driver.held.clear()
            yield driver


@pytest.mark.parametrize(("width", "height"), [(60, 20), (132, 40)])
@pytest.mark.parametrize("text", NASTY, ids=lambda text: ascii(text)[:24])
def test_nasty_text_breaks_no_screen(text: str, width: int, height: int) -> None:
    for driver in _shown(text, width, height):
        for line in driver.lines:
            assert line.isprintable(), ascii(line)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=120), st.integers(20, 140))
def test_any_text_breaks_no_screen(text: str, width: int) -> None:
    for driver in _shown(text, width, 24):
        assert all("\x1b" not in line and "\n" not in line for line in driver.lines)


@given(st.text(max_size=80))
def test_clean_text_is_clean_and_stays_so(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 or 0xD800 <= ord(c) < 0xE000 for c in once)


def test_letters_of_other_scripts_are_kept() -> None:
    assert clean("日本語 שלום é") == "日本語 שלום é"


def test_marks_do_not_pile_up_over_other_lines() -> None:
    assert len(clean("a" + "\u0300" * 60)) == 4


def test_a_combining_mark_that_came_or_went_is_painted() -> None:
    assert _changed((("cafe ", ""),), (("cafe\u0301 ", ""),)) == (3, 4)
    assert len(_cells((("e\u0301日", ""),))) == 3


@given(st.text(max_size=40).map(clean), st.text(max_size=40).map(clean))
def test_what_differs_is_always_within_the_painted_span(a: str, b: str) -> None:
    first, last = _changed(((a, ""),), ((b, ""),))
    assert (first, last) != (0, 0) or _cells(((a, ""),)) == _cells(((b, ""),))
    assert last <= max(width_of(((a, ""),)), width_of(((b, ""),)))
