"""OSC 52: text offered to the terminal's clipboard, through tmux and screen where they are in between."""

import base64
import os
from collections.abc import Mapping

_SCREEN_CHUNK = 700
"""GNU screen drops device control strings longer than 768 bytes."""


def offer(text: str, environ: Mapping[str, str] | None = None) -> str:
    """The bytes that offer the text. Whether the terminal takes it can't be known."""
    env = os.environ if environ is None else environ
    sequence = f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\x07"
    if "TMUX" in env:
        return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if "STY" in env:
        parts = [sequence[i : i + _SCREEN_CHUNK] for i in range(0, len(sequence), _SCREEN_CHUNK)]
        return "".join(f"\x1bP{part}\x1b\\" for part in parts)
    return sequence
