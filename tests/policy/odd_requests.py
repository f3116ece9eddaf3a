"""Requests and labels of every shape: near the limits, of other types, missing, huge, negative, in odd letters."""

import copy
from typing import Any

from hypothesis import strategies as st

from kubernaut.adapters.rego.samples import NAMESPACES, samples

SAMPLES = list(samples())
NUMBERS = st.one_of(
    st.sampled_from(
        [0, 1, -1, 0.7, 0.9, 0.7000000000000001, 0.8999999999999999, 1.0, -0.0, 5, 5.0, 30, 31, 49.5, 1000000]
    ),
    st.sampled_from([1000001, 10**15, 10**16 + 1, 2**53 + 1, 2**63, 2**64, 10**30, -(10**30), 1e300, 5e-324]),
    st.integers(-10, 150),
    st.floats(allow_nan=False, allow_infinity=False),
)
PLAIN_WORDS = [
    "",
    " ",
    "low",
    "LOW",
    "high",
    "production",
    "unknown",
    "drain-node",
    "delete-pod",
    "kube-system",
    "gitops",
]
ODD_WORDS = [
    "PROD",
    "lIve",
    "\u0130",
    "l\u0130ve",
    "\u212aube",
    "\u0000",
    "live\n",
    "dév",
    "null",
    "true",
    "0",
    "%s",
    "%!",
    "dev",
]
WORDS = st.sampled_from(PLAIN_WORDS + ODD_WORDS)
LEAVES = st.one_of(
    st.none(), st.booleans(), NUMBERS, WORDS, st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text("abpods", max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)
PATHS = [
    (part, *rest)
    for part, below in SAMPLES[0].items()
    for rest in ([()] + [(key,) for key in below] if isinstance(below, dict) else [()])
]


@st.composite
def requests(draw: st.DrawFn) -> Any:
    """A sample with up to four of its values removed or replaced, or something else altogether."""
    if draw(st.integers(0, 19)) == 0:
        return draw(ANYTHING)
    document = copy.deepcopy(draw(st.sampled_from(SAMPLES)))
    for path in draw(st.lists(st.sampled_from(PATHS), max_size=4)):
        holder = document
        for key in path[:-1]:
            holder = holder.get(key) if isinstance(holder, dict) else None
        if not isinstance(holder, dict):
            continue
        if draw(st.integers(0, 4)) == 0:
            holder.pop(path[-1], None)
        else:
            holder[path[-1]] = draw(LEAVES | NUMBERS | ANYTHING)
    return document


LABELS = st.dictionaries(
    st.sampled_from(["env", "environment", "kubernaut.io/environment", "app"]), WORDS | ANYTHING, max_size=3
)


@st.composite
def namespaces(draw: st.DrawFn) -> Any:
    """Labels of a namespace and of a cluster, mostly of the right shape."""
    if draw(st.integers(0, 9)) == 0:
        return draw(ANYTHING)
    document = copy.deepcopy(draw(st.sampled_from(NAMESPACES)))
    for key in draw(st.lists(st.sampled_from(["namespace_labels", "cluster_labels"]), max_size=2)):
        document[key] = draw(LABELS | ANYTHING)
    return document
