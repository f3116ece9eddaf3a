"""0 done, 1 failed, 2 bad input, 3 refused, 4 not found, 5 no daemon; and the message says what to do."""

import asyncio
import json
import signal
import socket
from pathlib import Path

import pytest
from api.seeds import waiting
from gateway.house import House, house

from .shell import KUBERNAUT, kubernaut, on_a_terminal

COMMANDS = (
    (), ("daemon",), ("config",), ("config", "check"), ("config", "show"), ("config", "example"), ("get",), ("get", "rr"),
    ("get", "approvals"), ("get", "clusters"), ("describe",), ("describe", "rr"), ("watch",), ("approve",), ("reject",),
    ("cancel",), ("escalate",), ("note",),
    ("pr",), ("pr", "list"), ("signal",), ("signal", "create"), ("diagnose",), ("policy",), ("policy", "check"),
    ("policy", "test"), ("policy", "eval"), ("policy", "explain"), ("actions",), ("demo",),
)  # fmt: skip
NOT_THERE_YET = ("plan", "audit", "breakglass", "doctor")


async def test_every_command_explains_itself() -> None:
    async def check(words: tuple[str, ...]) -> None:
        said = await kubernaut(None, *words, "--help")
        assert said.status == 0, words
        assert said.out.startswith(f"Usage: {' '.join(('kubernaut', *words))} "), words
        assert len(said.out.splitlines()) >= 5, words
        described = [line for line in said.out.splitlines()[1:] if line.startswith("  ") and len(line.split()) >= 3]
        assert described, words
        assert words in ((), ("demo",)) or "Example" in said.out, words

    for start in range(0, len(COMMANDS), 4):
        await asyncio.gather(*(check(words) for words in COMMANDS[start : start + 4]))


async def test_what_does_not_exist_does_not_pretend_to() -> None:
    for words in (*((name,) for name in NOT_THERE_YET), ("policy", "replay"), ("get", "pods"), ("describe", "node")):
        said = await kubernaut(None, *words)
        assert (said.status, said.out) == (2, ""), words
        assert "No such command" in said.err, words


async def test_without_a_daemon_it_says_what_to_do(tmp_path: Path) -> None:
    for arguments in (("get", "rr"), ("approve", "rr-aaaaaa", "--confirm", "y"), ("watch",), ("watch", "--after", "0")):
        said = await kubernaut(None, *arguments, cwd=str(tmp_path))
        assert said.status == 5
        assert "kubernaut daemon" in said.err
        assert "--socket" in said.err
    said = await kubernaut(None, "get", "rr", "--socket", str(tmp_path / "nowhere.sock"))
    assert (said.status, "nowhere.sock" in said.err) == (5, True)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead.sock"))
        said = await kubernaut(None, "get", "rr", "--socket", str(tmp_path / "dead.sock"))
    assert (said.status, "no daemon answers" in said.err) == (5, True)


async def test_the_daemon_is_found_where_its_configuration_says(home: House, tmp_path: Path) -> None:
    config = tmp_path / "kubernaut.yaml"
    config.write_text(f"api: {{socket: {home.running.socket}}}\n")
    for env in (
        {"KUBERNAUT_API__SOCKET": str(home.running.socket)}, {"KUBERNAUT_CONFIG": str(config)},
        {"KUBERNAUT_STATE_DIR": str(home.settings.state_dir)},
        {"KUBERNAUT_API__SOCKET": "", "KUBERNAUT_CONFIG": str(config)},
    ):  # fmt: skip
        assert (await kubernaut(None, "get", "rr", env=env, cwd="/")).status == 0, env
    said = await kubernaut(None, "get", "rr", env={"KUBERNAUT_CONFIG": str(tmp_path / "gone.yaml")}, cwd="/")
    assert said.status == 5


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("get", "rr"), 0, ""),
        (("gett", "rr"), 2, "gett"),
        (("get", "rr", "--limit", "0"), 2, "--limit"),
        (("get", "rr", "--phase", "Nowhere"), 2, "phase"),
        (("get", "rr", "rr-zzzzzz"), 4, "rr-zzzzzz"),
        (("describe", "rr", "rr-zzzzzz"), 4, "rr-zzzzzz"),
        (("approve", "rr-zzzzzz", "--confirm", "y"), 4, "asks for nothing"),
        (("cancel", "rr-aaaaaa"), 2, "--reason"),
        (("signal", "create", "deployment/ghost", "-n", "shop"), 4, "ghost"),
        (("signal", "create", "deployment"), 2, "KIND/NAME"),
    ],
)
async def test_the_status_is_the_outcome(home: House, arguments: tuple[str, ...], status: int, says: str) -> None:
    said = await kubernaut(home, *arguments)
    assert said.status == status, said
    assert says in said.err


async def test_refused_is_three(tmp_path: Path) -> None:
    async with house(
        tmp_path, roles={"approver": {"users": []}, "senior": {"users": []}, "admin": {"users": []}}
    ) as home:
        said = await kubernaut(home, "get", "rr")
    assert said.status == 3
    assert "roles.viewer" in said.err


