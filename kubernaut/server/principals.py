"""Who calls: the kernel says which process is at the other end of a Unix socket, the configuration says what it may do."""

import grp
import os
import pwd
import socket
import struct
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aiohttp import web

from kubernaut.domain.approvals import Principal, Role
from kubernaut.domain.errors import Refused

_REMEMBERED_S = 30.0
"""How long a user's groups are remembered: asking the directory may take a while, and it would be asked at every call."""
_CREDENTIALS = struct.Struct("3i")
"""struct ucred: pid, uid, gid. Source: unix(7), SO_PEERCRED."""


@dataclass(frozen=True, slots=True)
class Membership:
    """Users and groups that have a role."""

    users: frozenset[str]
    groups: frozenset[str]


class Directory:
    """Gives principals their roles.

    Args:
        roles: role → who has it.
    """

    def __init__(self, roles: Mapping[Role, Membership]) -> None:
        self._roles = dict(roles)
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

    def peer(self, request: web.Request) -> Principal:
        """The user at the other end of the request's Unix socket.

        Raises:
            Refused: the transport does not tell who it is.
        """
        transport = request.transport
        sock = transport.get_extra_info("socket") if transport else None
        if sock is None or sock.family != socket.AF_UNIX:
            raise Refused("only callers of the Unix socket are known")
        raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        _, uid, gid = _CREDENTIALS.unpack(raw)
        until, who = self._known.get((uid, gid), (0.0, None))
        if who is None or until < time.monotonic():
            who = self._named(uid, gid)
            self._known[(uid, gid)] = (time.monotonic() + _REMEMBERED_S, who)
        return who

    def _named(self, uid: int, gid: int) -> Principal:
        try:
            entry = pwd.getpwuid(uid)
        except KeyError:
            return self.principal(f"uid:{uid}", (f"gid:{gid}",))
        return self.principal(entry.pw_name, _group_names(entry.pw_name, gid))


def _group_names(user: str, gid: int) -> list[str]:
    names = []
    for number in os.getgrouplist(user, gid):
        try:
            names.append(grp.getgrgid(number).gr_name)
        except KeyError:
            names.append(f"gid:{number}")
    return names
