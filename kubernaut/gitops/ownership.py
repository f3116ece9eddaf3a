"""Who owns an object in Git: decided from its metadata and from the controllers' objects that it points at.

Pure: `needed` says what has to be read, `owner_of` decides from what was read.
"""

from collections.abc import Iterable, Sequence

from kubernaut.domain.facts import Object, ref_of
from kubernaut.domain.proposals import Ownership
from kubernaut.domain.resources import ResourceRef

from . import argocd, flux


def needed(item: Object, cluster: str, known: Sequence[Object] = ()) -> list[ResourceRef]:
    """What must be read to decide about `item`, beyond what is known.

    Read these, add those that exist to `known`, ask again; after at most three rounds nothing is missing.
    """
    have = {ref_of(o, cluster): o for o in known}
    return [ref for ref in _wanted(item, cluster, have) if ref not in have]


def _wanted(item: Object, cluster: str, have: dict[ResourceRef, Object]) -> Iterable[ResourceRef]:
    tracking = argocd.tracked_by(item)
    if tracking is not None:
        yield _application(tracking, cluster)
    elif name := argocd.instance(item):
        yield ResourceRef(cluster, "Application", name, argocd.CONTROL_PLANE)
    starts = [ref for ref in (flux.helm_release(item, cluster), flux.kustomization(item, cluster)) if ref]
    release = starts[0] if starts and starts[0].kind == "HelmRelease" else None
    if release in have and (behind := flux.kustomization(have[release], cluster)):
        starts.append(behind)
    for ref in dict.fromkeys(starts):
        yield ref
        if ref.kind == "Kustomization" and ref in have:
            source = flux.source(have[ref], cluster)
            if source is not None and source.kind == "GitRepository":
                yield source


def owner_of(item: Object, objects: Sequence[Object], cluster: str) -> Ownership | None:
    """The owner in Git, or None when no controller claims the object.

    Args:
        item: the top owner (pods carry no tracking id).
        objects: Applications, Kustomizations, HelmReleases and GitRepositories that were read; more does no harm.

    Returns:
        An Ownership with `changeable` False and an `obstacle` where a controller owns the object but a pull request can't
        be made; never None then, so that nobody takes the object for unmanaged.
    """
    have = {ref_of(o, cluster): o for o in objects}
    return _by_argocd(item, have, cluster) or _by_flux(item, have, cluster)


def _application(tracking: argocd.TrackingId, cluster: str) -> ResourceRef:
    return ResourceRef(cluster, "Application", tracking.app, tracking.app_namespace or argocd.CONTROL_PLANE)


def _by_argocd(item: Object, have: dict[ResourceRef, Object], cluster: str) -> Ownership | None:
    tracking = argocd.tracked_by(item)
    if tracking is not None:
        ref = _application(tracking, cluster)
        if ref not in have and not tracking.app_namespace:
            named = [r for r in have if r.kind == "Application" and r.name == tracking.app]
            ref = next((r for r in named if argocd.lists(have[r], item)), ref)
        if ref in have:
            return argocd.ownership(have[ref], ref)
        why = f"the Application {ref.short} that the tracking id names could not be read"
        return Ownership("argocd", ref, "", "", "", changeable=False, obstacle=why)
    name = argocd.instance(item)
    for ref, application in have.items():
        if ref.kind == "Application" and ref.name == name and argocd.lists(application, item):
            return argocd.ownership(application, ref)
    return None


def _by_flux(item: Object, have: dict[ResourceRef, Object], cluster: str) -> Ownership | None:
    release = flux.helm_release(item, cluster)
    if release is not None:
        return _helm(item, release, have, cluster)
    owner = flux.kustomization(item, cluster)
    if owner is None:
        return None
    if owner in have and flux.disowns(have[owner], item):
        return None
    return _kustomization(owner, have, cluster)


def _kustomization(owner: ResourceRef, have: dict[ResourceRef, Object], cluster: str) -> Ownership:
    if owner not in have:
        why = f"the Kustomization {owner.short} that the labels name could not be read"
        return Ownership("flux", owner, "", "", "", changeable=False, obstacle=why)
    source = flux.source(have[owner], cluster)
    return flux.ownership(have[owner], owner, have.get(source) if source else None, cluster)


def _helm(item: Object, release: ResourceRef, have: dict[ResourceRef, Object], cluster: str) -> Ownership:
    """A HelmRelease is itself an object that a Kustomization applies: follow that to the repository."""
    held = have.get(release)
    owner = flux.kustomization(held, cluster) if held else flux.kustomization(item, cluster)
    if owner is None:
        why = f"{release.short} is a Helm release that no Kustomization applies"
        return Ownership("flux", release, "", "", "", changeable=False, obstacle=why)
    return flux.through_helm(_kustomization(owner, have, cluster), release)
