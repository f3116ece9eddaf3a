"""The shipped ClusterRole grants what is watched and what the catalogue writes, and no other write."""

from collections.abc import Iterator
from pathlib import Path

import yaml

from kubernaut.actions.catalogue import IMPERATIVE
from kubernaut.adapters.kubernetes.cluster import WATCHED
from kubernaut.domain.plans import Step
from kubernaut.domain.resources import KINDS, ResourceRef

RBAC = Path(__file__).parents[2] / "config" / "rbac" / "kubernaut.yaml"
READS = {"get", "list", "watch"}
Right = tuple[str, str, str]
"""Verb, API group, resource."""


def granted() -> Iterator[Right]:
    documents = yaml.safe_load_all(RBAC.read_text("utf-8"))
    role = next(d for d in documents if d["kind"] == "ClusterRole")
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            yield from ((verb, group, resource) for resource in rule["resources"] for verb in rule["verbs"])


def test_everything_that_is_watched_may_be_watched() -> None:
    rights = set(granted())
    wanted = {(verb, KINDS[kind].group, KINDS[kind].plural) for kind in WATCHED for verb in READS}
    assert wanted <= rights


def test_the_writes_are_those_of_the_catalogue_and_the_refresh() -> None:
    asked = ("Application", "GitRepository", "Kustomization")
    needed: set[Right] = {("patch", KINDS[kind].group, KINDS[kind].plural) for kind in asked}
    for action in IMPERATIVE.values():
        step = Step("step", action.name, ResourceRef("prod", action.target_kinds[0], "some", "shop"))
        for access in action.accesses(step):
            kind = KINDS[access.kind]
            needed.add((access.verb, kind.group, f"{kind.plural}/{access.subresource}".rstrip("/")))
    assert {right for right in granted() if right[0] not in READS} == needed


def test_no_secret_may_be_read_and_nothing_is_granted_by_a_star() -> None:
    for right in granted():
        assert "*" not in right
        assert right[2] != "secrets"
