"""A value is spelled so that every YAML reader takes it for the same string.

Kubernetes reads YAML 1.1 with pieces of 1.2, people's tools read either: a word that one of them takes for a number, a
truth value, a date or nothing is quoted.
"""

import json
import re

import yaml

from kubernaut.domain.errors import BadInput

_CORE_12 = re.compile(
    r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7_]+|0x[0-9a-fA-F_]+|0b[01_]+"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)|true|false|null|y|n|yes|no|on|off|~|)$",
    re.IGNORECASE,
)
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_QUANTITY = re.compile(r"^[A-Za-z0-9][A-Za-z0-9.+_-]*$")


def scalar(value: str, style: str | None, *, string: bool, flow: bool = False) -> str:
    """One line that reads as `value`.

    Args:
        style: how the old value was written: None plain, `'` or `"`.
        string: must be read as a string; False for quantities and numbers, where `2` and `"2"` mean the same.
        flow: inside `[…]` or `{…}`, where commas and brackets count.

    Raises:
        BadInput: the value holds half a character pair, which no file can hold.
    """
    if any(0xD800 <= ord(char) < 0xE000 for char in value):
        raise BadInput("the value holds an unpaired surrogate, which UTF-8 can't express", field="to")
    if style == "'" and "\n" not in value and not _UNPRINTABLE.search(value):
        return "'" + value.replace("'", "''") + "'"
    if style is None and (_is_plain(value, flow) if string else _QUANTITY.match(value)):
        return value
    return _double(value)


def is_literal(value: str) -> bool:
    """Whether a literal block (`|`) can hold the value without an indentation indicator."""
    body = value.rstrip("\n")
    return bool(body) and body[0] not in " \t\n" and not _UNPRINTABLE.search(value.replace("\n", ""))


def _double(value: str) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _is_plain(value: str, flow: bool) -> bool:
    """Ask the parser itself, and the other version's rules about what is a string."""
    if _CORE_12.match(value) or _UNPRINTABLE.search(value) or "\n" in value or "\t" in value:
        return False
    try:
        node = yaml.compose(f"[{value}]\n" if flow else f"- {value}\n", Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return False
    if not isinstance(node, yaml.SequenceNode) or len(node.value) != 1:
        return False
    only = node.value[0]
    return (
        isinstance(only, yaml.ScalarNode)
        and only.style is None
        and only.value == value
        and only.tag == "tag:yaml.org,2002:str"
    )
