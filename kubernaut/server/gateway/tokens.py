"""Bearer tokens of the webhooks: one a line in a file, compared in constant time, read again when the file changes."""

import hashlib
import hmac
from pathlib import Path

from kubernaut.domain.errors import BadInput

_MIN_LENGTH = 16


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
            stat = path.stat()
            lines = path.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"can't read the tokens: {error}", field="gateway.tokens_file", place=str(path)) from error
        digests = []
        for number, line in enumerate(lines, 1):
            token = line.partition("#")[0].strip()
            if not token:
                continue
            if len(token) < _MIN_LENGTH:
                raise BadInput(f"a token needs at least {_MIN_LENGTH} characters", place=f"{path}:{number}")
            digests.append(hashlib.sha256(token.encode()).digest())
        self._digests, self._stamp = digests, (stat.st_mtime_ns, stat.st_size)

    def __len__(self) -> int:
        return len(self._digests)

    def refresh(self) -> None:
        """Look at the file again if it changed. Raises BadInput; the old tokens stay valid then."""
        if self._path is None:
            return
        try:
            stat = self._path.stat()
        except OSError as error:
            raise BadInput(f"can't read the tokens: {error}", place=str(self._path)) from error
        if (stat.st_mtime_ns, stat.st_size) != self._stamp:
            self._load(self._path)

    def accepts(self, authorization: str | None) -> bool:
        """Whether the header `Authorization: Bearer …` carries one of the tokens."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return False
        given = hashlib.sha256(token.strip().encode("utf-8", "surrogateescape")).digest()
        return any(hmac.compare_digest(given, known) for known in self._digests)
