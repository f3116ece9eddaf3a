"""`kubernaut pr` against the real API on a Unix socket, the real store and a real bare repository."""

import asyncio
import getpass
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from click.testing import CliRunner, Result
from forge_world import PATH, URL, Colleague, StillClock, memory_request

from kubernaut.adapters.forge.local import LocalForge
from kubernaut.adapters.store import SqliteStore
from kubernaut.cli.exits import status_of
from kubernaut.cli.pr import pr
from kubernaut.domain.approvals import Role
from kubernaut.domain.errors import KubernautError
from kubernaut.domain.proposals import PullRequest
from kubernaut.pipeline.control import ControlDesk
from kubernaut.pipeline.intake import IntakeDesk
from kubernaut.pipeline.pulls import PullDesk
from kubernaut.pipeline.voting import VotingDesk
from kubernaut.server.api.app import application
from kubernaut.server.api.services import Services
from kubernaut.server.arming import Arms
from kubernaut.server.principals import Directory, Membership

Command = Callable[..., "asyncio.Future[Result]"]


@pytest.fixture
async def socket(forge: LocalForge, clock: StillClock, tmp_path: Path) -> AsyncIterator[Path]:
    store = await SqliteStore.open(tmp_path / "kubernaut.db", clock)
    nudge = lambda: None  # noqa: E731 - nobody sleeps in this test
    me = Membership(frozenset({getpass.getuser()}), frozenset())
    services = Services(
        store, {}, forge, None, IntakeDesk(store, {}, clock, 300, nudge), VotingDesk(store, clock, nudge),  # type: ignore[arg-type]
        ControlDesk(store, clock, nudge), PullDesk(store, forge, clock, nudge), Directory({Role.SENIOR: me}),
        Arms(clock), clock, {},
    )  # fmt: skip
    app, journal = application(services)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, str(tmp_path / "k.sock")).start()
    yield tmp_path / "k.sock"
    journal.close()
    await runner.cleanup()
    await store.close()


@pytest.fixture
async def pull(forge: LocalForge, colleague: Colleague) -> PullRequest:
    return await forge.propose(memory_request(colleague.tip()))


async def run(socket: Path, *arguments: str) -> Result:
    call = [*arguments, "--socket", str(socket)]
    return await asyncio.to_thread(CliRunner().invoke, pr, call)


def document(result: Result) -> Any:
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def status(result: Result) -> tuple[int, str]:
    assert isinstance(result.exception, KubernautError), (result.output, result.exception)
    return status_of(result.exception), str(result.exception)


async def test_list_and_show(socket: Path, pull: PullRequest) -> None:
    listed = await run(socket, "list")
    assert listed.stdout.splitlines() == [
        "PULL    STATE  REMEDIATION  NEEDS   TITLE",
        "shop/1  open   rr-2a3b4c    senior  Raise the memory limit of shop/checkout to 256Mi",
    ]
    assert document(await run(socket, "list", "-o", "json", "--state", "merged")) == {"items": []}
    shown = await run(socket, "show", "rr-2a3b4c")
    assert f"diff --git a/{PATH} b/{PATH}" in shown.stdout
    assert "-              memory: 128Mi # measured in May\n+              memory: 256Mi # measured" in shown.stdout
    assert document(await run(socket, "show", "1", "-o", "json"))["head_commit"] == pull.head_commit


async def test_merge(socket: Path, pull: PullRequest, colleague: Colleague) -> None:
    merged = await run(socket, "merge", "shop/1", "--yes", "--reason", "seen")
    assert merged.stdout == f"merged shop/1 into main as {colleague.tip()[:12]}\n"
    assert "memory: 256Mi" in colleague.show(f"main:{PATH}")
    again = document(await run(socket, "merge", "shop#1", "--yes", "--reason", "seen", "-o", "json"))
    assert (again["state"], again["merge_commit"]) == ("merged", colleague.tip())


async def test_what_was_not_seen_is_not_merged(socket: Path, pull: PullRequest, colleague: Colleague) -> None:
    before = colleague.tip()
    other = await run(socket, "merge", "shop/1", "--yes", "--reason", "x", "--expected-head", before)
    assert status(other)[0] == 1
    nobody = await run(socket, "merge", "shop/1", "--reason", "x")
    assert status(nobody) == (2, "--yes: nobody to ask: standard input is no terminal; say --yes")
    unexplained = await run(socket, "merge", "shop/1", "--yes")
    assert status(unexplained)[0] == 3
    assert colleague.tip() == before


async def test_yes_and_no_are_shown_with_who_said_them(socket: Path, pull: PullRequest) -> None:
    me = getpass.getuser()
    said = await run(socket, "reject", "1", "--yes", "--reason", "too much\x1b[2J")
    assert said.stdout == "rejected shop/1: senior\n"
    shown = (await run(socket, "show", "1")).stdout.splitlines()
    assert "needs to be merged: senior" in shown
    assert f"check kubernaut/approvals: failure, rejected by {me}" in shown
    assert f"review by {me}: reject: too much [2J" in shown
    assert status(await run(socket, "merge", "1", "--yes", "--reason", "x"))[1].startswith(f"{me} rejected this commit")
    assert (await run(socket, "approve", "1", "--yes", "--reason", "on second thoughts")).exit_code == 0
    reviews = document(await run(socket, "show", "1", "-o", "json"))["reviews"]
    assert [(r["reviewer"], r["verdict"], r["current"]) for r in reviews] == [(me, "approve", True)]
    assert (await run(socket, "merge", "1", "--yes", "--reason", "x")).exit_code == 0
    assert status(await run(socket, "approve", "1", "--yes", "--reason", "late"))[0] == 3


async def test_close(socket: Path, pull: PullRequest, forge: LocalForge) -> None:
    assert (await run(socket, "close", "1", "--yes", "--reason", "no")).stdout == "closed shop/1\n"
    assert (await forge.pull_request(URL, 1)).state == "closed"
    assert status(await run(socket, "merge", "1", "--yes", "--reason", "late"))[0] == 3


@pytest.mark.parametrize(
    ("name", "expected"), [("shop/7", 4), ("other/1", 4), ("7", 4), ("rr-aaaaaa", 4), ("a b", 2), ("../x", 2)]
)
async def test_names_that_fit_nothing(socket: Path, pull: PullRequest, name: str, expected: int) -> None:
    assert status(await run(socket, "show", name))[0] == expected
