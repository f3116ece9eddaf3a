"""What the terminal shows after any sequence of keys is what the console means it to show, cell by cell."""

import asyncio
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubernaut_tui.lines import fit, folded, plain, width_of
from kubernaut_tui.screens.texts import yaml
from kubernaut_tui.widgets.canvas import _changed, _shift

from .desk import desk
from .incidents import steady
from .terminal import terminal

pytestmark = pytest.mark.timeout(100)


def lines(*texts: str) -> list[tuple[tuple[str, str], ...]]:
    return [((text, ""),) for text in texts]


def test_the_span_between_first_and_last_differing_cell() -> None:
    assert _changed((("abcdef", ""),), (("abXdYf", ""),)) == (2, 5)
    assert _changed((("abc", ""), ("def", "dim")), (("abcdef", ""),)) == (3, 6)
    assert _changed((("日本", ""),), (("日曜", ""),)) == (2, 3)


def test_a_text_that_moved_is_recognised() -> None:
    old = lines("head", *"abcdefghij", "foot")
    assert _shift(old, lines("head", *"bcdefghijk", "foot")) == (1, 10, 1)
    assert _shift(old, lines("head", *"zabcdefghi", "foot")) == (1, 10, -1)
    assert _shift(old, lines("head", *"abcdefghiX", "foot"))[2] == 0
    assert _shift(old, lines("head", *"0123456789", "foot"))[2] == 0


@given(st.lists(st.text("ab 日x", max_size=12), max_size=5), st.integers(6, 30))
def test_folded_lines_keep_every_word(texts: list[str], width: int) -> None:
    parts = folded(tuple((text, "dim") for text in texts), width, 3)
    assert all(width_of(part) == width for part in parts)
    assert "".join("".join(plain(part).split()) for part in parts) == "".join("".join(texts).split())


async def test_scrolling_costs_little_and_loses_nothing(tmp_path: Path) -> None:
    async with desk(tmp_path) as home:
        for number in range(60):
            await home.hold(steady(f"rr-{number:06d}", f"app-{number:06d}"))
        async with terminal("--socket", home.socket) as tty:
            await tty.until("1 of 60", "LIVE")
            for _ in range(22):
                assert await tty.bytes_of(b"j") <= 1_200
            for _ in range(22):
                assert await tty.bytes_of(b"k") <= 1_200
            choice = random.Random(7)
            for _ in range(60):
                tty.send(
                    choice.choice([b"j", b"j", b"k", b" ", b"G", b"g", b"d", b"t", b"-", b"1", b"?", b"kk", b"jjj"])
                )
                await asyncio.sleep(choice.choice([0.0, 0.01, 0.05]))
            await tty.still(1.0)
            shown = _steady(tty.screen)
            tty.send(b"\x12")
            await asyncio.sleep(0.5)
            await tty.still()
            assert _steady(tty.screen) == shown


def _steady(screen: str) -> list[str]:
    """Without the clock's line and the notices' line, which time changes."""
    lines = screen.split("\n")
    return [*lines[1:22], lines[23]]


@pytest.mark.parametrize("width", [1, 2, 3])
def test_text_in_hardly_any_room_still_says_that_it_is_cut(width: int) -> None:
    assert fit("pod/checkout", width) == "pod"[: width - 1] + "…"


def test_a_long_text_is_broken_into_lines_once_and_not_with_every_key() -> None:
    text = "\n".join(f"key{n}: {'value ' * 30}" for n in range(50))
    first, again = (yaml({"yaml": text}, 80, wrap=True) for _ in range(2))
    assert len(first) > 100
    assert all(a is b for a, b in zip(first, again, strict=True))
