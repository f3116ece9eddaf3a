"""A declarative action becomes the smallest edit of the files that Git has.

The value is changed where it lives: in the overlay's patch if that has the last word, else in the base. What Git says is
held against what the cluster said when the cause was found; where they differ nobody knows what the edit would do, so
there is none.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from kubernaut.domain.analysis import ActionProposal
from kubernaut.domain.errors import BadInput, Conflict, NotFound
from kubernaut.domain.proposals import FileChange
from kubernaut.domain.resources import ResourceRef

from . import configmap, images, quantity, workload
from .carriers import Carrier, carriers
from .layers import Layer, layers, missing, refuse_replacements
from .locate import chosen, holds_secrets, is_chart, obstacle
from .sites import Edit, Site

__all__ = ["ACTIONS", "AlreadyThere", "Edit", "apply_action", "has_already", "missing", "plan_edit"]

ACTIONS = ("update-resources", "update-image", "update-configmap")
"""Actions that can be carried out as an edit of YAML files."""

_RESOURCE = ("limits", "requests")


class AlreadyThere(Conflict):
    """Git has the wanted value: there is nothing to propose."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the action asks for. `old` None: the cluster has no value."""

    what: str
    old: str | None
    new: str
    same: Callable[[str, str], bool]


def apply_action(
    files: Mapping[str, str], proposal: ActionProposal, path: str, namespace: str = ""
) -> tuple[FileChange, ...]:
    """See `plan_edit`; the files alone."""
    return plan_edit(files, proposal, path, namespace).files


def plan_edit(files: Mapping[str, str], proposal: ActionProposal, path: str, namespace: str = "") -> Edit:
    """What is to change in Git so that the cluster gets what the action wants.

    Args:
        files: repository path → text; everything below `path`, and what `missing(files, path)` names.
        proposal: `update-resources`, `update-image` or `update-configmap` with its parameters.
        path: the folder that the GitOps controller applies (`Ownership.path`).
        namespace: where objects without a namespace go, if that isn't the target's.

    Raises:
        NotFound: Git has no place for this value that could be found without guessing; the message says why.
        Conflict: Git already says something else than the cluster, or already what is wanted.
        BadInput: parameters are wrong, a file is no YAML, or an anchor ties the value to others.
    """
    target = replace(proposal.target, namespace=proposal.target.namespace or namespace)
    layer = layers(files, path)
    if is_chart(files, layer):
        raise NotFound(f"cannot locate {target.kind} {target.short} in Git: {obstacle(files, layer)}")
    found = chosen(carriers(files, layer, target), layer, target)
    if not any(carrier.role in ("manifest", "generator", "patch") for carrier in found):
        raise NotFound(f"cannot locate {target.kind} {target.short} in Git: {obstacle(files, layer)}")
    if proposal.action == "update-resources":
        edit = _resources(files, proposal, target, found)
    elif proposal.action == "update-image":
        edit = _image(files, proposal, target, found)
    elif proposal.action == "update-configmap":
        edit = _configmap(files, proposal, found)
    else:
        raise BadInput(f"{proposal.action!r} can't be done by editing files; {', '.join(ACTIONS)} can", field="action")
    refuse_replacements(files, layer, target.kind, _leaf(proposal))
    return replace(edit, notes=(*edit.notes, *_notes(edit, layer)))


def has_already(files: Mapping[str, str], proposal: ActionProposal, path: str) -> bool:
    """Whether Git has the wanted value, however it came there. Arguments as for `plan_edit`; what can't be told is no."""
    try:
        plan_edit(files, proposal, path)
    except AlreadyThere:
        return True
    except (BadInput, Conflict, NotFound):
        return False
    return False


def _leaf(proposal: ActionProposal) -> str:
    """The last key of the field that is set."""
    if proposal.action == "update-image":
        return "image"
    if proposal.action == "update-configmap":
        return _parameter(proposal, "key")
    return _parameter(proposal, "field").partition(".")[2]


def _resources(files: Mapping[str, str], proposal: ActionProposal, target: ResourceRef, found: list[Carrier]) -> Edit:
    container, field = _parameter(proposal, "container"), _parameter(proposal, "field")
    group, _, resource = field.partition(".")
    if group not in _RESOURCE or not resource:
        raise BadInput("expected limits.RESOURCE or requests.RESOURCE, as limits.memory", field="parameters.field")
    workload.require_container(found, target.kind, container)
    wanted = _wanted(proposal, f"{field} of container {container}", quantity.same)
    if (size := quantity.amount(wanted.new)) is None or size <= 0:
        raise BadInput(f"{wanted.new!r} is no amount", field="parameters.to")
    _hold_against_other(proposal, target, found, wanted.new)
    keys = ["resources", group, resource]
    sites = workload.field_sites(found, target.kind, container, keys)
    if sites:
        return Edit((_write(files, sites[-1], wanted),))
    site = workload.field_insertion(found, target.kind, container, keys)
    if site is None:
        raise NotFound(f"cannot locate container {container!r} of {target.kind} {target.short} in Git")
    note = f"{wanted.what} was not in Git; it is added at {site.place}."
    return Edit((_change(files, site, wanted.new),), (note,))


