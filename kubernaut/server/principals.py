"""Who calls: the kernel says which process is at the other end of a Unix socket, the configuration says what it may do.

What the user is called and which groups it has the machine's directory tells, and that may be a server far away which is
silent just now (sssd, LDAP). So it is asked in threads of its own, and who can't be named in time may do nothing.
"""

import asyncio
import grp
import os
import pwd
import socket
import struct
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from aiohttp import web

from kubernaut.domain.approvals import Principal, Role
from kubernaut.domain.errors import Refused, Temporary

_REMEMBERED_S = 30.0
"""How long a user's groups are remembered: asking the directory may take a while, and it would be asked at every call."""
_LOOK_UP_S = 5.0
_THREADS = 4
_CREDENTIALS = struct.Struct("3i")
"""struct ucred: pid, uid, gid. Source: unix(7), SO_PEERCRED."""


@dataclass(frozen=True, slots=True)
class Membership:
    """Users and groups that have a role."""

    users: frozenset[str]
    groups: frozenset[str]


def named(uid: int, gid: int) -> tuple[str, list[str]]:
    """A user's name and groups as this machine's directory tells them; `uid:1234` where it knows no name. May take long."""
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid:{uid}", [f"gid:{gid}"]
    return name, _group_names(name, gid)


class Directory:
    """Gives principals their roles.

    Args:
        roles: role → who has it.
        look_up: user and group number → name and groups; called in a thread.
        look_up_s: how long a caller waits for that.
    """

    def __init__(
        self, roles: Mapping[Role, Membership], look_up: Callable[[int, int], tuple[str, list[str]]] = named,
        look_up_s: float = _LOOK_UP_S,
    ) -> None:  # fmt: skip
        self._roles = dict(roles)
        self._look_up = look_up
        self._look_up_s = look_up_s
        self._threads = ThreadPoolExecutor(_THREADS, "directory")
        self._known: dict[tuple[int, int], tuple[float, Principal]] = {}

    def principal(self, name: str, groups: Iterable[str]) -> Principal:
        """The principal with the highest role that the configuration gives."""
        belongs = tuple(sorted(groups))
        role = None
        for candidate in Role:
            members = self._roles.get(candidate)
            if members and (name in members.users or members.groups & set(belongs)):
                role = candidate
        return Principal(name, belongs, role)

    async def peer(self, request: web.Request) -> Principal:
        """The user at the other end of the request's Unix socket.

        Raises:
            Refused: the transport does not tell who it is.
            Temporary: the directory does not tell in time what it is called.
        """
        transport = request.transport
        sock = transport.get_extra_info("socket") if transport else None
        if sock is None or sock.family != socket.AF_UNIX:
            raise Refused("only callers of the Unix socket are known")
        raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        _, uid, gid = _CREDENTIALS.unpack(raw)
        until, who = self._known.get((uid, gid), (0.0, None))
        if who is None or until < time.monotonic():
            who = self.principal(*await self._named(uid, gid))
            self._known[(uid, gid)] = (time.monotonic() + _REMEMBERED_S, who)
        return who

    async def _named(self, uid: int, gid: int) -> tuple[str, list[str]]:
        try:
            async with asyncio.timeout(self._look_up_s):
                return await asyncio.get_running_loop().run_in_executor(self._threads, self._look_up, uid, gid)
        except TimeoutError as error:
            silent = f"the machine's directory does not say within {self._look_up_s:g} s who user {uid} is"
            raise Temporary(f"{silent}: `id {uid}` asks it, too; look at its service (sssd, nslcd, LDAP)") from error


def _group_names(user: str, gid: int) -> list[str]:
    names = []
    for number in os.getgrouplist(user, gid):
        try:
            names.append(grp.getgrgid(number).gr_name)
        except KeyError:
            names.append(f"gid:{number}")
    return names
