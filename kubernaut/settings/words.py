"""What is wrong with a value, in words for somebody who writes YAML and never saw the model."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

_WORDS = {
    "missing": "is missing",
    "string_type": "must be text",
    "tuple_type": "must be a list, as [one, two]",
    "dict_type": "must be a mapping, as {key: value}",
    "model_type": "must be a mapping of keys",
    "model_attributes_type": "must be a mapping of keys",
    "path_type": "must be a path",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number that ends",
    "string_too_short": "must not be empty",
}
"""pydantic's kinds of faults that it tells in Python's words."""


def what_is_wrong(fault: Mapping[str, Any]) -> str:
    """One of pydantic's faults as a sentence; the value is not repeated, it may be a secret."""
    own = _WORDS.get(fault["type"])
    return own or str(fault["msg"]).removeprefix("Value error, ").replace("Input should be", "must be")


def unknown_key(name: str, known: Iterable[str]) -> str:
    """That nobody knows a key, and which one may have been meant."""
    close = difflib.get_close_matches(name, known := list(known), 1)
    return f"unknown key, did you mean {close[0]!r}?" if close else f"unknown key; known keys here: {', '.join(known)}"
