"""What Flux writes on objects, and the chain Kustomization → GitRepository, read back.

Source: design contract "Flux"; fluxcd `kustomize-controller` and `helm-controller` labels.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kubernaut.domain.facts import Object
from kubernaut.domain.proposals import Ownership
from kubernaut.domain.reading import entries, section
from kubernaut.domain.resources import ResourceRef

from .source import address, clean_path, revision_caution

KUSTOMIZATION = "kustomize.toolkit.fluxcd.io"
HELM = "helm.toolkit.fluxcd.io"
REQUESTED_AT = "reconcile.fluxcd.io/requestedAt"
"""Any new value asks for a reconciliation at once. Source: fluxcd/pkg apis/meta `ReconcileRequestAnnotation`."""

_NO_GIT = ("OCIRepository", "Bucket", "HelmRepository", "HelmChart", "ExternalArtifact")


def helm_release(item: Object, cluster: str) -> ResourceRef | None:
    """The HelmRelease that the labels name."""
    return _labelled(item, HELM, "HelmRelease", cluster)


def kustomization(item: Object, cluster: str) -> ResourceRef | None:
    """The Kustomization that the labels name."""
    return _labelled(item, KUSTOMIZATION, "Kustomization", cluster)


def _labelled(item: Object, prefix: str, kind: str, cluster: str) -> ResourceRef | None:
    labels = section(item, "metadata", "labels")
    name, namespace = labels.get(f"{prefix}/name"), labels.get(f"{prefix}/namespace")
    return ResourceRef(cluster, kind, str(name), str(namespace)) if name and namespace else None


def source(owner: Object, cluster: str) -> ResourceRef | None:
    """The source that a Kustomization reads."""
    reference = section(owner, "spec", "sourceRef")
    if not reference.get("kind") or not reference.get("name"):
        return None
    namespace = reference.get("namespace") or owner["metadata"].get("namespace", "")
    return ResourceRef(cluster, str(reference["kind"]), str(reference["name"]), str(namespace))


def applied(owner: Object) -> str:
    """The commit that a Kustomization applied last, out of `main@sha1:abc…`, `main/abc…` or a plain name."""
    text = str(section(owner, "status").get("lastAppliedRevision") or "")
    return text.rpartition(":")[2] if ":" in text else text.rpartition("/")[2]


def disowns(owner: Object, item: Object) -> bool:
    """Whether the inventory is there and does not list the object: then its labels were copied."""
    listed = entries(owner, "status", "inventory", "entries")
    if not listed:
        return False
    meta = item["metadata"]
    wanted = f"{meta.get('namespace', '')}_{meta['name'].replace(':', '__')}_"
    ids = [str(entry.get("id", "")) for entry in listed]
    return not any(each.startswith(wanted) and each.endswith(f"_{item['kind']}") for each in ids)


def ownership(owner: Object, ref: ResourceRef, git: Object | None, cluster: str) -> Ownership:
    """Where a Kustomization's objects come from, and whether a pull request can change them there."""
    spec = section(owner, "spec")
    found = Ownership("flux", ref, "", "", clean_path(str(spec.get("path") or "")), applied(owner))
    at = source(owner, cluster)
    if at is None or at.kind in _NO_GIT:
        what = f"{at.kind} {at.short}" if at else "no source"
        return replace(
            found, changeable=False, obstacle=f"{ref.short} applies {what}, not Git: no pull request can change it"
        )
    if git is None:
        return replace(found, changeable=False, obstacle=f"the {at.kind} {at.short} of {ref.short} could not be read")
    git_spec, reference = section(git, "spec"), section(git, "spec", "ref")
    fixed = next((str(reference[k]) for k in ("commit", "name", "semver", "tag") if reference.get(k)), "")
    revision = _revision(fixed, reference)
    found = replace(found, repo_url=address(git_spec.get("url")), revision=revision)
    if spec.get("suspend"):
        return replace(
            found, obstacle=f"{ref.short} is suspended: a merged pull request won't deploy until it is resumed"
        )
    if fixed and not fixed.startswith("refs/heads/"):
        caution = revision_caution(fixed, application_name=at.short)
        return replace(
            found,
            revision="HEAD",
            obstacle=caution or f"{at.short} follows {fixed}, no branch: a merged pull request won't deploy by itself",
        )
    return found


def _revision(fixed: str, reference: Mapping[str, Any]) -> str:
    if fixed.startswith("refs/heads/"):
        return fixed.removeprefix("refs/heads/")
    return fixed or str(reference.get("branch") or "master")  # Source: GitRepository API: the default branch is master


def through_helm(found: Ownership, release: ResourceRef, path: str = "") -> Ownership:
    """A HelmRelease's objects are rendered from its values, so the place to edit is the release, not the object."""
    why = f"{release.short} is a Helm release: its values in {path or found.path or 'Git'} decide, and only its chart knows how"
    return replace(found, changeable=False, obstacle=why)
