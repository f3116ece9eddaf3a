"""The daemon is killed at each persisted step of pattern B, before and after its commit, and nothing happens twice."""

from pathlib import Path

import pytest

from kubernaut.lab.simulated import SimulatedWorld

from .mortal import Death, Left, live_through
from .mortal_daemon import SIGNAL

STEPS = (
    SIGNAL,
    "assessment Processing",
    "assessment Decided, imperative Planning[], gitops Proposing (analysis+policy)",
    "imperative Validating[]",
    "imperative Executing[] (track)",
    "imperative Executing[Intended] (intent)",
    "imperative Executing[Applied] (mutation)",
    "imperative Verifying[Applied]",
    "imperative Completed[Applied] (verification)",
    "gitops Proposing (intent)",
    "gitops AwaitingMerge (pull-request)",
    " (pull-request)",
    "gitops Syncing (pull-request)",
    "gitops Syncing (sync)",
    "gitops Verifying (sync)",
    "gitops Completed (verification)",
)
"""Every step that each run of pattern B takes, the last of them being its end."""
LOOKS = {
    "assessment Analyzing",
    "assessment Analyzing (wait)",
    "imperative Verifying[Applied] (verification)",
    "gitops AwaitingMerge",
    "gitops Syncing",
    "gitops Verifying",
    "gitops Verifying (verification)",
}
"""What may be persisted in between, as often as there is nothing new to see."""


def assert_same_end(left: Left) -> None:
    """One restart, one branch, one pull request, one merge, and the cause mended."""
    assert left.phase == "Completed"
    assert left.tracks == ("imperative Completed", "gitops Completed")
    assert (left.remediations, left.restarts, left.branches, left.pull_requests, left.merges) == (1, 1, 1, 1, 1)
    assert left.mended
    assert left.journal_holds


async def test_these_are_all_the_steps(tmp_path: Path) -> None:
    async with SimulatedWorld(tmp_path / "w", timescale=0.05) as world:
        left = await live_through(world, tmp_path / "d", [])
    assert_same_end(left)
    assert {SIGNAL, *left.steps} - LOOKS == set(STEPS)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
async def test_a_kill_at(tmp_path: Path, step: str, when: str) -> None:
    async with SimulatedWorld(tmp_path / "w", timescale=0.05) as world:
        left = await live_through(world, tmp_path / "d", [(step, when)])
    last = (step, when) == (STEPS[-1], "after")
    assert left.died == ((step, when),) or (last and not left.died)
    assert_same_end(left)


@pytest.mark.timeout(400)  # some thirty starts of a daemon, each of which takes its time on a busy machine
async def test_a_daemon_that_dies_again_and_again(tmp_path: Path) -> None:
    deaths: list[Death] = [(step, when) for step in STEPS[1:-1] for when in ("before", "after")]
    async with SimulatedWorld(tmp_path / "w", timescale=0.05) as world:
        left = await live_through(world, tmp_path / "d", deaths)
    assert len(left.died) > 10
    assert_same_end(left)
