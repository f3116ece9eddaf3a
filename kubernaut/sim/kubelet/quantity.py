"""Kubernetes quantities as numbers."""

_FACTORS = {
    "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50,
}  # fmt: skip


def number(quantity: object) -> float:
    """`128Mi` as 134217728.0, `250m` as 0.25.

    Raises:
        ValueError: it is no quantity.
    """
    text = str(quantity)
    for suffix in sorted(_FACTORS, key=len, reverse=True):
        if text.endswith(suffix):
            return float(text[: -len(suffix)]) * _FACTORS[suffix]
    return float(text)
