"""Two spellings of one amount are one amount: `128Mi`, `131072Ki` and `134217728` change nothing."""

import re
from decimal import Decimal, InvalidOperation

_FORM = re.compile(r"^([+-]?[0-9.]+)(?:([eE][+-]?[0-9]+)|([numkMGTPE]|[KMGTPE]i))?$")
_POWERS = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}


def amount(text: str) -> Decimal | None:
    """The number that a Kubernetes quantity stands for; None if it is none."""
    form = _FORM.match(text.strip())
    if form is None:
        return None
    number, exponent, suffix = form.groups()
    try:
        value = Decimal(number + (exponent or ""))
    except InvalidOperation:
        return None
    if not suffix:
        return value
    return value * (1024 ** (" KMGTPE".index(suffix[0])) if suffix.endswith("i") else Decimal(10) ** _POWERS[suffix])


def same(one: str, other: str) -> bool:
    """Whether two quantities are equal, however they are spelled."""
    left, right = amount(one), amount(other)
    return one == other if left is None or right is None else left == right
