"""Image names taken apart, and Kustomize's `images` that rename and retag them."""

from dataclasses import dataclass

import yaml

from kubernaut.domain.errors import BadInput

from . import marks, splice
from .carriers import Carrier
from .sites import Site


@dataclass(frozen=True, slots=True)
class Image:
    """`name[:tag][@digest]`."""

    name: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        return self.name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def parse(text: str) -> Image:
    """An image reference taken apart; a colon before a slash belongs to the registry's port."""
    rest, _, digest = text.strip().partition("@")
    head, slash, last = rest.rpartition("/")
    name, _, tag = last.partition(":")
    return Image(f"{head}{slash}{name}", tag, digest)


def sites(carrier: Carrier, current: str) -> list[Site]:
    """Entries of an `images` list that change the image `current`."""
    found = []
    for at, entry in enumerate(marks.items(carrier.node)):
        image = parse(current)
        if marks.text_at(entry, "name") != image.name:
            continue
        changed = _applied(entry, image)
        found.append(Site(str(changed), carrier.path, carrier.place(entry), Rewrite(carrier, at)))
        current = str(changed)
    return found


def _applied(entry: yaml.Node, image: Image) -> Image:
    name = marks.text_at(entry, "newName") or image.name
    tag, digest = marks.text_at(entry, "newTag"), marks.text_at(entry, "digest")
    return Image(name, tag or ("" if digest else image.tag), digest or ("" if tag else image.digest))


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Writes an image into the entry number `at` of a kustomization's `images`."""

    carrier: Carrier
    at: int

    def __call__(self, value: str) -> str:
        wanted, text = parse(value), self.carrier.text
        entry = self._entry(text)
        pinned = marks.text_at(entry, "digest")
        if bool(pinned) != bool(wanted.digest):
            raise BadInput(
                "the image is pinned by digest on one side only: decide by hand", place=self.carrier.place(entry)
            )
        if wanted.name != (marks.text_at(entry, "newName") or marks.text_at(entry, "name")):
            text = self._set(text, "newName", wanted.name)
        if wanted.tag and wanted.tag != marks.text_at(self._entry(text), "newTag"):
            text = self._set(text, "newTag", wanted.tag)
        if wanted.digest:
            text = self._set(text, "digest", wanted.digest)
        return self.carrier.embed(text)

    def _entry(self, text: str) -> yaml.Node:
        root = next(node for node in marks.documents(text, self.carrier.path) if node is not None)
        return marks.items(marks.child(root, "images"))[self.at]

    def _set(self, text: str, key: str, value: str) -> str:
        entry = self._entry(text)
        node = marks.child(entry, key)
        if node is None:
            return splice.insert_value(text, entry, [key], value, string=True, place=self.carrier.place(entry))
        return splice.replace_value(text, node, value, string=True, place=self.carrier.place(node))
