"""Protobuf bodies of built-in kinds, because Go clients send them: genuine kubectl creates with its typed clients.

Answers stay JSON; those clients accept both. Field numbers are in protobuf_fields.txt, one message a line.
Source: generated.proto of k8s.io/api and k8s.io/apimachinery, v1.36
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from kubernaut.sim.apiserver.clock import micro_stamp, stamp
from kubernaut.sim.apiserver.status import Json, bad_request

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_INLINED = {
    "volumeSource",
    "localObjectReference",
    "handler",
    "ephemeralContainerCommon",
    "persistentVolumeSource",
    "ingressRuleValue",
}
_INTEGERS = {"int32", "int64", "uint32", "uint64"}
# Go writes the zero of a plain number and the zero behind a pointer alike; only these mean zero.
_MAY_BE_ZERO = {
    "replicas", "terminationGracePeriodSeconds", "gracePeriodSeconds", "backoffLimit", "completions", "parallelism",
    "partition", "minReplicas", "ttlSecondsAfterFinished", "revisionHistoryLimit", "activeDeadlineSeconds",
    "successfulJobsHistoryLimit", "failedJobsHistoryLimit", "tolerationSeconds", "defaultMode", "exitCode",
}  # fmt: skip


@cache
def _messages() -> dict[str, dict[int, tuple[str, str]]]:
    text = resources.files("kubernaut.sim.apiserver").joinpath("protobuf_fields.txt").read_text()
    found: dict[str, dict[int, tuple[str, str]]] = {}
    for line in text.splitlines():
        name, *fields = line.split()
        numbered = found.setdefault(name, {})
        for item in fields:
            key, _, rest = item.partition("=")
            number, _, kind = rest.partition(":")
            numbered[int(number)] = (key, kind)
    return found


def decode(raw: bytes) -> Json:
    """The object in a protobuf body.

    Raises:
        StatusError: 400 for what is no such body, or a kind whose fields are not known.
    """
    if not raw.startswith(_MAGIC):
        raise bad_request("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    try:
        unknown = dict(_fields(raw[4:]))
        meta = {number: bytes(value).decode() for number, value in _fields(unknown[1])}
        version, kind = meta.get(1, ""), meta.get(2, "")
        body: Json = _message(_name(version, kind), unknown.get(2, b""))
    except (KeyError, IndexError, ValueError, struct.error) as error:
        raise bad_request(f"unable to decode a protobuf body: {error!r}; send JSON instead") from error
    return {"kind": kind, "apiVersion": version} | body


def _name(version: str, kind: str) -> str:
    group, _, short = version.rpartition("/")
    if kind == "DeleteOptions":
        return "meta.DeleteOptions"
    return f"{group.split('.')[0] or 'core'}.{short}.{kind}"


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _fields(raw: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(raw):
        tag, at = _varint(raw, at)
        wire = tag & 7
        if wire == 0:
            value, at = _varint(raw, at)
            yield tag >> 3, value
        elif wire == 2:
            size, at = _varint(raw, at)
            if at + size > len(raw):
                raise ValueError("the body ends in the middle of a field")
            yield tag >> 3, raw[at : at + size]
            at += size
        else:
            size = {1: 8, 5: 4}[wire]
            yield tag >> 3, raw[at : at + size]
            at += size


def _message(name: str, raw: bytes) -> Any:
    special = _SPECIAL.get(name)
    if special is not None:
        return special(raw)
    known = _messages()[name]
    found: Json = {}
    for number, value in _fields(raw):
        if number not in known:
            continue
        key, kind = known[number]
        if key in _INLINED:
            found |= _message(kind, value)
        elif kind.startswith("*"):
            found.setdefault(key, []).append(_value(kind[1:], value))
        elif kind.startswith("{"):
            pair = dict(_fields(value))
            found.setdefault(key, {})[bytes(pair.get(1, b"")).decode()] = _value(kind[1:], pair.get(2, b""))
        else:
            read = _value(kind, value)
            if read is None or (read == 0 and kind in _INTEGERS and key not in _MAY_BE_ZERO):
                continue
            found[key] = read
    return found


def _value(kind: str, value: Any) -> Any:
    if kind == "string":
        return bytes(value).decode()
    if kind == "bool":
        return bool(value)
    if kind in _INTEGERS:
        return value - (1 << 64) if value >> 63 else value
    if kind == "bytes":
        return base64.b64encode(value).decode()
    if kind == "double":
        return struct.unpack("<d", value)[0]
    return _message(kind, value)


def _moment(raw: bytes) -> datetime | None:
    parts = dict(_fields(raw))
    seconds = parts.get(1)
    if seconds is None:
        return None
    if seconds >> 63:
        seconds -= 1 << 64
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=parts.get(2, 0) // 1000)


def _time(raw: bytes) -> str | None:
    moment = _moment(raw)
    return stamp(moment) if moment else None


def _micro_time(raw: bytes) -> str | None:
    moment = _moment(raw)
    return micro_stamp(moment) if moment else None


def _int_or_string(raw: bytes) -> int | str:
    parts = dict(_fields(raw))
    return bytes(parts.get(3, b"")).decode() if parts.get(1) else int(parts.get(2, 0))


def _json_in(raw: bytes) -> Any:
    return msgspec.json.decode(dict(_fields(raw)).get(1, b"null"))


def _text(raw: bytes) -> str:
    return bytes(dict(_fields(raw)).get(1, b"")).decode()


def _texts(raw: bytes) -> list[str]:
    return [bytes(value).decode() for _, value in _fields(raw)]


_SPECIAL = {
    "meta.Time": _time,
    "meta.MicroTime": _micro_time,
    "util.intstr.IntOrString": _int_or_string,
    "api.resource.Quantity": _text,
    "runtime.RawExtension": _json_in,
    "meta.FieldsV1": _json_in,
    "authentication.v1.ExtraValue": _texts,
    "authorization.v1.ExtraValue": _texts,
}
