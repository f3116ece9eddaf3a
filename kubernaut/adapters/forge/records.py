"""Pull requests of the local forge are one JSON file each: whole or absent, on disk before anybody is told.

A file is written aside, synced, then linked under its number: linking fails if the number is taken, so two writers never
share one.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from kubernaut.domain.errors import Temporary
from kubernaut.domain.proposals import PullRequest

_NUMBERED = re.compile(r"[1-9][0-9]{0,8}\.json")


@dataclass(frozen=True, slots=True)
class Record:
    """What is remembered about a pull request.

    Args:
        fork: the commit that the branch was cut from.
        reviewers: who was asked to look.
        paths: the files that the branch changed when it was made.
    """

    pull: PullRequest
    fork: str
    reviewers: tuple[str, ...] = ()
    format: int = 1
    paths: tuple[str, ...] = ()


@dataclass(slots=True)
class Records:
    """The pull requests of one repository, kept in `folder`; re-read when somebody else wrote there.

    Raises:
        Temporary: from every call: the folder can't be used, or a record in it is broken; a person has to look.
    """

    folder: Path
    _known: dict[int, Record] = field(default_factory=dict)
    _stamp: int = -1

    def all(self) -> list[Record]:
        """Every record, by number."""
        self._refresh()
        return [self._known[number] for number in sorted(self._known)]

    def get(self, number: int) -> Record | None:
        """One record."""
        self._refresh()
        return self._known.get(number)

    def of_branch(self, branch: str) -> Record | None:
        """The record of a branch; a branch has one pull request for ever."""
        return next((record for record in self.all() if record.pull.branch == branch), None)

    def add(self, record: Record) -> Record:
        """Store a new record under the next free number."""
        with self._disk():
            self.folder.mkdir(parents=True, exist_ok=True)
            while True:
                self._refresh()
                number = max(self._known, default=0) + 1
                numbered = replace(record, pull=replace(record.pull, number=number))
                draft = self._draft(numbered)
                try:
                    os.link(draft, self._path(number))
                except FileExistsError:
                    self._stamp = -1
                    continue
                finally:
                    draft.unlink()
                self._sync()
                return numbered

    def put(self, record: Record) -> Record:
        """Replace a record."""
        with self._disk():
            self._draft(record).replace(self._path(record.pull.number))
            self._sync()
            return record

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            what = f"{self.folder} can't be used: {error.strerror}"
            raise Temporary(
                f"{what}; it holds the records of pull requests: look at its disk and rights", 5.0
            ) from error

    def _path(self, number: int) -> Path:
        return self.folder / f"{number}.json"

    def _draft(self, record: Record) -> Path:
        handle, name = tempfile.mkstemp(dir=self.folder, prefix=".draft-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(record), indent=2))
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
        return Path(name)

    def _sync(self) -> None:
        handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        self._stamp = -1

    def _refresh(self) -> None:
        with self._disk():
            try:
                stamp = self.folder.stat().st_mtime_ns
            except FileNotFoundError:
                self._known, self._stamp = {}, -1
                return
            if stamp == self._stamp:
                return
            known: dict[int, Record] = {}
            for path in self.folder.iterdir():
                if _NUMBERED.fullmatch(path.name):
                    with suppress(FileNotFoundError):
                        known[int(path.stem)] = _read(path)
            self._known, self._stamp = known, stamp


def _read(path: Path) -> Record:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Record)
    except msgspec.MsgspecError as error:
        what = f"{path} is not a pull request of this forge ({error})"
        raise Temporary(
            f"{what}: put a good copy in its place, or move it away to forget that pull request", 5.0
        ) from error
