"""Tokens that people put into an Application's repoURL reach neither the store nor a sentence."""

import pytest

from kubernaut.domain.resources import ResourceRef
from kubernaut.gitops import argocd, flux
from kubernaut.gitops.source import address
from kubernaut.pipeline.syncing import applied_revision

APP = ResourceRef("prod", "Application", "web", "argocd")
TOKEN = "ghp_" + "a1B2" * 9


@pytest.mark.parametrize(
    ("spelled", "kept"),
    [
        (f"https://ana:{TOKEN}@git.example:8443/shop.git", "https://git.example:8443/shop.git"),
        (f"https://{TOKEN}@git.example/shop.git", "https://git.example/shop.git"),
        ("ssh://git@git.example/shop.git", "ssh://git@git.example/shop.git"),
        (f"ssh://git:{TOKEN}@git.example/shop.git", "ssh://git@git.example/shop.git"),
        ("git@git.example:org/shop.git", "git@git.example:org/shop.git"),
        ("https://git.example/shop.git", "https://git.example/shop.git"),
        ("file:///srv/git/shop.git", "file:///srv/git/shop.git"),
        (f"https://{TOKEN}@[git.example/shop.git", ""),
        (None, ""),
    ],
)
def test_an_address_has_no_credentials(spelled: str | None, kept: str) -> None:
    assert address(spelled) == kept


def test_ownership_holds_the_address_only() -> None:
    url = f"https://ana:{TOKEN}@git.example/shop.git"
    source = {"repoURL": url, "path": "apps/web", "targetRevision": "main"}
    several = {"sources": [source, {"repoURL": url, "ref": "values"}]}
    status = {"sync": {"status": "Synced", "revisions": ["abc", "def"]}}
    for spec in ({"source": source}, several, {"sources": [{"chart": "c"}, {"repoURL": url, "ref": "values"}]}):
        found = argocd.ownership({"kind": "Application", "metadata": {"name": "web"}, "spec": spec}, APP)
        assert TOKEN not in repr(found)
        assert "git.example" in repr(found)
    application = {"kind": "Application", "metadata": {}, "spec": several, "status": status}
    assert applied_revision(application, "https://git.example/shop.git") == "abc"


def test_ownership_through_flux_holds_the_address_only() -> None:
    owner = {
        "kind": "Kustomization",
        "metadata": {"name": "web", "namespace": "flux-system"},
        "spec": {"sourceRef": {"kind": "GitRepository", "name": "web"}, "path": "./apps"},
    }
    git = {"kind": "GitRepository", "metadata": {}, "spec": {"url": f"https://ana:{TOKEN}@git.example/shop.git"}}
    ref = ResourceRef("prod", "Kustomization", "web", "flux-system")
    assert flux.ownership(owner, ref, git, "prod").repo_url == "https://git.example/shop.git"
