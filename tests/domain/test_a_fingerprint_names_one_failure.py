"""Cluster, owner and failure class, nothing else (R-SIG-6)."""

from hypothesis import given
from hypothesis import strategies as st

from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import fingerprint

words = st.text('abc-/|\x00"', max_size=4)
refs = st.builds(ResourceRef, cluster=words, kind=words, name=words, namespace=words)


@given(refs, words, refs, words)
def test_two_failures_share_a_fingerprint_only_if_they_are_one(
    one: ResourceRef, failure: str, other: ResourceRef, other_failure: str
) -> None:
    same = (one, failure) == (other, other_failure)
    assert (fingerprint(one, failure) == fingerprint(other, other_failure)) == same


def test_it_is_the_same_in_every_process_and_release() -> None:
    ref = ResourceRef("prod", "Deployment", "checkout", "shop")
    assert fingerprint(ref, "CrashLoop") == "cd01d86f7ba960a0"
