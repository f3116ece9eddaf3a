"""The environment wins over the file: `KUBERNAUT_SECTION__KEY` is one key, and a fault in it names the variable.

pydantic-settings' own source names only the section when a value can't be read, and can't reach into a list; this one
walks the model, so that `KUBERNAUT_CLUSTERS__0__CONTEXT` is the context of the first cluster.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from kubernaut.domain.errors import BadInput

from .words import unknown_key

Where = tuple[str | int, ...]
"""A key's path: names, and places in lists."""
_PREFIX = "KUBERNAUT_"
_OTHER_VARIABLES = ("KUBERNAUT_CONFIG",)
"""Variables of the commands themselves: this one names the file."""
_SERVICE_LINK = re.compile(
    r"(?!.*__)KUBERNAUT(_\w+)?_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)"
)
"""What Kubernetes puts into every pod beside a Service called `kubernaut` or `kubernaut-…`; nobody meant a setting by it.
Source: Kubernetes, "Discovering services", environment variables."""


@dataclass(frozen=True, slots=True)
class Override:
    """One variable: the key that it sets, and the value as the model takes it."""

    variable: str
    where: Where
    value: Any


class Overrides(PydanticBaseSettingsSource):
    """The values given to the model, with the environment's laid over them."""

    def __init__(self, settings_cls: type[BaseSettings], given: PydanticBaseSettingsSource) -> None:
        super().__init__(settings_cls)
        self._given = given

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Not used: this source answers for all fields at once."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """The whole document. Raises BadInput; a line for each variable that is wrong."""
        return laid_over(self._given(), overrides(self.settings_cls, os.environ))


def overrides(model: type[BaseModel], environ: Mapping[str, str]) -> list[Override]:
    """What the environment sets, whole sections before their keys.

    Raises:
        BadInput: a variable names no key, or its value can't be read; one line each, and no value is repeated.
    """
    found, faults = [], []
    for variable in sorted(environ):
        if not variable.startswith(_PREFIX) or variable in _OTHER_VARIABLES or _SERVICE_LINK.fullmatch(variable):
            continue
        try:
            found.append(_override(model, variable, environ[variable]))
        except BadInput as error:
            faults.append(f"environment variable {variable}: {error}")
    if faults:
        raise BadInput("\n".join(faults))
    return sorted(found, key=lambda override: len(override.where))


def laid_over(document: Mapping[str, Any], given: list[Override]) -> dict[str, Any]:
    """A document with overrides in it; the document itself stays as it is.

    Raises:
        BadInput: an override names a place in a list that is not there.
    """
    result = dict(document)
    for override in given:
        try:
            result = _set(result, override.where, override.value)
        except BadInput as error:
            raise BadInput(f"environment variable {override.variable}: {error}") from error
    return result


def _override(model: type[BaseModel], variable: str, text: str) -> Override:
    where: Where = ()
    annotation: Any = model
    for part in variable.removeprefix(_PREFIX).lower().split("__"):
        key, annotation = _below(annotation, part, where)
        where = (*where, key)
    return Override(variable, where, _value(annotation, text, where))


def _below(annotation: Any, part: str, where: Where) -> tuple[str | int, Any]:
    """One step down: the key that a part of the name means, and what its value is."""
    inner = _plain(annotation)
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        if part not in inner.model_fields:
            raise BadInput(unknown_key(part, inner.model_fields), field=dotted((*where, part)))
        return part, inner.model_fields[part].annotation
    if get_origin(inner) is tuple and part.isdecimal():
        return int(part), get_args(inner)[0]
    if get_origin(inner) is dict:
        return part, get_args(inner)[1]
    what = "is a list: a place in it is a number, as __0" if get_origin(inner) is tuple else "has no keys below it"
    raise BadInput(what, field=dotted(where))


def _value(annotation: Any, text: str, where: Where) -> Any:
    inner = _plain(annotation)
    if not text and inner is not annotation:  # it may be absent, and empty says so
        return None
    origin, structured = get_origin(inner), isinstance(inner, type) and issubclass(inner, BaseModel)
    if origin is tuple and get_args(inner)[0] is str and not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    if origin not in (tuple, dict) and not structured and inner is not Any:
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        if inner is Any:
            return text
        raise BadInput("lists and sections are given as JSON, and this is none", field=dotted(where)) from error


def _plain(annotation: Any) -> Any:
    """The annotation without `| None`."""
    if get_origin(annotation) in (Union, UnionType):
        [inner] = [each for each in get_args(annotation) if each is not type(None)]
        return inner
    return annotation


def _set(value: Any, where: Where, new: Any) -> Any:
    if not where:
        return _merged(value, new)
    first, rest = where[0], where[1:]
    if isinstance(first, int):
        items = list(value or ())
        if first > len(items):
            raise BadInput(f"there are {len(items)} entries, so the next is number {len(items)}")
        below = items[first] if first < len(items) else None
        return [*items[:first], _set(below, rest, new), *items[first + 1 :]]
    mapping = _mapping(value)
    return {**mapping, first: _set(mapping.get(first), rest, new)}


def _merged(value: Any, new: Any) -> Any:
    """Sections are laid over sections, everything else is replaced."""
    if isinstance(new, dict) and (isinstance(value, BaseModel) or _is_section(value)):
        mapping = _mapping(value)
        return {**mapping, **{key: _merged(mapping.get(key), inner) for key, inner in new.items()}}
    return new


def _is_section(value: Any) -> bool:
    return isinstance(value, Mapping)


def _mapping(value: Any) -> dict[str, Any]:
    if isinstance(value, BaseModel):
        return {name: getattr(value, name) for name in value.model_fields_set}
    return dict(value) if isinstance(value, Mapping) else {}


def dotted(where: Where) -> str:
    """A key's path as people write it: `clusters[0].name`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".")