async def test_production_without_a_reason_is_refused(home: House) -> None:
    await waiting(home)
    said = await kubernaut(home, "approve", "rr-aaaaaa", "--confirm", "y")
    assert said.status == 3
    assert "reason" in said.err


async def test_approving_by_script(home: House) -> None:
    asked = await waiting(home, confirm="checkout")
    said = await kubernaut(home, "approve", "rr-aaaaaa", "--reason", "seen")
    assert (said.status, "--confirm checkout" in said.err) == (2, True)
    said = await kubernaut(home, "approve", "rr-aaaaaa", "--reason", "seen", "--confirm", "y")
    assert said.status == 2
    said = await kubernaut(
        home, "approve", asked.id, "--reason", "seen", "--confirm", "checkout", "--plan-hash", "0" * 12
    )
    assert (said.status, "look again" in said.err) == (1, True)
    said = await kubernaut(
        home, "approve", asked.id, "--reason", "seen", "--confirm", "checkout", "--plan-hash", asked.plan_hash[:12], "-o", "json"
    )  # fmt: skip
    assert said.status == 0, said
    assert json.loads(said.out)["phase"] == "Approved"
    said = await kubernaut(home, "reject", asked.id, "--reason", "late")
    assert said.status == 1


async def test_approving_by_hand(home: House) -> None:
    await waiting(home, confirm="checkout")
    said = await on_a_terminal(home, "approve", "rr-aaaaaa", types="checkou\n")
    assert said.status == 2
    assert "its pods are stale" in said.out
    assert (await home.ask("GET", "/v1/approvals/ap-rr-aaaaaa"))[1]["phase"] == "Pending"
    said = await on_a_terminal(home, "approve", "rr-aaaaaa", types="checkout\nI looked\n")
    assert said.status == 0, said
    _, after = await home.ask("GET", "/v1/approvals/ap-rr-aaaaaa")
    assert (after["phase"], after["votes"][0]["reason"]) == ("Approved", "I looked")


async def test_rejecting_and_cancelling(home: House) -> None:
    await waiting(home, "rr-aaaaaa", "a")
    await waiting(home, "rr-aaaaab", "b")
    assert (await kubernaut(home, "reject", "rr-aaaaaa", "--reason", "no")).status == 0
    assert (await home.ask("GET", "/v1/approvals/ap-rr-aaaaaa"))[1]["phase"] == "Rejected"
    assert (await kubernaut(home, "cancel", "rr-aaaaab", "--reason", "no")).status == 0
    track = (await home.running.store.remediation("rr-aaaaab")).imperative  # type: ignore[union-attr]
    assert track is not None
    assert track.cancel_requested


async def test_taking_over_and_noting(home: House) -> None:
    await waiting(home)
    assert (await kubernaut(home, "note", "rr-aaaaaa", "the disk is replaced tomorrow")).status == 0
    assert (await kubernaut(home, "note", "rr-aaaaaa", "")).status == 2
    assert (await kubernaut(home, "escalate", "rr-aaaaaa")).status == 2
    assert (await kubernaut(home, "escalate", "rr-zzzzzz", "--reason", "mine")).status == 4
    said = await kubernaut(home, "escalate", "rr-aaaaaa", "--reason", "mine")
    assert (said.status, "is yours" in said.out) == (0, True)
    track = (await home.running.store.remediation("rr-aaaaaa")).imperative  # type: ignore[union-attr]
    assert track is not None
    assert "mine" in track.handed_over
    assert "the disk is replaced tomorrow" in [entry.message for entry in await home.running.store.journal(0, 100)]


async def test_an_id_that_no_request_could_hold_is_not_found(home: House) -> None:
    for odd in ("rr-a b", "rr-ä", "rr-a\nb", "rr-%20"):
        for words in (("cancel", odd, "--reason", "x"), ("escalate", odd, "--reason", "x"), ("note", odd, "x")):
            said = await kubernaut(home, *words)
            assert (said.status, said.out) == (4, ""), said
            assert "there is no remediation" in said.err


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [(("cancel", "rr-aaaaaa", "--reason", "x"), 1, "whether it was done is not known"), (("get", "rr"), 130, "\n")],
    ids=["a change", "a look"],
)
async def test_whoever_interrupts_a_change_is_not_told_that_nothing_changed(
    tmp_path: Path, words: tuple[str, ...], status: int, says: str
) -> None:
    asked, ended = asyncio.Event(), asyncio.Event()

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await ended.wait()
        writer.close()

    path = tmp_path / "silent.sock"
    async with await asyncio.start_unix_server(never, path), asyncio.timeout(60):
        process = await asyncio.create_subprocess_exec(
            *KUBERNAUT, *words, "--socket", str(path), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        await asked.wait()
        process.send_signal(signal.SIGINT)
        _, said = await process.communicate()
        ended.set()
    assert process.returncode == status
    assert says in said.decode()
    assert "nothing was changed" not in said.decode()
