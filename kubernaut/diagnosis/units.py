"""Kubernetes' own notations for time and for amounts of memory, read and written without loss that matters."""

import math
import re
from datetime import UTC, datetime, timedelta

_KI = 1024
_FACTORS = {
    "": 1.0,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
    "Ki": float(_KI),
    "Mi": float(_KI**2),
    "Gi": float(_KI**3),
    "Ti": float(_KI**4),
    "Pi": float(_KI**5),
    "Ei": float(_KI**6),
}
_QUANTITY = re.compile(r"([+-]?\d+(?:\.\d*)?|\.\d+)(?:[eE]([+-]?\d+)|([kMGTPE]i?|Ki|m)?)")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def moment(text: object) -> datetime | None:
    """The time that an object's field says, UTC; None where it says none or something that is no time.

    The API writes whole seconds (metav1.Time) or microseconds (MicroTime); nanoseconds of other writers are cut.
    """
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    fraction = (match[2] or ".0")[1:7].ljust(6, "0")
    zone = "+00:00" if match[3] in "Zz" else match[3]
    try:
        at = datetime.fromisoformat(f"{match[1].upper()}.{fraction}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if at.year > 1 else None


def size_bytes(quantity: object) -> int | None:
    """A memory quantity in bytes, rounded up; None when it is none."""
    match = _QUANTITY.fullmatch(str(quantity).strip()) if isinstance(quantity, str | int | float) else None
    if match is None:
        return None
    try:
        factor = 10.0 ** int(match[2]) if match[2] else _FACTORS[match[3] or ""]
        return math.ceil(float(match[1]) * factor)
    except (OverflowError, ValueError):
        return None


def binary_size(bytes_: int) -> str:
    """A size as people write limits: whole Gi where it is one, else Mi, rounded up so that nothing is taken away.

    >>> binary_size(268435456), binary_size(2147483648), binary_size(300_000_000)
    ('256Mi', '2Gi', '288Mi')
    """
    mebibytes = max(1, math.ceil(bytes_ / _KI**2))
    step = 1 if mebibytes < 16 else 16 if mebibytes < _KI else 128
    mebibytes = math.ceil(mebibytes / step) * step
    return f"{mebibytes // _KI}Gi" if mebibytes % _KI == 0 else f"{mebibytes}Mi"


def spoken(span: timedelta) -> str:
    """A span of time as one says it: `45 s`, `9 min`, `3 h`, `2 d`."""
    seconds = max(0, round(span.total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size or (size == 60 and seconds >= 60):
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
