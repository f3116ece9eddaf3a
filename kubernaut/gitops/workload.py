"""Where a container's image and resources stand: manifest, strategic patch, JSON patch, Kustomize's `images`."""

from collections.abc import Sequence

import yaml

from kubernaut.domain.errors import BadInput

from . import images, marks
from .carriers import Carrier
from .sites import Site, insertion, value_site

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
            node = _descend(_container(carrier.node, kind, container), keys)
            if isinstance(node, yaml.ScalarNode) and node.tag != "tag:yaml.org,2002:null":
                found.append(value_site(carrier, node, string=False))
        elif carrier.role == "operations" and pointer:
            found += _operations(carrier, [*pointer, *keys])
    return found


def field_insertion(carriers: Sequence[Carrier], kind: str, container: str, keys: list[str]) -> Site | None:
    """Where a field that nobody sets belongs: the last patch that speaks of the container, else its manifest."""
    for carrier in reversed(carriers):
        node = _container(carrier.node, kind, container) if carrier.role in ("manifest", "patch") else None
        if node is None:
            continue
        depth = 0
        while depth < len(keys) - 1 and (below := marks.child(node, keys[depth])) is not None:
            node, depth = below, depth + 1
        return insertion(carrier, node, keys[depth:], string=False)
    return None


def image_sites(carriers: Sequence[Carrier], kind: str, container: str) -> list[Site]:
    """Every place that decides about a container's image, in the order of application; the last one's value results."""
    found: list[Site] = []
    current = ""
    pointer = _pointer(carriers, kind, container)
    for carrier in carriers:
        if carrier.role in ("manifest", "patch"):
            node = marks.child(_container(carrier.node, kind, container), "image")
            new = [value_site(carrier, node, string=True)] if node is not None else []
        elif carrier.role == "operations" and pointer:
            new = _operations(carrier, [*pointer, "image"])
        elif carrier.role == "images" and current:
            new = images.sites(carrier, current)
        else:
            new = []
        found += new
        current = new[-1].value if new else current
    return found


def _container(node: yaml.Node | None, kind: str, name: str) -> yaml.Node | None:
    spec = _descend(node, pod_spec(kind))
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


def _operations(carrier: Carrier, pointer: list[str]) -> list[Site]:
    """Operations of a JSON patch that write the field or something that holds it."""
    found = []
    for operation in marks.items(carrier.node):
        parts = marks.text_at(operation, "path").split("/")[1:]
        parts = [part.replace("~1", "/").replace("~0", "~") for part in parts]
        if marks.text_at(operation, "op") not in ("add", "replace") or pointer[: len(parts)] != parts:
            continue
        node = _descend(marks.child(operation, "value"), pointer[len(parts) :])
        if isinstance(node, yaml.ScalarNode):
            found.append(value_site(carrier, node, string=False))
    return found


def require_container(carriers: Sequence[Carrier], kind: str, container: str) -> None:
    """Raise BadInput when no place speaks of the container."""
    known = [c for c in carriers if c.role in ("manifest", "patch")]
    if not any(_container(c.node, kind, container) is not None for c in known):
        places = ", ".join(c.place(c.node) for c in known)
        raise BadInput(f"no container {container!r} in {places}", field="container")
