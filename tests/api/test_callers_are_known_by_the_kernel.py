"""Who calls is what the kernel says of the other end of the socket; a caller without a role gets nothing."""

import asyncio
import contextlib
import grp
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gateway.house import House, house, me, my_group

from kubernaut.domain.approvals import Role
from kubernaut.server.principals import Directory, Membership

from .seeds import waiting

_NOBODY = 65534
_CALL = """
import http.client, os, socket, sys
uid, path, method, target, body = int(sys.argv[1]), *sys.argv[2:]
os.setgroups([]); os.setgid(uid); os.setuid(uid)
class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
connection = Connection("x", timeout=20)
try:
    connection.request(method, target, body or None)
except PermissionError:
    print(0, "{}"); sys.exit()
answer = connection.getresponse()
print(answer.status, answer.read().decode())
"""
as_root = pytest.mark.skipif(os.getuid() != 0, reason="another user can only be taken by root")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach; pytest's own are private, and so may be what TMPDIR names."""
    path = Path(tempfile.mkdtemp(prefix="kubernaut-test-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


async def _as_nobody(path: Path, method: str, target: str, body: str = "") -> tuple[int, dict[str, Any]]:
    command = [sys.executable, "-c", _CALL, str(_NOBODY), str(path), method, target, body]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    output, _ = await process.communicate()
    status, _, document = output.decode().partition(" ")
    return int(status), json.loads(document)


@as_root
async def test_another_user_can_not_even_connect(open_folder: Path) -> None:
    async with house(open_folder) as home:
        home.settings.state_dir.chmod(0o755)
        assert (await _as_nobody(home.running.socket, "GET", "/v1/status"))[0] == 0


@as_root
async def test_a_member_of_the_sockets_group_without_a_role_gets_nothing(open_folder: Path) -> None:
    group = grp.getgrgid(_NOBODY).gr_name
    async with house(open_folder, api={"group": group}) as home:
        await waiting(home)
        for method, target in (
            ("GET", "/v1/status"), ("GET", "/v1/remediations"), ("GET", "/v1/remediations/rr-aaaaaa"),
            ("GET", "/v1/remediations/rr-aaaaaa/yaml"), ("GET", "/v1/approvals"), ("GET", "/v1/pulls"),
            ("GET", "/v1/clusters"), ("GET", "/v1/journal"), ("POST", "/v1/arm"), ("POST", "/v1/signals"),
            ("POST", "/v1/remediations/rr-aaaaaa/cancel"), ("DELETE", "/v1/arm"),
        ):  # fmt: skip
            status, answer = await _as_nobody(home.running.socket, method, target, '{"reason": "x"}')
            assert (status, answer["error"]["code"]) == (403, "refused"), target
        assert "roles.viewer" in (await _as_nobody(home.running.socket, "GET", "/v1/status"))[1]["error"]["message"]


@as_root
async def test_a_viewer_sees_and_changes_nothing(open_folder: Path) -> None:
    group = grp.getgrgid(_NOBODY).gr_name
    roles = {"viewer": {"groups": [group]}, "approver": {"users": [me()]}}
    async with house(open_folder, api={"group": group}, roles=roles) as home:
        asked = await waiting(home)
        status, answer = await _as_nobody(home.running.socket, "GET", "/v1/status")
        assert (status, answer["me"]["role"]) == (200, "viewer")
        _, shown = await _as_nobody(home.running.socket, "GET", f"/v1/approvals/{asked.id}")
        assert shown["may_vote"] is False
        body = json.dumps({"verdict": "approve", "plan_hash": asked.plan_hash, "confirm": "y", "reason": "x"})
        for target in (f"/v1/approvals/{asked.id}/vote", "/v1/remediations/rr-aaaaaa/cancel", "/v1/arm", "/v1/signals"):
            assert (await _as_nobody(home.running.socket, "POST", target, body))[0] == 403
        assert (await home.ask("GET", f"/v1/approvals/{asked.id}"))[1]["phase"] == "Pending"


@as_root
async def test_the_group_passes_the_state_folder_and_reads_nothing_in_it(open_folder: Path) -> None:
    async with house(open_folder, api={"group": grp.getgrgid(_NOBODY).gr_name}) as home:
        assert home.settings.state_dir.stat().st_mode & 0o777 == 0o710
        assert home.running.socket.stat().st_mode & 0o777 == 0o660
        assert (home.settings.state_dir / "kubernaut.db").stat().st_mode & 0o077 == 0


async def test_a_caller_cannot_say_who_it_is(home: House) -> None:
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as sock:
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(sock, str(home.running.socket))
        await loop.sock_sendall(
            sock, b"GET /v1/status HTTP/1.1\r\nHost: x\r\nX-Remote-User: ana\r\nAuthorization: Bearer x\r\n\r\n"
        )
        answer = b""
        while b'"role"' not in answer:
            answer += await loop.sock_recv(sock, 65536)
    assert f'"name":"{me()}"'.encode() in answer


async def test_my_own_groups_give_a_role(tmp_path: Path) -> None:
    roles = {role.value: {"users": [], "groups": []} for role in Role} | {"senior": {"groups": [my_group()]}}
    async with house(tmp_path, roles=roles) as home:
        _, answer = await home.ask("GET", "/v1/status")
        assert answer["me"]["role"] == "senior"
        assert my_group() in answer["me"]["groups"]


def test_the_highest_role_counts() -> None:
    def members(*users: str, groups: tuple[str, ...] = ()) -> Membership:
        return Membership(frozenset(users), frozenset(groups))

    directory = Directory(
        {
            Role.VIEWER: members("ana", groups=("all",)),
            Role.APPROVER: members(groups=("sre",)),
            Role.ADMIN: members("eva"),
        }
    )
    assert directory.principal("ana", ()).role is Role.VIEWER
    assert directory.principal("ana", ("sre", "all")).role is Role.APPROVER
    assert directory.principal("eva", ("all",)).role is Role.ADMIN
    assert directory.principal("sre", ()).role is None
    assert directory.principal("max", ("ana", "eva")).role is None
