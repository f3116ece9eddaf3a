"""Listening sockets, opened before anything else is begun: what can't be listened on is said at once and by its key."""

import os
import shutil
import socket
import stat
from pathlib import Path

from kubernaut.domain.errors import BadInput

_BACKLOG = 1024
LONGEST_PATH = 107
"""Bytes in sockaddr_un, without the closing zero. Source: unix(7)."""


def tcp_socket(host: str, port: int) -> socket.socket:
    """A listening TCP socket.

    Raises:
        BadInput: the address is not this machine's, or somebody else listens there.
    """
    where = f"{host}:{port}" if port else host
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise BadInput(f"{host!r} is no address: {error.strerror}", field="gateway.listen") from error
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise BadInput(f"can't listen on {where}: {error.strerror}", field="gateway.listen") from error
    sock.setblocking(False)
    return sock


def unix_socket(path: Path, group: str | None) -> socket.socket:
    """A listening Unix socket that nobody but owner and group can open, from its first moment on.

    A socket file that nobody listens on any more is what a crash leaves, and is replaced.

    Raises:
        BadInput: the path is too long, taken by a living daemon or by something that is no socket, or not writable.
    """
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise BadInput(
            f"{path} is too long for a Unix socket ({LONGEST_PATH} bytes): set a shorter one", field="api.socket"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        _clear(path)
    except OSError as error:
        raise BadInput(f"can't listen on {path}: {error.strerror}", field="api.socket") from error
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _bind(sock, path)
        if group is not None:
            shutil.chown(path, group=group)
        sock.listen(_BACKLOG)
    except LookupError as error:
        sock.close()
        path.unlink(missing_ok=True)
        raise BadInput(f"there is no group {group!r} on this machine", field="api.group") from error
    except PermissionError as error:
        sock.close()
        made = path.is_socket()
        path.unlink(missing_ok=made)
        field, what = ("api.group", f"can't give {path} to {group!r}") if made else ("api.socket", f"can't make {path}")
        raise BadInput(f"{what}: {error.strerror}", field=field) from error
    except OSError as error:
        sock.close()
        raise BadInput(f"can't listen on {path}: {error.strerror}", field="api.socket") from error
    sock.setblocking(False)
    return sock


def remove_socket(path: Path, sock: socket.socket) -> None:
    """Take the socket's file away at the end."""
    sock.close()
    path.unlink(missing_ok=True)


def _bind(sock: socket.socket, path: Path) -> None:
    before = os.umask(0o117)
    try:
        sock.bind(str(path))
    finally:
        os.umask(before)


def _clear(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise BadInput(f"{path} is there and is no socket: set another path", field="api.socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
        except OSError:
            pass  # it answers slowly, or we may not ask: in both cases somebody listens
    raise BadInput(f"another daemon listens on {path}: stop it, or set another socket", field="api.socket")
