"""Label and field selectors, parsed once and applied to many objects."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from kubernaut.sim.apiserver.resources import Resource
from kubernaut.sim.apiserver.status import Json, bad_request

_TERM = re.compile(
    r"\s*(?:(?P<absent>!)\s*(?P<absent_key>[^\s=!<>,()]+)"
    r"|(?P<set_key>[^\s=!<>,()]+)\s+(?P<operator>in|notin)\s*\((?P<members>[^)]*)\)"
    r"|(?P<key>[^\s=!<>,()]+)\s*(?P<equals>==|!=|=)\s*(?P<value>[^\s,()=!<>]*)"
    r"|(?P<present>[^\s=!<>,()]+))\s*(?:,|$)"
)


@dataclass(frozen=True, slots=True)
class Requirement:
    key: str
    operator: str  # In, NotIn, Exists, DoesNotExist
    values: frozenset[str] = frozenset()

    def matches(self, labels: Json) -> bool:
        if self.operator == "In":
            return labels.get(self.key) in self.values if self.key in labels else False
        if self.operator == "NotIn":
            return labels.get(self.key) not in self.values
        return (self.key in labels) == (self.operator == "Exists")


class Labels:
    """A conjunction of requirements on labels."""

    def __init__(self, requirements: list[Requirement]) -> None:
        self.requirements = requirements

    def __bool__(self) -> bool:
        return bool(self.requirements)

    def matches(self, labels: Json | None) -> bool:
        return all(requirement.matches(labels or {}) for requirement in self.requirements)


def parse_labels(text: str) -> Labels:
    """Read the query form, `a=b,c!=d,e in (f,g),!h`."""
    requirements: list[Requirement] = []
    position = 0
    while position < len(text):
        match = _TERM.match(text, position)
        if match is None:
            wrong = re.search(r"(?<=[=,(\s])[^\w\s]|$", text[position:])
            raise bad_request(f"unable to parse requirement: found '{wrong[0] if wrong else ''}', expected: identifier")
        requirements.append(_requirement(match))
        position = match.end()
    return Labels(requirements)


def _requirement(match: re.Match[str]) -> Requirement:
    if match["absent"]:
        return Requirement(match["absent_key"], "DoesNotExist")
    if match["set_key"]:
        members = frozenset(item.strip() for item in match["members"].split(","))
        return Requirement(match["set_key"], "In" if match["operator"] == "in" else "NotIn", members)
    if match["key"]:
        operator = "NotIn" if match["equals"] == "!=" else "In"
        return Requirement(match["key"], operator, frozenset([match["value"]]))
    return Requirement(match["present"], "Exists")


def of_selector(selector: Json | None) -> Labels:
    """Read the object form with matchLabels and matchExpressions."""
    selector = selector or {}
    requirements = [
        Requirement(key, "In", frozenset([value])) for key, value in (selector.get("matchLabels") or {}).items()
    ]
    for item in selector.get("matchExpressions") or ():
        requirements.append(Requirement(item["key"], item["operator"], frozenset(item.get("values") or ())))
    return Labels(requirements)


def selector_of(workload: Json) -> Labels:
    """What a workload selects its pods by; a ReplicationController has the plain map of old."""
    selector = workload["spec"].get("selector")
    return of_selector({"matchLabels": selector} if workload["kind"] == "ReplicationController" else selector)


def selects(selector: Json | None, labels: Json | None) -> bool:
    """Whether a LabelSelector matches; an absent one matches nothing, an empty one everything."""
    return selector is not None and of_selector(selector).matches(labels)


def of_map(labels: Json) -> str:
    """The query form of a map of labels."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


_POD_FIELDS = (
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.nominatedNodeName",
)
_EVENT_FIELDS = (
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
)
_FIELDS: dict[str, tuple[str, ...]] = {
    "pods": _POD_FIELDS,
    "events": _EVENT_FIELDS,
    "nodes": ("spec.unschedulable",),
    "namespaces": ("status.phase",),
    "secrets": ("type",),
    "services": ("spec.clusterIP", "spec.type"),
    "replicasets.apps": ("status.replicas",),
    "jobs.batch": ("status.successful",),
}


@dataclass(frozen=True, slots=True)
class FieldTerm:
    path: str
    equal: bool
    value: str


class Fields:
    """A conjunction of equalities on the few fields that a kind offers."""

    def __init__(self, terms: list[FieldTerm]) -> None:
        self.terms = terms

    def __bool__(self) -> bool:
        return bool(self.terms)

    def matches(self, obj: Json) -> bool:
        return all((field_value(obj, term.path) == term.value) == term.equal for term in self.terms)

    def name(self) -> str:
        """The one name that is asked for, if the selector says so."""
        return next((term.value for term in self.terms if term.path == "metadata.name" and term.equal), "")


def parse_fields(text: str, resource: Resource) -> Fields:
    """Read `spec.nodeName=a,status.phase!=Running`; a field that the kind doesn't offer is refused."""
    allowed = ("metadata.name", "metadata.namespace", *_FIELDS.get(resource.bucket, ()), *_custom_fields(resource))
    terms: list[FieldTerm] = []
    for part in filter(None, text.split(",")):
        match = re.fullmatch(r"\s*([^=!\s]+)\s*(!=|==|=)\s*(.*?)\s*", part)
        if match is None:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
        path = _core_event_field(match[1]) if resource.view_of == "events" else match[1]
        if path not in allowed:
            raise bad_request(f"field label not supported: {match[1]}")
        terms.append(FieldTerm(path, match[2] != "!=", match[3]))
    return Fields(terms)


def _custom_fields(resource: Resource) -> tuple[str, ...]:
    offered = (resource.custom or {}).get("selectableFields") or ()
    return tuple(item["jsonPath"].lstrip(".") for item in offered)


def _core_event_field(path: str) -> str:
    """events.k8s.io names the same fields differently."""
    if path.startswith("regarding."):
        return "involvedObject." + path.removeprefix("regarding.")
    return {"reportingController": "reportingComponent"}.get(path, path)


_DERIVED: dict[str, Callable[[Json], str]] = {
    "source": lambda obj: (obj.get("source") or {}).get("component") or obj.get("reportingComponent") or "",
    "spec.unschedulable": lambda obj: "true" if (obj.get("spec") or {}).get("unschedulable") else "false",
    "spec.hostNetwork": lambda obj: "true" if (obj.get("spec") or {}).get("hostNetwork") else "false",
    "status.successful": lambda obj: str((obj.get("status") or {}).get("succeeded", 0)),
    "status.replicas": lambda obj: str((obj.get("status") or {}).get("replicas", 0)),
}


def field_value(obj: Json, path: str) -> str:
    """The text of a selectable field; an absent one is the empty text."""
    derive = _DERIVED.get(path)
    if derive is not None:
        return derive(obj)
    value: object = obj
    for part in path.split("."):
        if not isinstance(value, dict):
            return ""
        value = value.get(part)
    return "" if value is None else str(value)
