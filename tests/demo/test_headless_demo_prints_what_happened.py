"""Without a person the demo plays the engineer, says so, and prints one JSON object a scenario."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

from .running import COMMAND, environment, nothing_left

KEYS = {"scenario", "pattern", "outcome", "tracks", "signal_to_mutation_s"}


async def run(tmp: Path, *arguments: str) -> tuple[int, str, str]:
    """The demo to its end: status, standard output, standard error."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=PIPE, env=environment(tmp)
    )
    out, errors = await process.communicate()
    return process.returncode or 0, out.decode(), errors.decode()


async def test_json_has_one_object_a_scenario_and_nothing_else(tmp: Path) -> None:
    status, out, told = await run(tmp, "--headless", "--scenario", "11", "--json")
    assert status == 0, told
    (document,) = [json.loads(line) for line in out.splitlines()]
    assert document.keys() >= KEYS
    assert document["scenario"] == 11
    assert (document["pattern"], document["outcome"]) == ("D", "Completed")
    assert document["tracks"] == {"imperative": "Completed", "gitops": None}
    assert document["signal_to_mutation_s"] > 0
    assert document["engineer"] == ["approved drain-node of media-1"]
    assert document["healthy"]
    assert document["mended"]
    assert "the demo plays the engineer" in told
    await nothing_left(tmp)


async def test_a_change_that_only_git_makes_has_no_seconds_to_a_mutation(tmp: Path) -> None:
    status, out, told = await run(tmp, "--scenario", "5", "--json")
    assert status == 0, told
    document = json.loads(out)
    assert document["signal_to_mutation_s"] is None
    assert document["tracks"] == {"imperative": None, "gitops": "Completed"}


async def test_without_a_terminal_one_incident_is_told_wherever_temporary_files_are(tmp: Path) -> None:
    status, out, errors = await run(tmp / ("far-away-" * 12))  # too long for the path of a socket
    assert status == 0, errors
    assert errors == ""
    assert "standard input is no terminal: no console, an incident is told instead" in out
    assert "export KUBECONFIG=" in out
    assert "merged #1 in fleet (headless demo: the demo plays the engineer)" in out
    assert "scenario 1 Completed" in out


_LOGGING = """
import asyncio, structlog
from kubernaut.lab.demo import aside
from kubernaut.lab.scene import Wanted, scene
async def main():
    async with scene(Wanted(()), aside) as on:
        structlog.get_logger().warning("the world says something")
        print((on.aftermath.folder / "world.log").read_text().count("the world says something"))
asyncio.run(main())
"""


async def test_what_the_world_logs_stands_between_no_objects(tmp: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _LOGGING, stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=PIPE, env=environment(tmp)
    )
    out, errors = await process.communicate()
    assert (process.returncode, out) == (0, b"1\n"), errors.decode()
    assert b"the world says" not in errors
    await nothing_left(tmp)


async def test_help_and_wrong_numbers_say_what_there_is(tmp: Path) -> None:
    status, out, _ = await run(tmp, "--help")
    assert status == 0
    assert "plays the engineer" in " ".join(out.split())
    assert all(option in out for option in ("--scenario", "--headless", "--json", "--genuine", "--keep", "--list"))
    status, out, _ = await run(tmp, "--list")
    assert status == 0
    assert len(out.splitlines()) >= 7
    for wrong in ("99", "x"):
        status, out, errors = await run(tmp, "--scenario", wrong, "--json")
        assert (status, out) == (2, "")
        assert wrong in errors
