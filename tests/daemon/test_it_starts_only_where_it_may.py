"""What stands in the way of a start is one sentence that names the key, and an exit status."""

import socket
import stat
from pathlib import Path

import yaml
from gateway.house import CLUSTER

from kubernaut.lab.house import Daemon

from .process import Life, run


def _start(config: Path, **env: str) -> tuple[int, str]:
    result = run("daemon", "--config", str(config), env=env)
    assert "Traceback" not in result.stderr
    return result.returncode, result.stderr


async def test_a_second_daemon_on_the_same_state_is_refused(one: Life) -> None:
    await one.start()
    status, said = _start(one.config)
    assert status == 1
    assert "another kubernaut" in said
    assert "state_dir" in said
    async with one.house.client() as client:
        assert (await client.get("/v1/status"))["me"]["role"] == "admin"


async def test_a_second_daemon_on_the_same_socket_is_refused(one: Life, tmp_path: Path) -> None:
    await one.start()
    status, said = _start(
        one.config, KUBERNAUT_STATE_DIR=str(tmp_path / "other"), KUBERNAUT_GATEWAY__LISTEN="127.0.0.1:0"
    )
    assert status == 2
    assert "api.socket" in said
    assert "another daemon listens" in said
    assert one.house.socket.is_socket()
    async with one.house.client() as client:
        await client.get("/v1/status")


async def test_a_port_in_use_is_told(one: Life) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", one.house.port))
        taken.listen()
        status, said = _start(one.config)
    assert status == 2
    assert f"gateway.listen: can't listen on 127.0.0.1:{one.house.port}" in said


def _plain(tmp_path: Path) -> Daemon:
    daemon = Daemon(tmp_path / "d", kubeconfig=None, cluster=CLUSTER)
    daemon.write()
    return daemon


def test_a_file_that_is_no_socket_is_never_removed(tmp_path: Path) -> None:
    daemon = _plain(tmp_path)
    daemon.socket.write_text("precious")
    status, said = _start(daemon.config)
    assert status == 2
    assert "is no socket" in said
    assert daemon.socket.read_text() == "precious"


def test_a_socket_path_that_is_too_long_is_told(tmp_path: Path) -> None:
    daemon = _plain(tmp_path)
    status, said = _start(daemon.config, KUBERNAUT_API__SOCKET=str(tmp_path / ("x" * 120)))
    assert status == 2
    assert "api.socket" in said
    assert "107" in said


def test_an_unknown_group_is_told(tmp_path: Path) -> None:
    status, said = _start(_plain(tmp_path).config, KUBERNAUT_API__GROUP="no-such-group-anywhere")
    assert status == 2
    assert "api.group" in said
    assert "no-such-group-anywhere" in said


def test_missing_tokens_are_told(tmp_path: Path) -> None:
    status, said = _start(_plain(tmp_path).config, KUBERNAUT_GATEWAY__TOKENS_FILE="nowhere.txt")
    assert status == 2
    assert "gateway.tokens_file" in said
    assert str(tmp_path / "d" / "nowhere.txt") in said


def test_a_policy_with_a_syntax_error_is_told_by_file_and_line(tmp_path: Path) -> None:
    daemon = _plain(tmp_path)
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "approval.rego").write_text("package kubernaut.approval\n\ndecision := {\n")
    status, said = _start(daemon.config, KUBERNAUT_POLICIES__DIR=str(folder))
    assert status == 2
    assert "approval.rego:" in said


def test_what_is_in_the_way_is_told_by_the_line_that_names_it(tmp_path: Path) -> None:
    daemon = _plain(tmp_path)
    text = daemon.config.read_text()
    (tmp_path / "file").write_text("")
    for section, wrong, says in (
        ("state_dir", f"state_dir: {tmp_path}/file/state", "file/state can't be used: it is not a folder"),
        ("clusters", "clusters: [{name: a}]", "clusters[0].kubeconfig: is missing, and this is no pod"),
        ("policies", f"policies: {{dir: {tmp_path}/nowhere}}", "policies.dir: "),
        ("forge", f"forge: {{root: {tmp_path}/file}}", "forge.root: "),
    ):
        others = yaml.safe_load(text)
        others.pop(section, None)
        daemon.config.write_text(yaml.safe_dump(others) + wrong + "\n")
        line = len(daemon.config.read_text().splitlines())
        status, said = _start(daemon.config)
        assert status == 2, said
        assert said.startswith(f"kubernaut: {daemon.config}:{line}: "), said
        assert says in said


async def test_socket_and_state_are_closed_to_others(one: Life) -> None:
    await one.start()
    mode = one.house.socket.stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o660
    assert stat.S_IMODE(one.house.state_dir.stat().st_mode) == 0o700
    for file in one.house.state_dir.glob("kubernaut.db*"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
