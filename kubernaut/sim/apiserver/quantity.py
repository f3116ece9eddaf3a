"""Quantities are exact numbers with a suffix, stored in their canonical spelling.

"0.5" becomes "500m" and "1024Mi" becomes "1Gi", as resource.Quantity does, because people compare what they read back.
Source: k8s.io/apimachinery/pkg/api/resource/quantity.go
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

_PATTERN = re.compile(r"^([+-]?(?:\d+(?:\.\d*)?|\.\d+))([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$")
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_MESSAGE = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


def parse(text: str | int | float) -> Decimal:
    """The exact value of a quantity.

    Raises:
        ValueError: it is no quantity; the message is the genuine server's.
    """
    match = _PATTERN.match(str(text))
    if match is None:
        raise ValueError(_MESSAGE)
    number, suffix = match.group(1), match.group(2) or ""
    try:
        value = Decimal(number)
    except InvalidOperation as error:  # pragma: no cover - the pattern admits decimals only
        raise ValueError(_MESSAGE) from error
    if suffix in _BINARY:
        return value * Decimal(1024) ** _BINARY[suffix]
    if suffix in _DECIMAL:
        return value.scaleb(_DECIMAL[suffix])
    return value.scaleb(int(suffix[1:]))


def canonical(text: str | int | float) -> str:
    """The spelling the server stores: the largest suffix that leaves an integer."""
    written = str(text)
    value = parse(written)
    match = _PATTERN.match(written)
    suffix = (match.group(2) or "") if match else ""
    if value == 0:
        return "0"
    if suffix in _BINARY and value == value.to_integral_value():
        return _binary(value)
    if suffix[:1] in ("e", "E") and len(suffix) > 1:
        return _exponent(value)
    return _decimal(value)


def _binary(value: Decimal) -> str:
    for suffix, power in reversed(_BINARY.items()):
        unit = Decimal(1024) ** power
        if value % unit == 0:
            return f"{int(value / unit)}{suffix}"
    return str(int(value))


def _exponent(value: Decimal) -> str:
    for power in (18, 15, 12, 9, 6, 3):
        scaled = value.scaleb(-power)
        if scaled == scaled.to_integral_value():
            return f"{int(scaled)}e{power}"
    return _decimal(value)


def _decimal(value: Decimal) -> str:
    for suffix, power in sorted(_DECIMAL.items(), key=lambda item: -item[1]):
        scaled = value.scaleb(-power)
        if scaled == scaled.to_integral_value():
            return f"{int(scaled)}{suffix}"
    return f"{int(value.scaleb(9).to_integral_value())}n"


def from_value(value: Decimal, like: str = "") -> str:
    """Spell a computed value, with binary suffixes if `like` has one."""
    match = _PATTERN.match(like)
    if match and (match.group(2) or "") in _BINARY and value == value.to_integral_value() and value != 0:
        return _binary(value)
    return "0" if value == 0 else _decimal(value)
