"""One process holds a store: two daemons on one file would both act on the same remediation.

The lock belongs to the process and not to a file's content, so it is gone with the process, however that ended.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from kubernaut.domain.errors import Permanent, Temporary


class FileLock:
    """An exclusive lock on a file beside the store; made by `acquire`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def acquire(cls, path: Path) -> "FileLock":
        """Take the lock, or say who has it.

        Raises:
            Permanent: another process has it, or the file system knows no locks.
            Temporary: the file can't be written.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as e:
            raise Temporary(f"the state folder {path.parent} can't be written ({e.strerror}): check its owner") from e
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise Permanent(
                f"another kubernaut (process {holder}) uses the store in {path.parent}: stop it, or give this one a"
                " state_dir of its own"
            ) from e
        except OSError as e:
            os.close(descriptor)
            raise Permanent(
                f"files in {path.parent} can't be locked ({e.strerror}): put state_dir on a local disk"
            ) from e
        with suppress(OSError):  # who has it is a courtesy: a full disk shall be told by what needs the room
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        """Let the next one have it."""
        os.close(self._descriptor)
