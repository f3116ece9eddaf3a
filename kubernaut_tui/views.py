"""Which screens there are, and what each is about."""

from dataclasses import dataclass
from enum import StrEnum


class Screen(StrEnum):
    """The kinds of views."""

    REMEDIATIONS = "remediations"
    DETAIL = "detail"
    DIFF = "diff"
    TIMELINE = "timeline"
    LOGS = "logs"
    YAML = "yaml"
    TREE = "tree"
    APPROVALS = "approvals"
    APPROVAL = "approval"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class View:
    """A screen and the id of what it shows: a remediation's, an approval's, or empty."""

    screen: Screen
    target: str = ""


LISTS = (Screen.REMEDIATIONS, Screen.APPROVALS)
START = View(Screen.REMEDIATIONS)
TABS = (Screen.DETAIL, Screen.TIMELINE, Screen.DIFF, Screen.LOGS, Screen.YAML, Screen.TREE)
"""The screens about one remediation, in the order in which `tab` goes through them."""
