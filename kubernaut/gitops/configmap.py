"""Where a ConfigMap's value stands: manifest, patch, or one of the sources that Kustomize generates it from."""

import posixpath
from collections.abc import Mapping, Sequence
from functools import partial

import yaml

from kubernaut.domain.errors import BadInput

from . import jsonpatch, marks, splice
from .carriers import Carrier
from .layers import inside
from .sites import Site, descend, insertion, value_site


def value_sites(files: Mapping[str, str], carriers: Sequence[Carrier], key: str) -> list[Site]:
    """Every place that sets the key, in the order of application."""
    found: list[Site] = []
    for carrier in carriers:
        if carrier.role in ("manifest", "patch"):
            binary = marks.child(marks.child(carrier.node, "binaryData"), key)
            if binary is not None:
                raise BadInput(f"{key!r} is binary: edit it by hand", place=carrier.place(binary))
            _hold_mutable(carrier)
            node = descend(carrier, carrier.node, ["data", key])
            if isinstance(node, yaml.ScalarNode):
                found.append(value_site(carrier, node, string=True))
        elif carrier.role == "generator":
            found = [] if marks.text_at(carrier.node, "behavior") == "replace" else found
            found += _generated(files, carrier, key)
        elif carrier.role == "operations":
            found += jsonpatch.sites(carrier, ("data", key), string=True)
    return found


def _hold_mutable(carrier: Carrier) -> None:
    sealed = marks.child(carrier.node, "immutable")
    if sealed is not None and str(sealed.value).lower() == "true":
        why = "the ConfigMap is immutable, so the API server would refuse the change: give it another name"
        raise BadInput(why, place=carrier.place(sealed))


def value_insertion(carriers: Sequence[Carrier], key: str) -> Site | None:
    """Where a missing key belongs: the last patch or manifest, else the generator's literals."""
    for carrier in reversed(carriers):
        if carrier.role in ("manifest", "patch"):
            data = marks.child(carrier.node, "data")
            if data is None:
                return insertion(carrier, carrier.node, ["data", key], string=True)
            return insertion(carrier, data, [key], string=True)
        literals = marks.child(carrier.node, "literals") if carrier.role == "generator" else None
        if literals is not None and marks.items(literals):
            return Site("", carrier.path, carrier.place(literals), partial(_add_literal, carrier, literals, key))
    return None


def _add_literal(carrier: Carrier, literals: yaml.Node, key: str, value: str) -> str:
    return carrier.embed(
        splice.append_item(carrier.text, literals, _literal(key, value), place=carrier.place(literals))
    )


def _generated(files: Mapping[str, str], carrier: Carrier, key: str) -> list[Site]:
    found = []
    for item in marks.items(marks.child(carrier.node, "files")):
        name, equals, source = str(item.value).partition("=")
        path = inside(carrier.folder, source if equals else name)
        if path is not None and path in files and key == (name if equals else posixpath.basename(name)):
            found.append(Site(files[path], path, f"{path}:1", str))
    sources = [str(item.value) for item in marks.items(marks.child(carrier.node, "envs"))]
    for source in [*sources, *filter(None, [marks.text_at(carrier.node, "env")])]:
        path = inside(carrier.folder, source)
        if path is not None and path in files:
            found += _environment(files[path], path, key)
    for item in marks.items(marks.child(carrier.node, "literals")):
        name, equals, value = str(item.value).partition("=")
        if equals and name == key:
            found.append(
                Site(_unquoted(value), carrier.path, carrier.place(item), partial(_set_literal, carrier, item, key))
            )
    return found


def _unquoted(value: str) -> str:
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if is_quoted else value


def _set_literal(carrier: Carrier, item: yaml.Node, key: str, value: str) -> str:
    place = carrier.place(item)
    return carrier.embed(splice.replace_value(carrier.text, item, _literal(key, value), string=True, place=place))


def _literal(key: str, value: str) -> str:
    """Kustomize takes one pair of quotes away, so a value that has one of its own gets another."""
    return f'{key}="{value}"' if _unquoted(value) != value else f"{key}={value}"


def _environment(text: str, path: str, key: str) -> list[Site]:
    found = []
    lines = text.splitlines(keepends=True)
    for at, line in enumerate(lines):
        name, equals, value = line.rstrip("\r\n").partition("=")
        if equals and name.removeprefix("\ufeff").strip() == key:
            write = partial(_set_line, lines, at, path)
            found.append(Site(value, path, f"{path}:{at + 1}", write))
    return found


def _set_line(lines: list[str], at: int, path: str, value: str) -> str:
    if "\n" in value or "\r" in value:
        raise BadInput("an env file can't hold a value of several lines", place=f"{path}:{at + 1}")
    old = lines[at]
    ending = old[len(old.rstrip("\r\n")) :]
    return "".join([*lines[:at], f"{old.partition('=')[0]}={value}{ending}", *lines[at + 1 :]])
