"""Reading a configuration file: what is wrong with it is told by file, line and key, all of it at once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from kubernaut.domain.errors import BadInput

from .environment import Override, Where, dotted, overrides
from .model import Settings
from .words import unknown_key, what_is_wrong


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where each value comes from: a line of the file, or a variable of the environment."""

    path: Path
    lines: Mapping[Where, int]
    given: list[Override]

    def of(self, where: Where) -> str:
        above = [where[:length] for length in range(len(where), 0, -1)]
        variable = next((o.variable for part in above for o in self.given if o.where == part), "")
        line = next((self.lines[part] for part in above if part in self.lines), None)
        return f"environment variable {variable}" if variable else f"{self.path}:{line}" if line else str(self.path)

    def fault(self, where: Where, message: str) -> BadInput:
        return BadInput(message, field=dotted(where), place=self.of(where))


def load(path: Path) -> Settings:
    """Read a configuration file, the environment's overrides on top.

    Raises:
        BadInput: the file can't be read or a key is wrong; one line a fault, each naming file, line and key.
    """
    document, lines = _read(path)
    origin = _Origin(path, lines, overrides(Settings, os.environ))
    for key in document:
        if key.startswith("_"):  # pydantic-settings would take it for an option of its own
            raise origin.fault((key,), unknown_key(key, Settings.model_fields))
    try:
        settings = Settings(**document)
    except ValidationError as error:
        raise BadInput("\n".join(_faults(error, origin))) from error
    return _resolved(settings, path.resolve().parent, origin)


def places(path: Path) -> dict[Where, str]:
    """Where each key of a readable configuration file stands: path of the key → `file:line`."""
    return {key: f"{path}:{line}" for key, line in _read(path)[1].items()}


def _read(path: Path) -> tuple[dict[str, Any], dict[Where, int]]:
    """The document, and the line of each key."""
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        hint = "name one with --config or KUBERNAUT_CONFIG; `kubernaut config example` prints one to begin with"
        raise BadInput(f"can't read the configuration: {error.strerror}; {hint}", place=str(path)) from error
    except UnicodeDecodeError as error:
        raise BadInput("is not UTF-8 text", place=str(path)) from error
    try:
        lines = _lines(yaml.compose(text, Loader=yaml.SafeLoader), path)
        document = yaml.safe_load(text)
        filled = _filled({} if document is None else document)
    except yaml.YAMLError as error:
        raise BadInput(_not_yaml(error), place=_place(error, path)) from error
    except RecursionError as error:
        raise BadInput("is nested without end: an alias (*) stands inside of what it names", place=str(path)) from error
    if not isinstance(filled, dict):
        raise BadInput("must be a mapping of keys, as `state_dir: ./state`", place=str(path))
    return filled, lines


def _not_yaml(error: yaml.YAMLError) -> str:
    problem = str(getattr(error, "problem", None) or error).replace("\n", " ")
    if "'\\t'" in problem:
        problem = "a tab; YAML is indented by spaces"
    elif "another document" in problem:
        problem = "a second document begins here; a configuration is one"
    return f"is not YAML: {problem}"


def _place(error: yaml.YAMLError, path: Path) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"{path}:{mark.line + 1}" if mark else str(path)


def _filled(value: Any) -> Any:
    """Without empty sections: one whose keys are all commented out is there, and says nothing."""
    if isinstance(value, Mapping):
        return {str(key): _filled(inner) for key, inner in value.items() if inner is not None}
    return [_filled(inner) for inner in value] if isinstance(value, list) else value


def _lines(node: yaml.Node | None, path: Path, prefix: Where = ()) -> dict[Where, int]:
    """Line of each key: path of the key → line from 1.

    Raises:
        BadInput: a key stands twice in one mapping; YAML would take the last in silence.
    """
    found: dict[Where, int] = {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here, line = (*prefix, str(key.value)), key.start_mark.line + 1
            if here in found:
                raise BadInput(f"stands twice, first in line {found[here]}", field=dotted(here), place=f"{path}:{line}")
            found[here] = line
            found |= _lines(value, path, here)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            found[(*prefix, index)] = item.start_mark.line + 1
            found |= _lines(item, path, (*prefix, index))
    return found


def _faults(error: ValidationError, origin: _Origin) -> list[str]:
    faults = []
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        where = tuple(fault["loc"])
        message = _unknown(where) if fault["type"] == "extra_forbidden" else what_is_wrong(fault)
        faults.append(str(origin.fault(where, message)))
    return faults


def _unknown(where: Where) -> str:
    model: Any = Settings
    for part in where[:-1]:
        if not isinstance(part, int):
            annotation = model.model_fields[part].annotation
            model = (
                annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else _item(annotation)
            )
    return unknown_key(str(where[-1]), model.model_fields)


def _item(annotation: Any) -> Any:
    """The model of a list's entries."""
    return annotation.__args__[0]


def _resolved(settings: Settings, folder: Path, origin: _Origin) -> Settings:
    """Relative paths made absolute against the configuration file's folder."""

    def absolute(path: Path | None, *where: str | int) -> Path | None:
        if path is None:
            return None
        if "\0" in str(path):
            raise origin.fault(where, "no path can hold a zero byte")
        try:
            return Path(os.path.normpath(folder / path.expanduser()))
        except RuntimeError as error:
            message = f"{path}: nobody's home is known by that name; write the path in full"
            raise origin.fault(where, message) from error

    tokens = absolute(settings.gateway.tokens_file, "gateway", "tokens_file")
    gateway = settings.gateway.model_copy(update={"tokens_file": tokens})
    api = settings.api.model_copy(update={"socket": absolute(settings.api.socket, "api", "socket")})
    policies = settings.policies.model_copy(update={"dir": absolute(settings.policies.dir, "policies", "dir")})
    forge = settings.forge.model_copy(update={"root": absolute(settings.forge.root, "forge", "root")})
    clusters = tuple(
        cluster.model_copy(update={"kubeconfig": absolute(cluster.kubeconfig, "clusters", number, "kubeconfig")})
        for number, cluster in enumerate(settings.clusters)
    )
    return settings.model_copy(
        update={
            "state_dir": absolute(settings.state_dir, "state_dir"), "gateway": gateway, "api": api, "policies": policies,
            "forge": forge, "clusters": clusters,
        }
    )  # fmt: skip
