"""All places in a folder that speak about one object, in the order in which they are applied: the last one wins."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import yaml

from kubernaut.domain.errors import BadInput
from kubernaut.domain.resources import KINDS, ResourceRef

from . import marks, splice
from .layers import Layer, inside

GENERATED = re.compile(r"-[bcdfghkmt2456789]{10}$")
"""The content hash that Kustomize appends to generated names. Source: sigs.k8s.io/kustomize api/hasher."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """One place that speaks about the object.

    Args:
        role: `manifest`, `patch` (strategic merge), `operations` (JSON 6902), `images` or `generator`.
        path: the file.
        text: the text that `node` was parsed from: the file's, or that of a patch written inside a kustomization.
        node: the object, the list of operations, the `images` list or the generator's entry.
        line: how many lines of the file come before `text`.
        embed: new `text` → new text of the whole file.
        folder: folder of the kustomization, for references to other files.
        doubt: why nothing here tells whether it applies to the object; empty when it does.
    """

    role: str
    path: str
    text: str
    node: yaml.Node
    line: int
    embed: Callable[[str], str]
    folder: str
    doubt: str = ""

    def place(self, node: yaml.Node) -> str:
        """`path:line` of a node of this carrier, for people."""
        return f"{self.path}:{self.line + marks.line_of(node)}"


def carriers(files: Mapping[str, str], layer: Layer, target: ResourceRef) -> list[Carrier]:
    """Every place, innermost first. Raises BadInput where a file that matters is no YAML."""
    return list(_walk(files, layer, target, target.name, target.namespace))


def _walk(
    files: Mapping[str, str], layer: Layer, target: ResourceRef, name: str, namespace: str | None
) -> Iterator[Carrier]:
    inner = layer.inner_name(name)
    forced = marks.text_at(layer.node, "namespace")
    if inner is None or (forced and namespace not in (None, forced)):
        return
    below = None if forced or not KINDS[target.kind].namespaced else namespace
    for part in layer.inner:
        yield from _walk(files, part, target, inner, below)
    for path in layer.manifests:
        yield from _manifests(files, path, target.kind, inner, below, layer.folder)
    if layer.node is None:
        return
    yield from _generators(files, layer, target, inner)
    for part in layer.components:
        yield from _walk(files, part, target, inner, below)
    yield from _patches(files, layer, target, {inner, name})
    images = marks.child(layer.node, "images")
    if images is not None:
        yield Carrier("images", layer.path, files[layer.path], images, 0, str, layer.folder)


def _manifests(
    files: Mapping[str, str], path: str, kind: str, name: str, namespace: str | None, folder: str
) -> Iterator[Carrier]:
    text = files[path]
    if kind not in text or name not in text:
        return
    for node in objects(text, path):
        told = marks.text_at(node, "metadata", "namespace")
        if (
            marks.text_at(node, "kind") == kind
            and _is_of(node, kind)
            and marks.text_at(node, "metadata", "name") == name
            and namespace in (None, told or namespace)
        ):
            yield Carrier("manifest", path, text, node, 0, str, folder)


def _is_of(node: yaml.Node, kind: str) -> bool:
    """Whether the API group is that of the kind: others have Deployments, too."""
    version = marks.text_at(node, "apiVersion")
    return not version or version.rpartition("/")[0] == KINDS[kind].group


def objects(text: str, path: str) -> Iterator[yaml.Node]:
    """The objects of a manifest, those in a `List` included."""
    for root in marks.documents(text, path):
        if root is not None and marks.text_at(root, "kind").endswith("List") and marks.child(root, "items") is not None:
            yield from marks.items(marks.child(root, "items"))
        elif root is not None:
            yield root


def _generators(files: Mapping[str, str], layer: Layer, target: ResourceRef, name: str) -> Iterator[Carrier]:
    if target.kind != "ConfigMap":
        return
    for entry in marks.items(marks.child(layer.node, "configMapGenerator")):
        if marks.text_at(entry, "name") in (name, GENERATED.sub("", name)):
            yield Carrier("generator", layer.path, files[layer.path], entry, 0, str, layer.folder)


def _patches(files: Mapping[str, str], layer: Layer, target: ResourceRef, names: set[str]) -> Iterator[Carrier]:
    """In Kustomize's own order, which is not that of their names. Source: its builtin transformers, kusttarget.go."""
    text = files[layer.path]
    for item in marks.items(marks.child(layer.node, "patchesStrategicMerge")):
        if "\n" in str(item.value).strip():
            yield from _patch(text, layer, item, None, target.kind, names)
        else:
            yield from _patch_file(files, layer, item, None, target.kind, names)
    for key in ("patches", "patchesJson6902"):
        for entry in marks.items(marks.child(layer.node, key)):
            selector, inline, path = (marks.child(entry, part) for part in ("target", "patch", "path"))
            if selector is not None and not _selects(selector, target, names):
                continue
            found: Iterator[Carrier] = iter(())
            if inline is not None:
                found = _patch(text, layer, inline, selector, target.kind, names)
            elif path is not None:
                found = _patch_file(files, layer, path, selector, target.kind, names)
            yield from (replace(carrier, doubt=_doubt(selector)) for carrier in found)


