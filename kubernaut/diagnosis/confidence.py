"""How sure a finding is, by one formula for all rules, so that the gate's thresholds mean the same everywhere.

    confidence = (ceiling - (ceiling - base) * 0.7 ** supports) * 0.85 ** contradictions * 0.97 ** missing

`base` and `ceiling` say what the conclusion rests on: DIRECT, the API states the cause itself (`reason: OOMKilled`);
INDIRECT, facts that fit one cause best; HINT, facts that fit several. Only direct evidence can pass 0.9, the bound above
which policy may let an action run alone, and one contradiction takes it below. What could not be read (`missing`) lowers
it, because absence of a fact is no evidence.
"""

from enum import Enum


class Rests(Enum):
    """What a conclusion rests on: (base, ceiling)."""

    DIRECT = (0.92, 0.99)
    INDIRECT = (0.80, 0.90)
    HINT = (0.45, 0.65)


def confidence(rests: Rests, *, supports: int = 0, contradictions: int = 0, missing: int = 0) -> float:
    """The formula above, rounded to two digits.

    Args:
        supports: independent facts that point the same way, beyond the one it rests on.
        contradictions: facts that speak for another cause.
        missing: facts that this rule would have looked at and that could not be read.
    """
    base, ceiling = rests.value
    value = ceiling - (ceiling - base) * 0.7**supports
    return round(value * 0.85**contradictions * 0.97**missing, 2)
