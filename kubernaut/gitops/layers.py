"""A folder of manifests as Kustomize sees it: overlays over bases, in the order in which they are applied.

A folder without a kustomization is one layer of plain manifests. Nothing is rendered: the layers only tell where a value
may be written, and which of those places has the last word.
"""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import yaml

from kubernaut.domain.errors import BadInput

from . import marks

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
MANIFESTS = (".yaml", ".yml", ".json")
_DEPTH_LIMIT = 20
_LAYERS_LIMIT = 500
"""A base counts as often as it is built on: a few files that build on each other crosswise make millions."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One folder's say.

    Args:
        folder: the folder inside the repository.
        path: the kustomization's file; empty for plain manifests.
        node: the kustomization's root.
        inner: the layers that it is built on, in order.
        components: the layers that change what it has by then, in order.
        manifests: paths of the manifests it lists itself.
        absent: folders and files that it refers to and that were not given.
        remote: URLs that it refers to.
    """

    folder: str
    path: str = ""
    node: yaml.Node | None = None
    inner: tuple["Layer", ...] = ()
    components: tuple["Layer", ...] = ()
    manifests: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    remote: tuple[str, ...] = ()

    def inner_name(self, name: str) -> str | None:
        """The name before this layer's prefix and suffix; None if it can't come from here."""
        prefix, suffix = marks.text_at(self.node, "namePrefix"), marks.text_at(self.node, "nameSuffix")
        if not name.startswith(prefix) or not name.endswith(suffix) or len(name) <= len(prefix) + len(suffix):
            return None
        return name[len(prefix) : len(name) - len(suffix)]

    def everything(self) -> list["Layer"]:
        """This layer and all below it."""
        return [self, *(deep for layer in (*self.inner, *self.components) for deep in layer.everything())]


@dataclass(slots=True)
class _Build:
    files: Mapping[str, str]
    active: list[str] = field(default_factory=list)
    made: int = 0


def layers(files: Mapping[str, str], folder: str) -> Layer:
    """The layers below a folder. Raises BadInput where a kustomization is no YAML, or there are too many."""
    return _layer(_Build(files), folder.strip("/"))


def missing(files: Mapping[str, str], folder: str) -> tuple[str, ...]:
    """Files and folders outside the given ones that the folder's kustomizations refer to.

    Read them, add them and ask again until nothing is missing: bases of bases show up only then.
    """
    found = [path for layer in layers(files, folder).everything() for path in layer.absent]
    return tuple(dict.fromkeys(found))


def kustomization(files: Mapping[str, str], folder: str) -> str:
    """The path of a folder's kustomization; empty if it has none."""
    paths = (posixpath.join(folder, name) for name in KUSTOMIZATIONS)
    return next((path for path in paths if path in files), "")


def _layer(build: _Build, folder: str) -> Layer:
    path = kustomization(build.files, folder)
    build.made += 1
    if build.made > _LAYERS_LIMIT:
        raise BadInput(f"builds on more than {_LAYERS_LIMIT} others: edit it by hand", place=build.active[0])
    if not path:
        below = f"{folder}/" if folder else ""
        found = tuple(sorted(p for p in build.files if p.startswith(below) and p.endswith(MANIFESTS)))
        return Layer(folder, manifests=found)
    if folder in build.active or len(build.active) >= _DEPTH_LIMIT:
        return Layer(folder)
    node = next((root for root in marks.documents(build.files[path], path) if root is not None), None)
    build.active.append(folder)
    inner: list[Layer] = []
    components: list[Layer] = []
    manifests: list[str] = []
    absent: list[str] = []
    remote: list[str] = []
    for key in ("resources", "bases", "components"):
        for item in marks.items(marks.child(node, key)):
            entry = str(item.value).strip()
            target = inside(folder, entry)
            if is_remote(entry) or target is None:
                remote.append(entry)
            elif target in build.files:
                manifests.append(target)
            elif any(p.startswith(f"{target}/") for p in build.files):
                (components if key == "components" else inner).append(_layer(build, target))
            else:
                absent.append(target)
    absent += [p for p in _referred(node, folder) if p not in build.files]
    build.active.pop()
    return Layer(folder, path, node, tuple(inner), tuple(components), tuple(manifests), tuple(absent), tuple(remote))


def refuse_replacements(files: Mapping[str, str], layer: Layer, kind: str, leaf: str) -> None:
    """Kustomize's `replacements` are applied last and take values from elsewhere, so they win over every edit.

    Raises:
        BadInput: one of them may set the field; names file and line.
    """
    for part in layer.everything():
        for entry in marks.items(marks.child(part.node, "replacements")):
            for target in _replaced(files, part.folder, entry):
                wanted = marks.text_at(target, "select", "kind")
                for path in marks.items(marks.child(target, "fieldPaths")):
                    if wanted in ("", kind) and str(path.value).replace("\\.", ".").endswith(leaf):
                        raise BadInput(
                            "a replacement may set this field from elsewhere: edit it by hand", place=marks.where(path)
                        )


def _replaced(files: Mapping[str, str], folder: str, entry: yaml.Node) -> Iterator[yaml.Node]:
    """The targets of a replacement, which may stand in a file of its own, alone or in a list."""
    yield from marks.items(marks.child(entry, "targets"))
    path = inside(folder, marks.text_at(entry, "path")) if marks.text_at(entry, "path") else None
    for root in marks.documents(files[path], path) if path in files and path else ():
        for found in marks.items(root) if isinstance(root, yaml.SequenceNode) else [root]:
            yield from marks.items(marks.child(found, "targets"))


def _referred(node: yaml.Node | None, folder: str) -> list[str]:
    """Patch files and generator sources that a kustomization names."""
    keys = ("patches", "patchesJson6902", "replacements")
    entries = [marks.text_at(patch, "path") for key in keys for patch in _of(node, key)]
    entries += [str(item.value) for item in _of(node, "patchesStrategicMerge") if "\n" not in str(item.value).strip()]
    for generator in _of(node, "configMapGenerator"):
        entries += [str(item.value).rpartition("=")[2] for item in marks.items(marks.child(generator, "files"))]
        entries += [str(item.value) for item in marks.items(marks.child(generator, "envs"))]
        entries += [marks.text_at(generator, "env")]
    paths = (inside(folder, entry) for entry in entries if entry and not is_remote(entry))
    return [path for path in paths if path]


def _of(node: yaml.Node | None, key: str) -> list[yaml.Node]:
    return marks.items(marks.child(node, key))


def inside(folder: str, entry: str) -> str | None:
    """A relative reference as a path in the repository; None where it leaves it."""
    path = posixpath.normpath(posixpath.join(folder, entry))
    return None if path.startswith(("..", "/")) else ("" if path == "." else path)


def is_remote(entry: str) -> bool:
    """Whether a kustomization's reference is a URL, in one of the spellings that Kustomize takes."""
    return "://" in entry or entry.startswith(("git@", "github.com/", "git::")) or "?ref=" in entry
