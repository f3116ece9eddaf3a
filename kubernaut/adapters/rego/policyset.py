"""A policy set is the text of all rules and the data they read, under one revision.

Files are read once and evaluated many times: what was checked is byte for byte what decides later, even if somebody
edits the directory in between.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
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
        if not directory.is_dir():
            raise BadInput("no such directory: name the one that holds the *.rego files", place=str(directory))
        paths = sorted(path for path in directory.rglob("*.rego") if not _hidden(path.relative_to(directory)))
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


def _hidden(path: Path) -> bool:
    """A mounted ConfigMap shows each file twice, once below `..data`; the second showing is not another file."""
    return any(part.startswith(".") for part in path.parts)


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
    if not path.exists():
        return {}
    try:
        document = json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise BadInput(f"not JSON: {error.msg}", place=f"{path}:{error.lineno}") from error
    except RecursionError as error:
        raise BadInput("nested too deeply", place=str(path)) from error
    if not isinstance(document, dict):
        raise BadInput("must hold one JSON object", place=str(path))
    return document