def _patch_file(
    files: Mapping[str, str], layer: Layer, entry: yaml.Node, target: yaml.Node | None, kind: str, names: set[str]
) -> Iterator[Carrier]:
    path = inside(layer.folder, str(entry.value))
    if path is None or path not in files:
        raise BadInput(f"the patch {entry.value!r} is not in the repository", place=marks.where(entry))
    for root in marks.documents(files[path], path):
        if root is not None and _speaks_of(root, target, kind, names):
            role = "operations" if isinstance(root, yaml.SequenceNode) else "patch"
            yield Carrier(role, path, files[path], root, 0, str, layer.folder)


def _patch(
    outer: str, layer: Layer, holder: yaml.Node, target: yaml.Node | None, kind: str, names: set[str]
) -> Iterator[Carrier]:
    """A patch written as a string inside the kustomization: edited there, then put back into its block."""
    if not isinstance(holder, yaml.ScalarNode):
        return
    text = holder.value
    embed = partial(_embed, outer, holder, layer.path)
    offset = marks.line_of(holder) - (0 if holder.style in ("|", ">") else 1)
    for root in marks.documents(text, f"{layer.path}:{marks.line_of(holder)}, line of the patch"):
        if root is not None and _speaks_of(root, target, kind, names):
            role = "operations" if isinstance(root, yaml.SequenceNode) else "patch"
            yield Carrier(role, layer.path, text, root, offset, embed, layer.folder)


def _embed(outer: str, holder: yaml.Node, path: str, inner: str) -> str:
    return splice.replace_value(outer, holder, inner, string=True, place=f"{path}:{marks.line_of(holder)}")


def _speaks_of(root: yaml.Node, target: yaml.Node | None, kind: str, names: set[str]) -> bool:
    if isinstance(root, yaml.SequenceNode):
        return target is not None
    if target is not None:
        return True
    return (
        marks.text_at(root, "kind") == kind and _is_of(root, kind) and marks.text_at(root, "metadata", "name") in names
    )


def _selects(selector: yaml.Node, target: ResourceRef, names: set[str]) -> bool:
    """A patch's `target`: group and version are plain, kind, name and namespace anchored regular expressions."""
    group, version = marks.text_at(selector, "group"), marks.text_at(selector, "version")
    spelled = KINDS[target.kind]
    if (group and group != spelled.group) or (version and version != spelled.api_version.rpartition("/")[2]):
        return False
    wanted = [(marks.text_at(selector, "kind"), {target.kind}), (marks.text_at(selector, "name"), names)]
    try:
        return all(not regex or any(re.fullmatch(regex, text) for text in texts) for regex, texts in wanted)
    except re.error:
        return False


def _doubt(selector: yaml.Node | None) -> str:
    """Labels, annotations and the namespace at that layer are made by others: they aren't followed."""
    for key in ("labelSelector", "annotationSelector", "namespace"):
        if marks.text_at(selector, key):
            return f"this patch selects by {key}, so it is not certain that it applies: edit it by hand"
    return ""
