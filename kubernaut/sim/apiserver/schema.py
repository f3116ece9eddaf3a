"""What fields a built-in kind has, read from the client library's generated models.

The genuine server decodes into Go structs: unknown fields vanish (or are refused under fieldValidation=Strict), a
wrong type is refused, empty maps and lists are not written back. The models of kubernetes_asyncio carry the same
facts, so the simulator needs no schema of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from kubernetes_asyncio.client import models

from kubernaut.sim.apiserver import quantity
from kubernaut.sim.apiserver.status import Json

ATOMIC = ""  # a list that is replaced as a whole
SET = "*"  # a list of distinct scalars

# Lists that merge by key: (first key is the one strategic merge patches use).
# Source: patchMergeKey and listMapKey tags in k8s.io/api
_BY_NAME = (
    "V1Container.env V1PodSpec.volumes V1PodSpec.initContainers V1PodSpec.containers V1PodSpec.ephemeralContainers "
    "V1PodSpec.imagePullSecrets V1PodSpec.schedulingGates V1PodSpec.resourceClaims V1ServiceAccount.secrets "
    "V1EphemeralContainer.env V1ResourceRequirements.claims V1PodStatus.resourceClaimStatuses"
)
_BY_TYPE = (
    "V1PodStatus.conditions V1NodeStatus.conditions V1NodeStatus.addresses V1NamespaceStatus.conditions "
    "V1StatefulSetStatus.conditions V1DeploymentStatus.conditions V1DaemonSetStatus.conditions "
    "V1ReplicaSetStatus.conditions V1ReplicationControllerStatus.conditions "
    "V2HorizontalPodAutoscalerStatus.conditions V1PodDisruptionBudgetStatus.conditions "
    "V1ServiceStatus.conditions V1PersistentVolumeClaimStatus.conditions V1CustomResourceDefinitionStatus.conditions"
)
LIST_KEYS: dict[tuple[str, str], tuple[str, ...]] = {
    **{tuple(item.split(".")): ("name",) for item in _BY_NAME.split()},  # type: ignore[misc]
    **{tuple(item.split(".")): ("type",) for item in _BY_TYPE.split()},  # type: ignore[misc]
    ("V1Container", "ports"): ("containerPort", "protocol"),
    ("V1EphemeralContainer", "ports"): ("containerPort", "protocol"),
    ("V1Container", "volumeMounts"): ("mountPath",),
    ("V1EphemeralContainer", "volumeMounts"): ("mountPath",),
    ("V1Container", "volumeDevices"): ("devicePath",),
    ("V1PodSpec", "hostAliases"): ("ip",),
    ("V1PodSpec", "topologySpreadConstraints"): ("topologyKey", "whenUnsatisfiable"),
    ("V1PodStatus", "podIPs"): ("ip",),
    ("V1ServiceSpec", "ports"): ("port", "protocol"),
    ("V1ObjectMeta", "ownerReferences"): ("uid",),
    ("V1ObjectMeta", "finalizers"): (SET,),
    ("V1NodeSpec", "podCIDRs"): (SET,),
    ("V1Endpoint", "addresses"): (SET,),
}
# Structs that are owned and replaced as a whole. Source: structType=atomic tags in k8s.io/api and k8s.io/apimachinery
ATOMIC_STRUCTS = {
    "V1LabelSelector", "V1OwnerReference", "V1SecretReference", "V1FileKeySelector", "V1ObjectFieldSelector",
    "V1ResourceFieldSelector", "V1ConfigMapKeySelector", "V1SecretKeySelector", "V1NodeSelector", "V1NodeSelectorTerm",
    "V1TopologySelectorTerm", "V1EndpointAddress", "CoreV1EndpointPort", "V1ObjectReference", "V1LocalObjectReference",
    "V1TypedLocalObjectReference", "V1ScopeSelector",
}  # fmt: skip
ATOMIC_MAPS = {
    ("V1PodSpec", "nodeSelector"), ("V1ReplicationControllerSpec", "selector"), ("V1ServiceSpec", "selector"),
}  # fmt: skip
# Merged by strategic merge patches although server-side apply takes them as a whole.
PATCH_ONLY_KEYS: dict[tuple[str, str], str] = {("V1JobStatus", "conditions"): "type", ("V1PodStatus", "hostIPs"): "ip"}

_QUANTITY_MAPS = {
    "limits",
    "requests",
    "capacity",
    "allocatable",
    "hard",
    "used",
    "default",
    "defaultRequest",
    "max",
    "min",
}
_QUANTITIES = {"sizeLimit", "averageValue", "divisor"}
# Whole numbers that Go holds in 64 bits; all others have 32. Source: generated.proto of k8s.io/api
_INT64 = {
    "revision", "observedGeneration", "generation", "expirationSeconds", "startingDeadlineSeconds", "sizeBytes", "uid",
    "activeDeadlineSeconds", "gid", "capacity", "runAsUser", "runAsGroup", "fsGroup", "terminationGracePeriodSeconds",
    "seconds", "tolerationSeconds", "gracePeriodSeconds", "deletionGracePeriodSeconds",
}  # fmt: skip
_INT_OR_STRING = {"maxUnavailable", "maxSurge", "minAvailable", "port", "targetPort"}
_MICRO = {"renewTime", "acquireTime", "eventTime", "lastObservedTime"}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_OMITTED_WHEN_FALSE = {
    "unschedulable", "readOnly", "hostNetwork", "hostPID", "hostIPC", "paused", "stdin", "tty", "stdinOnce",
    "publishNotReadyAddresses",
}  # fmt: skip
_KEPT_WHEN_EMPTY_IN = {("DiscoveryV1EndpointPort", "name")}  # a pointer in Go: kubectl describe follows it
_KEPT_WHEN_EMPTY = {"storageClassName", "runtimeClassName", "ingressClassName", "volumeName"}
_OMITTED_WHEN_ZERO = {
    "V1DeploymentStatus": {
        "availableReplicas", "observedGeneration", "readyReplicas", "replicas", "unavailableReplicas", "updatedReplicas",
    },
    "V1ReplicationControllerStatus": {
        "availableReplicas", "fullyLabeledReplicas", "observedGeneration", "readyReplicas",
    },
    "V1ReplicaSetStatus": {"availableReplicas", "fullyLabeledReplicas", "observedGeneration", "readyReplicas"},
    "V1StatefulSetStatus": {"readyReplicas", "currentReplicas", "updatedReplicas", "observedGeneration"},
    "V1DaemonSetStatus": {"updatedNumberScheduled", "numberAvailable", "numberUnavailable", "observedGeneration"},
    "V1JobStatus": {"active", "succeeded", "failed", "terminating"},
    "V1DeploymentSpec": {"minReadySeconds"},
    "V1ReplicaSetSpec": {"minReadySeconds"},
    "V1ReplicationControllerSpec": {"minReadySeconds"},
    "V1StatefulSetSpec": {"minReadySeconds"},
    "V1PodDisruptionBudgetStatus": {"observedGeneration"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Type:
    """A JSON type: scalar name, or list, map or model with what it holds."""

    name: str  # int, bool, str, float, datetime, object, list, map, model
    model: str = ""
    item: Type | None = None


ANY = Type("object")


@dataclass(frozen=True, slots=True)
class Model:
    """The fields of one object type by their JSON names."""

    name: str
    fields: dict[str, Type] = field(default_factory=dict)


def _parse(text: str) -> Type:
    if match := re.fullmatch(r"list\[(.*)\]", text):
        return Type("list", item=_parse(match[1]))
    if match := re.fullmatch(r"dict\(str, (.*)\)", text):
        return Type("map", item=_parse(match[1]))
    if text in ("int", "bool", "str", "float", "datetime", "object"):
        return Type(text)
    return Type("model", model=text)


@cache
def model(name: str) -> Model:
    """The fields of a model by name; an unknown name has none, so that everything is accepted."""
    source: Any = getattr(models, name, None)
    if source is None:
        return Model(name)
    names = source.attribute_map
    return Model(name, {names[key]: _parse(text) for key, text in source.openapi_types.items()})


def type_of(parent: Type, key: str) -> Type:
    """The type of one member of an object."""
    if parent.name == "model":
        return model(parent.model).fields.get(key, ANY)
    return parent.item or ANY if parent.name == "map" else ANY


def root(name: str) -> Type:
    """The type of a whole object; custom resources (no name) know metadata only."""
    return Type("model", model=name) if name else Type("model", model="_Custom")


_CUSTOM = Model("_Custom", {"metadata": Type("model", model="V1ObjectMeta")})


def members(name: str) -> dict[str, Type]:
    return _CUSTOM.fields if name == "_Custom" else model(name).fields


def list_keys(parent: Type, key: str) -> tuple[str, ...]:
    """How server-side apply identifies the items of a list: keys, (SET,), or () for an atomic list."""
    return LIST_KEYS.get((parent.model, key), ())


class WrongTypeError(ValueError):
    """A value has a type that the field can't hold.

    Args:
        text: what Go's JSON decoder says.
        converting: what its converter of maps says, by which strategic merge patches are read.
    """

    def __init__(self, text: str, converting: str = "") -> None:
        super().__init__(text)
        self.converting = converting or text


_GO = {"int": "int32", "bool": "bool", "str": "string", "float": "float64"}


def _go_name(kind: Type) -> str:
    return "v1." + kind.model.removeprefix("V1") if kind.model else _GO.get(kind.name, kind.name)


def _json_name(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int | float):
        return "number"
    return "array" if isinstance(value, list) else "object"


def _mismatch(value: object, wanted: str, where: str) -> WrongTypeError:
    where = re.sub(r"\[\d+\]", "", where)  # Go tells fields, not places in lists
    told = f"number {value}" if wanted.startswith("int") and _json_name(value) == "number" else _json_name(value)
    text = f"json: cannot unmarshal {told} into Go struct field {where} of type {wanted}"
    for start, what in (("v1.", "struct from:"), ("[]", "slice from"), ("map[", "map from")):
        if wanted.startswith(start):
            return WrongTypeError(text, f"cannot restore {what} {_converted_name(value)}")
    if wanted == "string" and _json_name(value) == "number":
        return WrongTypeError(text, f"cannot convert {_converted_name(value)} to string")
    return WrongTypeError(text, f"unrecognized type: {wanted}")


def _converted_name(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "int64" if isinstance(value, int) else "float64"
    return {"array": "slice", "object": "map"}.get(_json_name(value), _json_name(value))


class Decoder:
    """Normalises one object as decoding into the Go type and encoding it again would.

    Args:
        keeps_zeros: keep what Go would leave out, because saying it means something, as in server-side apply.
    """

    def __init__(self, *, keeps_zeros: bool = False) -> None:
        self._keeps_zeros = keeps_zeros
        self.unknown: list[str] = []

    def decode(self, obj: Json, name: str) -> Json:
        """A clean copy of an object.

        Raises:
            WrongTypeError: a field has a value of another type.
        """
        if not name:
            return self._custom(obj)
        cleaned = self._object(obj, Type("model", model=name), "", name.removeprefix("V1").removeprefix("V2"))
        return {"kind": obj.get("kind"), "apiVersion": obj.get("apiVersion"), **cleaned}

    def _custom(self, obj: Json) -> Json:
        metadata = obj.get("metadata")
        cleaned: Json = _copy(obj)
        if isinstance(metadata, dict):
            cleaned["metadata"] = self._object(metadata, Type("model", model="V1ObjectMeta"), "metadata", "ObjectMeta")
        return cleaned

    def _object(self, value: Json, kind: Type, path: str, struct: str) -> Json:
        fields = members(kind.model)
        omitted = _OMITTED_WHEN_ZERO.get(kind.model, ())
        cleaned: Json = {}
        for key, member in value.items():
            where = f"{path}.{key}" if path else key
            member_type = fields.get(key)
            if member_type is None:
                if key not in ("kind", "apiVersion"):
                    self.unknown.append(where)
                    continue
                member_type = Type("str")
            if member is None:
                continue
            kept = self._value(member, member_type, where, struct, key)
            empty = _vanishes(kept, member_type, key) and (kind.model, key) not in _KEPT_WHEN_EMPTY_IN
            if not self._keeps_zeros and (empty or (key in omitted and kept == 0)):
                continue
            cleaned[key] = kept
        return cleaned

    def _value(self, value: Any, kind: Type, path: str, struct: str, key: str) -> Any:
        if kind.name == "model":
            if not isinstance(value, dict):
                raise _mismatch(value, f"v1.{kind.model.removeprefix('V1')}", f"{struct}.{path}")
            if not members(kind.model):
                return _copy(value)
            return self._object(value, kind, path, kind.model.removeprefix("V1"))
        if kind.name == "list":
            if not isinstance(value, list):
                raise _mismatch(value, "[]" + _go_name(kind.item or ANY), f"{struct}.{path}")
            item = kind.item or ANY
            return [
                self._value(_zero(item) if one is None else one, item, f"{path}[{index}]", struct, "")
                for index, one in enumerate(value)
            ]
        if kind.name == "map":
            return self._map(value, kind, path, struct, key)
        return self._scalar(value, kind, path, struct, key)

    def _map(self, value: Any, kind: Type, path: str, struct: str, key: str) -> Json:
        if not isinstance(value, dict):
            raise _mismatch(value, f"map[string]{_GO.get((kind.item or ANY).name, 'object')}", f"{struct}.{path}")
        if key in _QUANTITY_MAPS and kind.item == Type("str"):
            return {name: _quantity("0" if one is None else one) for name, one in value.items()}
        item = kind.item or ANY
        if item.name == "str":
            return {
                name: "" if one is None else self._scalar(one, item, path, struct, "") for name, one in value.items()
            }
        return {name: self._value(one, item, f"{path}.{name}", struct, "") for name, one in value.items()}

    def _scalar(self, value: Any, kind: Type, path: str, struct: str, key: str) -> Any:
        if kind.name == "object":
            if key in _INT_OR_STRING and not isinstance(value, str):
                self._whole(value, "int32", f"{struct}.{path}")
            return _copy(value)
        if key in _QUANTITIES and isinstance(value, str | int | float) and not isinstance(value, bool):
            return _quantity(value)
        if kind.name in ("str", "datetime"):
            if not isinstance(value, str):
                raise _mismatch(value, "string" if kind.name == "str" else "time.Time", f"{struct}.{path}")
            if kind.name == "datetime" and not _TIME.fullmatch(value):
                layout = f"2006-01-02T15:04:05{'.000000' if key in _MICRO else ''}Z07:00"
                raise WrongTypeError(f'parsing time "{value}" as "{layout}": cannot parse "{value}" as "2006"')
        elif kind.name == "bool":
            if not isinstance(value, bool):
                raise _mismatch(value, "bool", f"{struct}.{path}")
        elif isinstance(value, bool) or not isinstance(value, int | float):
            raise _mismatch(value, _GO[kind.name], f"{struct}.{path}")
        elif kind.name == "int":
            self._whole(value, "int64" if key in _INT64 else "int32", f"{struct}.{path}")
        return value

    def _whole(self, value: Any, wanted: str, where: str) -> None:
        """A whole number that the Go type can hold."""
        most = 2 ** (63 if wanted == "int64" else 31)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or value != int(value) or not -most <= value < most:
            raise _mismatch(value, wanted, where)


def _zero(kind: Type) -> Any:
    """What Go makes of a null within a list; None stays for what is held by pointers or may be anything."""
    return {"model": {}, "map": {}, "list": [], "str": "", "int": 0, "bool": False, "float": 0.0}.get(kind.name)


def _quantity(value: Any) -> str:
    try:
        return quantity.canonical(value)
    except ValueError as error:
        raise WrongTypeError(str(error)) from error


def _vanishes(value: Any, kind: Type, key: str) -> bool:
    """Whether Go's omitempty leaves this value out."""
    if kind.name in ("list", "map"):
        return not value and key not in ("rules", "podSelector")
    if value is False:
        return key in _OMITTED_WHEN_FALSE
    return value == "" and kind.name == "str" and key not in _KEPT_WHEN_EMPTY


def _copy(value: Any) -> Any:
    """A deep copy of JSON, quicker than copy.deepcopy."""
    if isinstance(value, dict):
        return {key: _copy(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_copy(member) for member in value]
    return value


clone = _copy
