"""What a client sent, read as an object of its kind: fields, name and namespace."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

import msgspec

from kubernaut.sim.apiserver.caller import Caller
from kubernaut.sim.apiserver.resources import Resource
from kubernaut.sim.apiserver.schema import Decoder, WrongTypeError
from kubernaut.sim.apiserver.status import Json, StatusError, bad_request, invalid, invalid_value, required

_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"  # no vowels: no words


_BYTES = {"secrets": "data", "configmaps": "binaryData"}
_BASE64 = re.compile(r"[A-Za-z0-9+/\n]*={0,2}")


@dataclass(frozen=True, slots=True)
class Patch:
    """What refusals of a patch show: a strategic one itself, in Go's words, else the patched object as JSON.

    Args:
        strategic: whether it was merged as maps, which are read by other rules than JSON.
    """

    content: Json
    strategic: bool = False

    def refusal(self, text: str) -> StatusError:
        """What was patched in is no such object."""
        shown = _go_value(self.content) if self.strategic else msgspec.json.encode(self.content).decode()
        return invalid("", "", "", [invalid_value("patch", shown, text)])


def _go_value(value: object) -> str:
    """A JSON value as Go's %+v prints it."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{_go_value(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(_go_value, value)) + "]"
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)


def decoded(
    resource: Resource, sent: Json, caller: Caller, patch: Patch | None = None, *, keeps_zeros: bool = False
) -> Json:
    """The fields that the kind has, defaults not yet filled in; warnings go to the caller.

    Raises:
        StatusError: 400 for another kind, a wrong type or, where the caller is strict, an unknown field; 422 for the
            same when a patch brought it.
    """
    if sent.get("kind") not in (None, "", resource.kind) or sent.get("apiVersion") not in (
        None,
        "",
        resource.api_version,
    ):
        raise _other_kind(resource, sent)
    decoder = Decoder(keeps_zeros=keeps_zeros)
    try:
        obj = decoder.decode(sent, resource.model)
    except WrongTypeError as error:
        if patch is not None:
            raise patch.refusal(error.converting if patch.strategic else str(error)) from error
        text = f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: {error}'
        raise bad_request(text) from error
    for value in (obj.get(_BYTES.get(resource.bucket, "")) or {}).values():
        if not _BASE64.fullmatch(value) or len(value) % 4:
            text = "illegal base64 data at input byte 0"
            raise (
                patch.refusal(text)
                if patch is not None
                else bad_request(
                    f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: {text}'
                )
            )
    if decoder.unknown and caller.field_validation == "Strict":
        listed = ", ".join(f'unknown field "{name}"' for name in decoder.unknown)
        if patch is not None:
            raise patch.refusal(f"strict decoding error: {listed}")
        text = f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: '
        raise bad_request(f"{text}strict decoding error: {listed}")
    if decoder.unknown and caller.field_validation == "Warn":
        caller.warnings.extend(f'unknown field "{name}"' for name in decoder.unknown)
    obj["kind"], obj["apiVersion"] = resource.kind, resource.api_version
    return _ordered(obj)


def identified(resource: Resource, namespace: str, obj: Json, name: str = "") -> Json:
    """Give the object its name and namespace; one that disagrees with the URL is refused."""
    metadata: Json = obj.setdefault("metadata", {})
    if resource.namespaced:
        if metadata.setdefault("namespace", namespace) != namespace:
            text = "the namespace of the provided object does not match the namespace sent on the request"
            raise bad_request(text)
    else:
        metadata.pop("namespace", None)
    if name:
        if metadata.setdefault("name", name) != name:
            text = f"the name of the object ({metadata['name']}) does not match the name on the URL ({name})"
            raise bad_request(text)
    elif not metadata.get("name"):
        if not metadata.get("generateName"):
            cause = required("metadata.name", "name or generateName is required")
            raise invalid(resource.group, resource.kind, "", [cause])
        metadata["name"] = metadata["generateName"] + "".join(secrets.choice(_SUFFIX) for _ in range(5))
    return metadata


def _ordered(obj: Json) -> Json:
    metadata = obj.pop("metadata", None) or {}
    head = {"kind": obj.pop("kind"), "apiVersion": obj.pop("apiVersion"), "metadata": metadata}
    return head | obj


def _other_kind(resource: Resource, sent: Json) -> StatusError:
    kind, version = sent.get("kind") or resource.kind, sent.get("apiVersion") or resource.api_version
    short = str(version).rpartition("/")[2]
    return bad_request(
        f'{kind} in version "{short}" cannot be handled as a {resource.kind}: '
        f'no kind "{kind}" is registered for version "{version}" in scheme "pkg/runtime/scheme.go:111"'
    )
