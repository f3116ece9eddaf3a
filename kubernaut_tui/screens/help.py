"""Help, made from the key table: what works on the screen one came from comes first."""

from kubernaut_tui.keys import COMMANDS, KEYS, Key
from kubernaut_tui.lines import Line, cut, fit, folded, line
from kubernaut_tui.state import State
from kubernaut_tui.views import Screen

_LEGEND = (
    "!  needs you   >  running   x  failed or handed over   -  set aside   .  done",
    "K8S is the mitigation now, GIT the permanent fix: #81? waits for its merge,",
    "#81> is on its way, #81+ is live, #81x closed or failed.",
    "LIVE: what you see is what is.",
)


def help_lines(state: State, width: int) -> list[Line]:
    """Keys by section, commands, legend."""
    came_from = state.views[-2].screen if len(state.views) > 1 else Screen.REMEDIATIONS
    here = [k for k in KEYS if k.screens and came_from in k.screens]
    everywhere = [k for k in KEYS if not k.screens]
    elsewhere = [k for k in KEYS if k.screens and came_from not in k.screens]
    lines = _section(f"On {came_from}", [k for k in here if not k.changing], width)
    lines += _section("Asks first, then changes", [k for k in here if k.changing], width)
    lines += _section("Everywhere", everywhere, width)
    lines += [cut(line((" Commands", "accent strong")), width)]
    for name, text in COMMANDS:
        lines += folded(line((f"   :{fit(name, 14)}", "strong"), text), width, 18)
    lines += [cut(line((" Marks", "accent strong")), width)]
    lines += [part for text in _LEGEND for part in folded(line("   " + text), width, 6)]
    lines += _section("On other screens", elsewhere, width)
    return lines


def _section(title: str, keys: list[Key], width: int) -> list[Line]:
    if not keys:
        return []
    lines = [cut(line((f" {title}", "accent strong")), width)]
    for key in keys:
        told = line((f"   {fit(key.shown, 7)}", "strong"), (fit(key.label, 14), ""), (key.tooltip, "dim"))
        lines += folded(told, width, 24)
    return lines
