"""A commit's diff tells what a key's value was, wherever teams write values, and never more than it says."""

from datetime import timedelta

import pytest

from kubernaut.diagnosis.case import Case
from kubernaut.diagnosis.history import before
from kubernaut.domain.facts import Commit

from .cluster import NOW, Cluster


def old_value(*diffs: str, live: str | None = "2 minutes") -> str | None:
    """What the commits, newest first, say that TIMEOUT was."""
    cluster = Cluster()
    cluster.commits = tuple(
        Commit(f"c{i}", NOW - timedelta(hours=i), "Ada", "subject", diff) for i, diff in enumerate(diffs)
    )
    found = before(Case(cluster.snapshot()), "TIMEOUT", live)
    return found[0] if found else None


@pytest.mark.parametrize(
    "diff",
    [
        "-  TIMEOUT: 30s   # slow banks\n+  TIMEOUT: 2 minutes   # slower banks\n",
        "-  TIMEOUT: '30s'\n+  TIMEOUT: \"2 minutes\"\n",
        '-  "TIMEOUT": 30s\n+  "TIMEOUT": 2 minutes\n',
        "-      - TIMEOUT=30s\n+      - TIMEOUT=2 minutes\n",
        "-TIMEOUT=30s\n+TIMEOUT=2 minutes\n",
        "--- a/c.yaml\n+++ b/c.yaml\n@@ -1,3 +1,3 @@\n MY_TIMEOUT: 5\n-  TIMEOUT: 30s\n+  TIMEOUT: 2 minutes\n",
    ],
)
def test_the_value_before_is_read_from_the_diff(diff: str) -> None:
    assert old_value(diff) == "30s"


def test_a_commit_that_does_not_touch_the_key_is_passed_over() -> None:
    assert old_value("-  RETRIES: 5\n+  RETRIES: 6\n", "-  TIMEOUT: 30s\n+  TIMEOUT: 2 minutes\n") == "30s"


@pytest.mark.parametrize(
    "diffs",
    [
        (
            "-  TIMEOUT: 2 minutes\n+  TIMEOUT: 60s\n",
            "-  TIMEOUT: 30s\n+  TIMEOUT: 2 minutes\n",
        ),  # mended in Git already
        ("+  TIMEOUT: 2 minutes\n",),  # it was never anything else
        ("-  TIMEOUT: |\n-    30s\n+  TIMEOUT: 2 minutes\n",),  # goes on in the next lines
        ("-  TIMEOUT: 30s\n-  TIMEOUT: 45s\n+  TIMEOUT: 2 minutes\n",),  # two places, which one?
        ("-  TIMEOUT: 30s\n+  TIMEOUT: 3 minutes\n",),  # another place's value
        ("-  MY_TIMEOUT: 30s\n+  MY_TIMEOUT: 2 minutes\n",),
        (),
    ],
)
def test_nothing_is_guessed(diffs: tuple[str, ...]) -> None:
    assert old_value(*diffs) is None


def test_a_removed_key_comes_from_the_commit_that_removed_it() -> None:
    assert old_value("-  TIMEOUT: 30s\n", live=None) == "30s"
    assert old_value("-  TIMEOUT: 30s\n+  TIMEOUT: 1m\n", live=None) is None
