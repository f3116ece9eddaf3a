"""A policy set is the text of all rules and the data they read, under one revision.

Files are read once and evaluated many times: what was checked is byte for byte what decides later, even if somebody
edits the directory in between.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from kubernaut.domain.errors import BadInput
from kubernaut.domain.values import canonical

MAX_FILE_BYTES = 1024 * 1024
DATA_FILE = "data.json"
SETTINGS = "settings"
TEST_SUFFIX = "_test.rego"


@dataclass(frozen=True, slots=True)
class PolicySet:
    """The rules, their tests and their data; `place` names the directory in messages.

    Args:
        rules, tests: path and text of each file, in the order of their paths.
        data: the root document that rules see as `data`, overrides applied.
    """

    place: str
    rules: tuple[tuple[str, str], ...]
    tests: tuple[tuple[str, str], ...]
    data: dict[str, Any]

    @property
    def revision(self) -> str:
        """Twelve hex digits that change whenever a rule or a setting does; tests decide nothing and don't count."""
        names = [(Path(path).name, text) for path, text in self.rules]
        return hashlib.sha256(canonical([names, self.data])).hexdigest()[:12]

    @classmethod
    def read(cls, directory: Path, overrides: Mapping[str, Any] | None = None) -> "PolicySet":
        """Read `*.rego` below a directory and its `data.json`.

        Args:
            overrides: laid over `settings` of the data, key by key; what is not an object replaces what was there.

        Raises:
            BadInput: something can't be read, is too large or is not JSON; names file and line.
        """
        if not os.path.isdir(directory):
            raise BadInput("no such directory: name the one that holds the *.rego files", place=str(directory))
        paths = sorted(path for path in _below(directory) if path.suffix == ".rego")
        texts = [(str(path), _text(path)) for path in paths]
        rules = tuple(item for item in texts if not item[0].endswith(TEST_SUFFIX))
        if not rules:
            raise BadInput("no policy here: at least one *.rego file is needed", place=str(directory))
        tests = tuple(item for item in texts if item[0].endswith(TEST_SUFFIX))
        data = merged(_data(directory / DATA_FILE), {SETTINGS: overrides} if overrides else {})
        return cls(str(directory), rules, tests, data)


def merged(base: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one JSON object over another: objects are merged, everything else is replaced."""
    result = dict(base)
    for key, value in overrides.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return result


def _below(directory: Path) -> Iterator[Path]:
    """All entries but hidden ones: a mounted ConfigMap shows each file twice, once in a hidden folder that comes and goes.

    Raises:
        BadInput: a folder can't be read; without its rules the others might allow what it forbids.
    """

    def refuse(error: OSError) -> None:
        raise BadInput(f"can't be read: {error.strerror}", place=str(error.filename)) from error

    for folder, folders, files in os.walk(directory, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(folder, name) for name in (*folders, *files) if not name.startswith("."))


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise BadInput("is not a file", place=str(path))
        if path.stat().st_size > MAX_FILE_BYTES:
            raise BadInput(f"larger than {MAX_FILE_BYTES} bytes: split it", place=str(path))
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"not UTF-8 text (byte {error.start})", place=str(path)) from error
    except OSError as error:
        raise BadInput(f"can't be read: {error.strerror}", place=str(path)) from error


def _data(path: Path) -> dict[str, Any]:
    if not os.path.lexists(path):
        return {}
    try:
        document = json.loads(_text(path), object_pairs_hook=partial(_object, path))
    except json.JSONDecodeError as error:
        raise BadInput(f"not JSON: {error.msg}", place=f"{path}:{error.lineno}") from error
    except RecursionError as error:
        raise BadInput("nested too deeply", place=str(path)) from error
    if not isinstance(document, dict):
        raise BadInput("must hold one JSON object", place=str(path))
    return document


def _object(path: Path, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A key that is there twice is refused: the last would count, and nobody would miss the limit in the first."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadInput("is there twice in one object", field=twice, place=str(path))
    return found