def _hold_against_other(proposal: ActionProposal, target: ResourceRef, found: list[Carrier], new: str) -> None:
    """A request above its limit is refused by Kubernetes: better said now than by a failed sync."""
    group, _, resource = _parameter(proposal, "field").partition(".")
    other = "requests" if group == "limits" else "limits"
    keys = ["resources", other, resource]
    try:
        sites = workload.field_sites(found, target.kind, _parameter(proposal, "container"), keys)
    except BadInput:  # what keeps it from being found keeps nobody from editing its neighbour
        return
    there, here = quantity.amount(sites[-1].value) if sites else None, quantity.amount(new)
    if there is None or here is None:
        return
    if (there > here) if group == "limits" else (here > there):
        raise BadInput(
            f"{group}.{resource} {new} does not go with {other}.{resource} {sites[-1].value} at {sites[-1].place}: "
            "a request may not exceed its limit",
            field="parameters.to",
        )


def _image(files: Mapping[str, str], proposal: ActionProposal, target: ResourceRef, found: list[Carrier]) -> Edit:
    container = _parameter(proposal, "container")
    workload.require_container(found, target.kind, container)
    sites = workload.image_sites(found, target.kind, container)
    if not sites:
        raise NotFound(f"cannot locate the image of container {container!r} of {target.kind} {target.short} in Git")
    edit = Edit((_write(files, sites[-1], _wanted(proposal, f"image of container {container}", str.__eq__)),))
    if isinstance(sites[-1].write, images.Rewrite):
        note = f"{sites[-1].place} sets this image for everything that uses it, not only for container {container}."
        edit = replace(edit, notes=(note,))
    return edit


def _configmap(files: Mapping[str, str], proposal: ActionProposal, found: list[Carrier]) -> Edit:
    key = _parameter(proposal, "key")
    wanted = _wanted(proposal, f"key {key}", str.__eq__)
    sites = configmap.value_sites(files, found, key)
    if sites:
        return Edit((_write(files, sites[-1], wanted),))
    if wanted.old is not None:
        raise Conflict(f"the cluster has {wanted.what}, Git has not: somebody set it by hand; put it into Git first")
    site = configmap.value_insertion(found, key)
    if site is None:
        raise NotFound(
            f"cannot locate a place for {wanted.what} in Git: it is generated from files that have no such key"
        )
    return Edit((_change(files, site, wanted.new),))


def _write(files: Mapping[str, str], site: Site, wanted: _Wanted) -> FileChange:
    """The change of a value that is there, if it is there as the cluster has it."""
    if wanted.same(site.value, wanted.new):
        raise AlreadyThere(
            f"{site.place}: {wanted.what} is {_short(wanted.new)} in Git already: no pull request is needed, "
            "the cluster has not followed Git yet"
        )
    if wanted.old is None or not wanted.same(site.value, wanted.old):
        live = _short(wanted.old) if wanted.old is not None else "nothing"
        raise Conflict(
            f"{site.place}: {wanted.what} is {_short(site.value)} in Git but {live} in the cluster: they differ already, "
            "so look at that first"
        )
    return _change(files, site, wanted.new)


def _change(files: Mapping[str, str], site: Site, value: str) -> FileChange:
    before = files[site.path]
    if holds_secrets(site.path, before):
        raise BadInput(
            "the file holds values of a Secret, too, which may not be stored or shown: move it to a file of its own",
            place=site.place,
        )
    after = site.write(value)
    old, new = before.split("\n"), after.split("\n")
    line = next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    return FileChange(site.path, before, after, line + 1)


def _wanted(proposal: ActionProposal, what: str, same: Callable[[str, str], bool]) -> _Wanted:
    old = proposal.parameters.get("from")
    return _Wanted(
        what, None if old in (None, "") and what[:4] != "key " else _text(old), _parameter(proposal, "to"), same
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _parameter(proposal: ActionProposal, name: str) -> str:
    value = proposal.parameters.get(name)
    if value is None or (value == "" and name != "to"):
        raise BadInput(f"{proposal.action} needs it", field=f"parameters.{name}")
    return str(value)


def _short(value: str) -> str:
    text = " ".join(value.split())
    return repr(text if len(text) <= 60 else f"{text[:57]}…")


def _notes(edit: Edit, layer: Layer) -> tuple[str, ...]:
    """Who else is hit: a base outside the controller's folder serves other overlays as well."""
    below = f"{layer.folder}/" if layer.folder else ""
    return tuple(
        f"{change.path} lies outside {layer.folder}: every overlay that builds on it changes too."
        for change in edit.files
        if not change.path.startswith(below)
    )
