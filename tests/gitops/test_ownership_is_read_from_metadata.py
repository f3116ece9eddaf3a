"""Argo CD's and Flux's metadata lead to repository, revision and path, or to the reason why no pull request can help."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from kubernaut.domain.facts import Object, ref_of
from kubernaut.domain.proposals import Ownership
from kubernaut.domain.resources import ResourceRef
from kubernaut.gitops.ownership import needed, owner_of

URL = "https://git.example/shop.git"


def deployment(annotations: dict[str, str] | None = None, labels: dict[str, str] | None = None) -> Object:
    meta = {"name": "checkout", "namespace": "shop", "annotations": annotations or {}, "labels": labels or {}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta}


def tracked(value: str = "shop:apps/Deployment:shop/checkout") -> Object:
    return deployment({"argocd.argoproj.io/tracking-id": value})


def application(
    spec: dict[str, Any] | None = None, namespace: str = "argocd", name: str = "shop", **metadata: object
) -> dict[str, Any]:
    source = {"repoURL": URL, "path": "./apps/checkout/", "targetRevision": "main"}
    return {
        "kind": "Application",
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "spec": spec or {"source": source},
        "status": {"sync": {"revision": "abc123"}},
    }


def solve(item: Object, *world: Object) -> Ownership | None:
    """Read what is asked for out of a world, as the pipeline does."""
    there = {ref_of(o, "prod"): o for o in world}
    known: list[Object] = []
    asked: set[ResourceRef] = set()
    for _ in range(3):
        wanted = [ref for ref in needed(item, "prod", known) if ref not in asked]
        asked.update(wanted)
        known += [there[ref] for ref in wanted if ref in there]
    return owner_of(item, known, "prod")


def test_an_application_by_tracking_id() -> None:
    found = solve(tracked(), application())
    app = ResourceRef("prod", "Application", "shop", "argocd")
    assert found == Ownership("argocd", app, URL, "main", "apps/checkout", "abc123")


def test_an_application_in_another_namespace() -> None:
    found = solve(tracked("team-a_shop:apps/Deployment:shop/checkout"), application(namespace="team-a"))
    assert found is not None
    assert (found.application.namespace, found.application.name, found.changeable) == ("team-a", "shop", True)


def test_the_core_group_is_empty() -> None:
    item = {
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {
            "name": "cfg", "namespace": "shop", "annotations": {"argocd.argoproj.io/tracking-id": "shop:/ConfigMap:shop/cfg"}
        },
    }  # fmt: skip
    assert solve(item, application()) is not None


@pytest.mark.parametrize(
    "copied",
    [
        "shop:apps/Deployment:shop/other",
        "shop:apps/StatefulSet:shop/checkout",
        "shop:apps/Deployment:dev/checkout",
        "x",
    ],
)
def test_an_id_that_names_another_object_was_copied(copied: str) -> None:
    assert solve(tracked(copied), application()) is None


def test_the_instance_label_counts_only_when_the_application_confirms_it() -> None:
    item = deployment(labels={"app.kubernetes.io/instance": "shop"})
    assert solve(item, application()) is None
    confirmed = application()
    confirmed["status"]["resources"] = [
        {"group": "apps", "kind": "Deployment", "namespace": "shop", "name": "checkout"}
    ]
    found = solve(item, confirmed)
    assert found is not None
    assert found.repo_url == URL


def test_an_application_that_can_not_be_read_still_owns() -> None:
    found = solve(tracked())
    assert found is not None
    assert (found.changeable, "could not be read" in found.obstacle) == (False, True)


def test_several_sources() -> None:
    chart = {"repoURL": "https://charts.example", "chart": "redis", "targetRevision": "1.2.3"}
    values = {"repoURL": "https://git.example/values", "ref": "values", "targetRevision": "main"}
    git = {"repoURL": URL, "path": "apps", "targetRevision": "main"}
    app = application({"sources": [chart, values, git]})
    app["status"] = {"sync": {"revisions": ["1.2.3", "aaa", "bbb"]}}
    found = solve(tracked(), app)
    assert found is not None
    assert (found.repo_url, found.path, found.deployed, found.changeable) == (URL, "apps", "bbb", True)


def test_a_chart_alone_can_not_be_changed() -> None:
    found = solve(tracked(), application({"source": {"repoURL": "https://charts.example", "chart": "redis"}}))
    assert found is not None
    assert (found.changeable, "Helm chart" in found.obstacle) == (False, True)


def test_a_chart_with_values_in_git_names_their_repository() -> None:
    chart = {"repoURL": "https://charts.example", "chart": "redis", "helm": {"valueFiles": ["$v/redis.yaml"]}}
    found = solve(tracked(), application({"sources": [chart, {"repoURL": URL, "ref": "v"}]}))
    assert found is not None
    assert (found.changeable, URL in found.obstacle) == (False, True)


@pytest.mark.parametrize(("tool", "settings"), [("helm", {"valueFiles": ["prod.yaml"]}), ("plugin", {"name": "x"})])
def test_rendered_sources_are_told_apart(tool: str, settings: dict[str, Any]) -> None:
    found = solve(tracked(), application({"source": {"repoURL": URL, "path": "chart", tool: settings}}))
    assert found is not None
    assert (found.changeable, found.repo_url, "by hand" in found.obstacle) == (False, URL, True)


def test_overrides_in_the_application_are_a_caution() -> None:
    source = {"repoURL": URL, "path": "a", "targetRevision": "main", "kustomize": {"images": ["app:1"]}}
    found = solve(tracked(), application({"source": source}))
    assert found is not None
    assert (found.changeable, found.revision, "overrides images" in found.obstacle) == (True, "main", True)


def test_a_hydrator_is_edited_at_its_dry_source() -> None:
    dry = {"repoURL": URL, "path": "dry", "targetRevision": "main"}
    app = application({"sourceHydrator": {"drySource": dry, "syncSource": {"targetBranch": "env/prod", "path": "x"}}})
    found = solve(tracked(), app)
    assert found is not None
    assert (found.path, found.revision) == ("dry", "main")


@pytest.mark.parametrize("revision", ["v1.2.3", "1.4", "0123abc", "refs/tags/may", ">=1.0"])
def test_a_fixed_revision_is_a_caution(revision: str) -> None:
    found = solve(tracked(), application({"source": {"repoURL": URL, "path": "a", "targetRevision": revision}}))
    assert found is not None
    assert (found.changeable, found.revision, revision in found.obstacle) == (True, "HEAD", True)


@pytest.mark.parametrize("revision", ["main", "release-1.4", "feature/x", "HEAD", ""])
def test_a_branch_is_none(revision: str) -> None:
    found = solve(tracked(), application({"source": {"repoURL": URL, "path": "a", "targetRevision": revision}}))
    assert found is not None
    assert (found.revision, found.obstacle) == (revision or "HEAD", "")


def test_an_applicationset_is_named() -> None:
    app = application(ownerReferences=[{"kind": "ApplicationSet", "name": "all-clusters", "controller": True}])
    found = solve(tracked(), app)
    assert found is not None
    assert (found.changeable, "ApplicationSet all-clusters" in found.obstacle) == (False, True)


FLUX = {"kustomize.toolkit.fluxcd.io/name": "shop", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
HELM = {"helm.toolkit.fluxcd.io/name": "redis", "helm.toolkit.fluxcd.io/namespace": "shop"}


def kustomization(kind: str = "GitRepository") -> dict[str, Any]:
    return {
        "kind": "Kustomization",
        "metadata": {"name": "shop", "namespace": "flux-system"},
        "spec": {"path": "./clusters/prod", "sourceRef": {"kind": kind, "name": "shop"}},
        "status": {"lastAppliedRevision": "main@sha1:abc123"},
    }


def git_repository(**ref: str) -> dict[str, Any]:
    return {
        "kind": "GitRepository",
        "metadata": {"name": "shop", "namespace": "flux-system"},
        "spec": {"url": URL, "ref": ref},
    }


def test_a_kustomization_leads_to_its_git_repository() -> None:
    found = solve(deployment(labels=FLUX), kustomization(), git_repository(branch="main"))
    owner = ResourceRef("prod", "Kustomization", "shop", "flux-system")
    assert found == Ownership("flux", owner, URL, "main", "clusters/prod", "abc123")


def test_a_tag_is_a_caution_in_flux_too() -> None:
    found = solve(deployment(labels=FLUX), kustomization(), git_repository(tag="may"))
    assert found is not None
    assert (found.changeable, found.revision, "may" in found.obstacle) == (True, "HEAD", True)


@pytest.mark.parametrize("kind", ["OCIRepository", "Bucket"])
def test_what_is_not_git_can_not_be_changed(kind: str) -> None:
    found = solve(deployment(labels=FLUX), kustomization(kind))
    assert found is not None
    assert (found.changeable, kind in found.obstacle) == (False, True)


def test_labels_that_the_inventory_denies_were_copied() -> None:
    owner = kustomization()
    owner["status"]["inventory"] = {"entries": [{"id": "shop_other_apps_Deployment", "v": "v1"}]}
    assert solve(deployment(labels=FLUX), owner, git_repository(branch="main")) is None
    owner["status"]["inventory"]["entries"].append({"id": "shop_checkout_apps_Deployment", "v": "v1"})
    assert solve(deployment(labels=FLUX), owner, git_repository(branch="main")) is not None


def test_a_helm_release_is_followed_to_its_repository_but_not_edited() -> None:
    release = {"kind": "HelmRelease", "metadata": {"name": "redis", "namespace": "shop", "labels": FLUX}, "spec": {}}
    found = solve(deployment(labels=HELM), release, kustomization(), git_repository(branch="main"))
    assert found is not None
    assert (found.repo_url, found.application.kind, found.changeable) == (URL, "Kustomization", False)
    assert "shop/redis is a Helm release" in found.obstacle


def test_nobody_s_object() -> None:
    assert needed(deployment(), "prod") == []
    assert owner_of(deployment(), [application()], "prod") is None


def _spots(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in below:
        yield from _spots(inner, (*path, key))


def _with(item: Any, path: tuple[Any, ...], odd: object) -> Any:
    changed = copy.deepcopy(item)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = odd
    return changed


FULL = application(
    spec={
        "source": {"repoURL": URL, "path": "apps", "targetRevision": "main", "kustomize": {"images": ["a"]}},
        "sources": [{"repoURL": URL, "path": "apps"}, {"chart": "x", "repoURL": URL}],
        "sourceHydrator": {"drySource": {"repoURL": URL, "path": "a"}},
    },
    ownerReferences=[{"kind": "ApplicationSet", "name": "x"}],
) | {
    "status": {
        "sync": {"revision": "a", "revisions": ["a", "b"]}, "sourceHydrator": {"lastSuccessfulOperation": {"drySHA": "x"}},
        "resources": [{"kind": "Deployment", "namespace": "shop", "name": "checkout"}],
    }
}  # fmt: skip
APPLIED = {
    "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
    "metadata": {"name": "shop", "namespace": "flux-system", "labels": {}},
    "spec": {"path": "./apps", "sourceRef": {"kind": "GitRepository", "name": "shop"}},
    "status": {"lastAppliedRevision": "main@sha1:abc", "inventory": {"entries": [{"id": "shop_checkout_apps_Deployment"}]}},
}  # fmt: skip
SOURCE = {
    "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
    "metadata": {"name": "shop", "namespace": "flux-system"}, "spec": {"url": URL, "ref": {"branch": "main"}},
}  # fmt: skip
BY_FLUX = {f"kustomize.toolkit.fluxcd.io/{key}": value for key, value in APPLIED["metadata"].items() if value}  # type: ignore[attr-defined]


@pytest.mark.parametrize("odd", [None, "text", 5, True, [], {}, [None], ["text"]], ids=repr)
@pytest.mark.parametrize(
    ("item", "world"),
    [
        (tracked(), [FULL]),
        (tracked(), [application()]),
        (deployment(labels={"app.kubernetes.io/instance": "shop"}), [FULL]),
        (deployment(labels=BY_FLUX), [APPLIED, SOURCE]),
    ],
    ids=["tracking id", "one source", "instance label", "flux"],
)
def test_whatever_stands_where_something_else_belongs_is_no_owner_or_an_odd_one(
    item: Object, world: list[Any], odd: object
) -> None:
    """Never an error: it would end in the middle of a remediation."""
    for number, each in enumerate([item, *world]):
        for path in _spots(each):
            if len(path) < 2 and path[:1] != ("spec",) and path[:1] != ("status",):
                continue
            if path[:2] in (("metadata", "name"), ("metadata", "namespace")):
                continue
            changed = [_with(each, path, odd) if at == number else other for at, other in enumerate([item, *world])]
            found = solve(changed[0], *changed[1:])
            assert found is None or isinstance(found, Ownership)
