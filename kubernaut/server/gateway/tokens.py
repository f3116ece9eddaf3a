"""Bearer tokens of the webhooks: one a line in a file, compared in constant time, read again when the file changes."""

import hashlib
import hmac
import re
import stat
from pathlib import Path

from kubernaut.domain.errors import BadInput

_MIN_LENGTH = 16
_COMMENT = re.compile(r"(?:^|\s)#")
"""At the line's beginning or behind a space: a token may have the sign in itself."""
_KEY = "gateway.tokens_file"


class Tokens:
    """The tokens that may post signals. Without a file nobody may."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._digests: list[bytes] = []
        if path is not None:
            self._load(path)

    def _load(self, path: Path) -> None:
        """Read the file.

        Raises:
            BadInput: it can't be read, or a token is too short.
        """
        try:
            now = path.stat()
            if not stat.S_ISREG(now.st_mode):  # a pipe is read once, and the second look would wait for ever
                raise BadInput(f"{path} is not a file that can be looked at again", field=_KEY)
            lines = path.read_text("utf-8-sig").splitlines()
        except OSError as error:
            raise BadInput(f"can't read the tokens of {path}: {error.strerror}", field=_KEY) from error
        except UnicodeDecodeError as error:
            raise BadInput(f"can't read the tokens of {path}: it is not text", field=_KEY) from error
        digests = []
        for number, line in enumerate(lines, 1):
            token = _COMMENT.split(line, maxsplit=1)[0].strip()
            if not token:
                continue
            if len(token) < _MIN_LENGTH:
                raise BadInput(f"a token needs at least {_MIN_LENGTH} characters", place=f"{path}:{number}")
            digests.append(hashlib.sha256(token.encode()).digest())
        self._digests, self._stamp = digests, (now.st_mtime_ns, now.st_size)

    def caution(self) -> str:
        """What is unwise about the file though it can be used: whoever reads it may post; empty when nothing is."""
        try:
            mode = stat.S_IMODE(self._path.stat().st_mode) if self._path else 0
        except OSError:
            return ""
        if not mode & stat.S_IROTH:
            return ""
        return f"everybody on this machine may read {self._path}: `chmod o= {self._path}` closes it"

    def __len__(self) -> int:
        return len(self._digests)

    def refresh(self, *, at_once: bool = False) -> None:
        """Look at the file again if it changed, or in any case. Raises BadInput; the old tokens stay valid then."""
        if self._path is None:
            return
        try:
            now = self._path.stat()
        except OSError as error:
            raise BadInput(f"can't read the tokens of {self._path}: {error.strerror}", field=_KEY) from error
        if at_once or (now.st_mtime_ns, now.st_size) != self._stamp:
            self._load(self._path)

    def accepts(self, authorization: str | None) -> bool:
        """Whether the header `Authorization: Bearer …` carries one of the tokens."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return False
        given = hashlib.sha256(token.strip().encode("utf-8", "surrogateescape")).digest()
        return any(hmac.compare_digest(given, known) for known in self._digests)
