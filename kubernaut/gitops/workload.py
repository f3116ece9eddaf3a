"""Where a container's image and resources stand: manifest, strategic patch, JSON patch, Kustomize's `images`."""

from collections.abc import Sequence

import yaml

from kubernaut.domain.errors import BadInput

from . import images, jsonpatch, marks
from .carriers import Carrier
from .sites import NULL, Site, descend, insertion, value_site

_POD_SPEC = {"Pod": ("spec",), "CronJob": ("spec", "jobTemplate", "spec", "template", "spec")}
_TEMPLATE = ("spec", "template", "spec")
_GROUPS = ("containers", "initContainers")


def pod_spec(kind: str) -> tuple[str, ...]:
    """The keys that lead from an object of this kind to its pod's spec."""
    return _POD_SPEC.get(kind, _TEMPLATE)


def field_sites(carriers: Sequence[Carrier], kind: str, container: str, keys: list[str]) -> list[Site]:
    """Every place that sets a field of a container, in the order of application."""
    found: list[Site] = []
    pointer = _pointer(carriers, kind, container)
    for carrier in carriers:
        if carrier.role in ("manifest", "patch"):
            node = descend(carrier, _container(carrier, kind, container), keys)
            if isinstance(node, yaml.ScalarNode) and node.tag != NULL:
                found.append(value_site(carrier, node, string=False))
        elif carrier.role == "operations" and pointer:
            _hold_positions(carriers, carrier, pointer)
            found += jsonpatch.sites(carrier, [*pointer, *keys], string=False)
    return found


def field_insertion(carriers: Sequence[Carrier], kind: str, container: str, keys: list[str]) -> Site | None:
    """Where a field that nobody sets belongs: the last patch that speaks of the container, else its manifest."""
    for carrier in reversed(carriers):
        node = _container(carrier, kind, container) if carrier.role in ("manifest", "patch") else None
        if node is None:
            continue
        depth = 0
        while depth < len(keys) and (below := marks.child(node, keys[depth])) is not None:
            node, depth = below, depth + 1
        if depth == len(keys):  # the key is there without a value
            return value_site(carrier, node, string=False)
        return insertion(carrier, node, keys[depth:], string=False)
    return None


def image_sites(carriers: Sequence[Carrier], kind: str, container: str) -> list[Site]:
    """Every place that decides about a container's image, in the order of application; the last one's value results."""
    found: list[Site] = []
    current = ""
    pointer = _pointer(carriers, kind, container)
    for carrier in carriers:
        if carrier.role in ("manifest", "patch"):
            node = descend(carrier, _container(carrier, kind, container), ["image"])
            new = [value_site(carrier, node, string=True)] if node is not None else []
        elif carrier.role == "operations" and pointer:
            _hold_positions(carriers, carrier, pointer)
            new = jsonpatch.sites(carrier, [*pointer, "image"], string=True)
        elif carrier.role == "images" and current:
            new = images.sites(carrier, current)
        else:
            new = []
        found += new
        current = new[-1].value if new else current
    return found


def _container(carrier: Carrier, kind: str, name: str) -> yaml.Node | None:
    spec = descend(carrier, carrier.node, pod_spec(kind))
    groups = (marks.named(marks.child(spec, group), name) for group in _GROUPS)
    return next((found for found in groups if found is not None), None)


def _descend(node: yaml.Node | None, keys: Sequence[str]) -> yaml.Node | None:
    for key in keys:
        node = marks.child(node, key)
    return node


def _pointer(carriers: Sequence[Carrier], kind: str, name: str) -> list[str]:
    """The container as a JSON pointer's parts, by its position in the manifest; empty when there is no manifest."""
    for carrier in carriers:
        spec = _descend(carrier.node, pod_spec(kind)) if carrier.role == "manifest" else None
        for group in _GROUPS:
            for at, item in enumerate(marks.items(marks.child(spec, group))):
                if marks.text_at(item, "name") == name:
                    return [*pod_spec(kind), group, str(at)]
    return []


def _hold_positions(carriers: Sequence[Carrier], operations: Carrier, pointer: list[str]) -> None:
    """A JSON patch counts containers, and counts others than the manifest's where a patch before it adds or removes one.

    Raises:
        BadInput: that is so.
    """
    *above, group, _ = pointer
    if not jsonpatch.counts(operations, [*above, group]):
        return
    listed: set[str] = set()
    for carrier in carriers:
        if carrier is operations:
            return
        items = marks.items(marks.child(_descend(carrier.node, above), group))
        if carrier.role == "manifest":
            listed |= {marks.text_at(item, "name") for item in items}
        elif carrier.role == "patch":
            moving = (i for i in items if marks.child(i, "$patch") or marks.text_at(i, "name") not in listed)
            if (item := next(moving, None)) is not None:
                raise BadInput(
                    f"this JSON patch counts {group}, and {carrier.place(item)} changes which there are: edit it by hand",
                    place=operations.place(operations.node),
                )


def require_container(carriers: Sequence[Carrier], kind: str, container: str) -> None:
    """Raise BadInput when no place speaks of the container."""
    known = [c for c in carriers if c.role in ("manifest", "patch")]
    if not any(_container(c, kind, container) is not None for c in known):
        places = ", ".join(c.place(c.node) for c in known)
        raise BadInput(f"no container {container!r} in {places}", field="container")
