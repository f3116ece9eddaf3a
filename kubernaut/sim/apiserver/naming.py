"""How names, labels and annotations must be spelled.

Source: k8s.io/apimachinery/pkg/util/validation
"""

from __future__ import annotations

import re

from kubernaut.sim.apiserver.resources import Resource
from kubernaut.sim.apiserver.status import Cause, Json, forbidden_field, invalid_value, required

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    rf"end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
_CONFIG_KEY_TEXT = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
    "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    f"an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_LABEL_1035_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    f"and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '{_LABEL_1035}')"
)
_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_KEY_TEXT = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    f"'{_QUALIFIED}')"
)
_FINALIZERS = ("orphan", "foregroundDeletion", "kubernetes")
_RBAC = "rbac.authorization.k8s.io"


def subdomain(field: str, value: str) -> list[Cause]:
    if len(value) > 253:
        return [invalid_value(field, value, "must be no more than 253 characters")]
    return [] if re.fullmatch(_SUBDOMAIN, value) else [invalid_value(field, value, _SUBDOMAIN_TEXT)]


def label_name(field: str, value: str) -> list[Cause]:
    if len(value) > 63:
        return [invalid_value(field, value, "must be no more than 63 characters")]
    return [] if re.fullmatch(_LABEL, value) else [invalid_value(field, value, _LABEL_TEXT)]


def _name(resource: Resource, name: str) -> list[Cause]:
    if resource.group == _RBAC:
        return []
    if resource.bucket == "namespaces":
        if "." in name:
            return [invalid_value("metadata.name", name, "must not contain dots")]
        return label_name("metadata.name", name)
    if resource.bucket == "services" and not re.fullmatch(_LABEL_1035, name):
        return [invalid_value("metadata.name", name, _LABEL_1035_TEXT)]
    return subdomain("metadata.name", name)


def labels(field: str, values: Json | None) -> list[Cause]:
    """Keys are qualified names, values at most 63 characters of a small alphabet."""
    causes: list[Cause] = []
    for key, value in (values or {}).items():
        causes += qualified_name(field, key)
        if len(value) > 63:
            causes.append(invalid_value(field, value, "must be no more than 63 characters"))
        elif value and not re.fullmatch(_QUALIFIED, value):
            causes.append(invalid_value(field, value, _VALUE_TEXT))
    return causes


def label_selector(field: str, selector: Json | None) -> list[Cause]:
    """What is wrong with a LabelSelector as such.

    Source: ValidateLabelSelector in k8s.io/apimachinery/pkg/apis/meta/v1/validation
    """
    causes = labels(f"{field}.matchLabels", (selector or {}).get("matchLabels"))
    for index, item in enumerate((selector or {}).get("matchExpressions") or ()):
        where, operator, values = f"{field}.matchExpressions[{index}]", item.get("operator"), item.get("values") or ()
        if operator in ("In", "NotIn"):
            if not values:
                causes.append(required(f"{where}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
        elif operator not in ("Exists", "DoesNotExist"):
            causes.append(invalid_value(f"{where}.operator", operator or "", "not a valid selector operator"))
        elif values:
            text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            causes.append(forbidden_field(f"{where}.values", text))
        causes += qualified_name(f"{where}.key", item.get("key") or "")
        for place, value in enumerate(values):
            causes += labels(f"{where}.values[{place}]", {"key": value})
    return causes


def config_key(field: str, key: str) -> list[Cause]:
    """A key of a ConfigMap or Secret; every rule that it breaks is told."""
    rules = (
        (len(key) <= 253, "must be no more than 253 characters"),
        (re.fullmatch(r"[-._a-zA-Z0-9]+", key), _CONFIG_KEY_TEXT),
        (key not in (".", ".."), f"must not be '{key}'"),
    )
    return [invalid_value(field, key, text) for holds, text in rules if not holds]


def qualified_name(field: str, key: str) -> list[Cause]:
    """A name of at most 63 characters, maybe with a domain before it."""
    prefix, slash, name = key.rpartition("/")
    if slash and not re.fullmatch(_SUBDOMAIN, prefix):
        return [invalid_value(field, key, f"prefix part {_SUBDOMAIN_TEXT}")]
    if not name or len(name) > 63 or not re.fullmatch(_QUALIFIED, name):
        return [invalid_value(field, key, _KEY_TEXT)]
    return []


def metadata(resource: Resource, obj: Json) -> list[Cause]:
    """Rules of metadata that hold for every kind."""
    found = obj["metadata"]
    causes = _name(resource, found["name"])
    causes += labels("metadata.labels", found.get("labels"))
    for key in found.get("annotations") or {}:
        causes += qualified_name("metadata.annotations", key.lower())
    size = sum(len(key) + len(value) for key, value in (found.get("annotations") or {}).items())
    if size > 256 * 1024:
        causes.append(Cause("FieldValueTooLong", "Too long: may not be more than 262144 bytes", "metadata.annotations"))
    for index, name in enumerate(found.get("finalizers") or ()):
        causes += qualified_name("metadata.finalizers", name)
        if "/" not in name and name not in _FINALIZERS:
            text = "name is neither a standard finalizer name nor is it fully qualified"
            causes.append(invalid_value(f"metadata.finalizers[{index}]", name, text))
    for owner in found.get("ownerReferences") or ():
        for key in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(key):
                causes.append(invalid_value(f"metadata.ownerReferences.{key}", "", "must not be empty"))
    return causes
