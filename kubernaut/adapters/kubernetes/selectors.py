"""Label and field selectors over cached objects, with the meaning that the API server gives them.

Source: k8s.io/apimachinery/pkg/labels (Parse), pkg/fields (ParseSelector).
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from kubernaut.domain.errors import BadInput

Test = Callable[[Mapping[str, Any]], bool]

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?"
_SET = re.compile(rf"^({_NAME})\s+(in|notin)\s*\(([^()]*)\)$")
_EQUAL = re.compile(rf"^({_NAME})\s*(==|=|!=)\s*({_NAME})?$")
_THERE = re.compile(rf"^(!?)\s*({_NAME})$")
_PLAIN = re.compile(r"[A-Za-z0-9._-]+")
_COMMA = re.compile(r",(?![^(]*\))")


def by_labels(selector: str) -> Test:
    """Whether an object's labels match. Raises BadInput."""
    tests = [_label_test(part.strip()) for part in _COMMA.split(selector) if part.strip()]
    return lambda item: all(test(item.get("metadata", {}).get("labels") or {}) for test in tests)


def by_fields(selector: str) -> Test:
    """Whether an object's fields match; a field that is absent counts as empty. Raises BadInput."""
    tests = []
    for part in selector.split(","):
        if not part.strip():
            continue
        path, operator, value = _split(part)
        tests.append((path.split("."), operator != "!=", value))
    return lambda item: all((_field(item, path) == value) is wanted for path, wanted, value in tests)


def words(labels: str, fields: str) -> list[bytes]:
    """Words that must stand in the JSON of whatever matches: a quick test before the true one."""
    found = [match[3] for part in _COMMA.split(labels) if (match := _EQUAL.match(part.strip())) and match[2] != "!="]
    for part in fields.split(","):
        if part.strip():
            _, operator, value = _split(part)
            found.append("" if operator == "!=" else value)
    return [word.encode() for word in found if word and _PLAIN.fullmatch(word)]


def _label_test(part: str) -> Test:
    if match := _SET.match(part):
        name, operator, values = match[1], match[2], {value.strip() for value in match[3].split(",")}
        if operator == "in":
            return lambda labels: labels.get(name) in values
        return lambda labels: name not in labels or labels[name] not in values
    if match := _EQUAL.match(part):
        name, operator, value = match[1], match[2], match[3] or ""
        if operator == "!=":
            return lambda labels: labels.get(name) != value
        return lambda labels: labels.get(name) == value
    if match := _THERE.match(part):
        name, wanted = match[2], not match[1]
        return lambda labels: (name in labels) is wanted
    raise BadInput(f"{part!r} is no label selector; expected name=value, name in (a,b), name or !name")


def _split(part: str) -> tuple[str, str, str]:
    for operator in ("!=", "==", "="):
        path, found, value = part.partition(operator)
        if found:
            return path.strip(), operator, value.strip()
    raise BadInput(f"{part!r} is no field selector; expected path=value or path!=value")


def _field(item: Any, path: list[str]) -> str:
    for name in path:
        item = item.get(name) if isinstance(item, Mapping) else None
    if isinstance(item, bool):
        return str(item).lower()
    return "" if item is None else str(item)
