"""What the server refuses: 422 with a cause for each field, as far as clients of kubernaut can meet it.

Source: k8s.io/kubernetes/pkg/apis/*/validation
"""

from __future__ import annotations

from collections.abc import Callable

from kubernaut.sim.apiserver import quantity, workload_rules
from kubernaut.sim.apiserver.naming import config_key, labels, metadata, qualified_name
from kubernaut.sim.apiserver.pod_rules import pod_spec
from kubernaut.sim.apiserver.resources import Resource
from kubernaut.sim.apiserver.service_rules import ingress, network_policy, service
from kubernaut.sim.apiserver.status import (
    Cause,
    Json,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

_MOST_BYTES, _MOST_PRIORITY = 1024 * 1024, 1_000_000_000
_NOT_NEGATIVE = "must be greater than or equal to 0"
_NO_VOLUMES = ("capacity", "claimRef", "nodeAffinity")
_KEYS_OF_SECRETS = {
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}
SECRET_TYPE = "kubernetes.io/service-account-token"  # noqa: S105 - the name of a type
ACCOUNT_NAME = "kubernetes.io/service-account.name"
_RBAC = "rbac.authorization.k8s.io"


def _pod(obj: Json) -> list[Cause]:
    return pod_spec(obj["spec"], "spec", template=False)


def _config(obj: Json) -> list[Cause]:
    causes: list[Cause] = []
    for part in ("data", "binaryData"):
        for key in obj.get(part) or {}:
            causes += config_key(f"{part}[{key}]", key)
    for key in (obj.get("data") or {}).keys() & (obj.get("binaryData") or {}).keys():
        causes.append(invalid_value(f"data[{key}]", key, "duplicate of key present in binaryData"))
    size = sum(len(text.encode()) for text in (obj.get("data") or {}).values())
    size += sum(len(text) * 3 // 4 for text in (obj.get("binaryData") or {}).values())
    return causes + _not_longer("[]", size)


def _not_longer(field: str, size: int) -> list[Cause]:
    if size <= _MOST_BYTES:
        return []
    return [Cause("FieldValueTooLong", f"Too long: may not be more than {_MOST_BYTES} bytes", field)]


def _secret(obj: Json) -> list[Cause]:
    data = obj.get("data") or {}
    causes = [cause for key in data for cause in config_key(f"data[{key}]", key)]
    if obj.get("type") == SECRET_TYPE and not (obj["metadata"].get("annotations") or {}).get(ACCOUNT_NAME):
        causes.append(required(f"metadata.annotations[{ACCOUNT_NAME}]"))
    for kind, keys in _KEYS_OF_SECRETS.items():
        if obj.get("type") == kind:
            causes += [required(f"data[{key}]") for key in keys if key not in data]
    return causes + _not_longer("data", sum(len(text) * 3 // 4 for text in data.values()))


def _node(obj: Json) -> list[Cause]:
    causes: list[Cause] = []
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(obj["spec"].get("taints") or ()):
        where, effect = f"metadata.taints[{index}]", taint.get("effect")
        causes += qualified_name(f"{where}.key", taint.get("key") or "")
        causes += labels(f"{where}.value", {"key": taint.get("value") or ""})
        if effect not in ("NoSchedule", "PreferNoSchedule", "NoExecute"):
            allowed = ["NoExecute", "NoSchedule", "PreferNoSchedule"]
            causes.append(not_supported(f"{where}.effect", effect, allowed))
        if (taint.get("key"), effect) in seen:
            shown = {"Key": taint.get("key"), "Value": taint.get("value", ""), "Effect": effect, "TimeAdded": None}
            text = "taints must be unique by key and effect pair"
            causes.append(Cause("FieldValueDuplicate", f"{duplicate(where, shown).message}: {text}", where))
        seen.add((taint.get("key", ""), str(effect)))
    return causes


def _event(obj: Json) -> list[Cause]:
    own, about = obj["metadata"].get("namespace", ""), (obj.get("involvedObject") or {}).get("namespace") or ""
    if own == about or (not about and own in ("default", "kube-system")):
        return []
    return [invalid_value("involvedObject.namespace", about, "does not match event.namespace")]


def _role(obj: Json) -> list[Cause]:
    causes: list[Cause] = []
    for index, rule in enumerate(obj.get("rules") or ()):
        where = f"rules[{index}]"
        if not rule.get("verbs"):
            causes.append(required(f"{where}.verbs", "verbs must contain at least one value"))
        if rule.get("nonResourceURLs"):
            continue
        if not rule.get("apiGroups"):
            causes.append(required(f"{where}.apiGroups", "resource rules must supply at least one api group"))
        if not rule.get("resources"):
            causes.append(required(f"{where}.resources", "resource rules must supply at least one resource"))
    return causes


def _binding(obj: Json) -> list[Cause]:
    reference = obj.get("roleRef") or {}
    causes = [required("roleRef.name")] if not reference.get("name") else []
    if reference.get("kind") not in ("Role", "ClusterRole"):
        causes.append(not_supported("roleRef.kind", reference.get("kind", ""), ["ClusterRole", "Role"]))
    for index, subject in enumerate(obj.get("subjects") or ()):
        if not subject.get("name"):
            causes.append(required(f"subjects[{index}].name"))
        if subject.get("kind") not in ("ServiceAccount", "User", "Group"):
            kinds = ["ServiceAccount", "User", "Group"]
            causes.append(not_supported(f"subjects[{index}].kind", subject.get("kind"), kinds))
    return causes


def _quota(obj: Json) -> list[Cause]:
    hard = (obj.get("spec") or {}).get("hard") or {}
    return [
        invalid_value(f"spec.hard[{name}]", amount, _NOT_NEGATIVE)
        for name, amount in hard.items()
        if quantity.parse(amount) < 0
    ]


def _limit_range(obj: Json) -> list[Cause]:
    causes: list[Cause] = []
    for index, item in enumerate((obj.get("spec") or {}).get("limits") or ()):
        where = f"spec.limits[{index}]"
        for name, least in (item.get("min") or {}).items():
            for part, what in (("max", "max"), ("defaultRequest", "default request"), ("default", "default")):
                bound = (item.get(part) or {}).get(name)
                if bound is not None and quantity.parse(least) > quantity.parse(bound):
                    field = f"{where}.min" if part == "max" else f"{where}.{part}"
                    shown = bound if part == "defaultRequest" else least
                    text = f"min value {least} is greater than {what} value {bound}"
                    causes.append(invalid_value(f"{field}[{name}]", shown, text))
    return causes


def _lease(obj: Json) -> list[Cause]:
    duration_s = (obj.get("spec") or {}).get("leaseDurationSeconds")
    if duration_s is None or duration_s > 0:
        return []
    return [invalid_value("spec.leaseDurationSeconds", duration_s, "must be greater than 0")]


def _storage_class(obj: Json) -> list[Cause]:
    return [] if obj.get("provisioner") else [required("provisioner")]


def _priority_class(obj: Json) -> list[Cause]:
    if obj["metadata"]["name"].startswith("system-") or (obj.get("value") or 0) <= _MOST_PRIORITY:
        return []
    return [forbidden_field("value", f"maximum allowed value of a user defined priority is {_MOST_PRIORITY}")]


def _claim(obj: Json) -> list[Cause]:
    spec = obj["spec"]
    causes = [] if spec.get("accessModes") else [required("spec.accessModes", "at least 1 access mode is required")]
    if "storage" not in ((spec.get("resources") or {}).get("requests") or {}):
        causes.append(required("spec.resources[storage]"))
    return causes


def _volume(obj: Json) -> list[Cause]:
    spec = obj["spec"]
    causes = [] if spec.get("accessModes") else [required("spec.accessModes")]
    if not spec.get("capacity"):
        causes += [required("spec.capacity"), not_supported("spec.capacity", None, ["storage"])]
    if not any(isinstance(source, dict) for key, source in spec.items() if key not in _NO_VOLUMES):
        causes.append(required("spec", "must specify a volume type"))
    return causes


def _definition(obj: Json) -> list[Cause]:
    spec = obj["spec"]
    names = spec.get("names") or {}
    wanted = f"{names.get('plural', '')}.{spec.get('group', '')}"
    causes: list[Cause] = []
    if obj["metadata"]["name"] != wanted:
        text = 'must be spec.names.plural+"."+spec.group'
        causes.append(invalid_value("metadata.name", obj["metadata"]["name"], text))
    if spec.get("scope") not in ("Namespaced", "Cluster"):
        causes.append(not_supported("spec.scope", spec.get("scope", ""), ["Cluster", "Namespaced"]))
    for index, version in enumerate(spec.get("versions") or ()):
        if not (version.get("schema") or {}).get("openAPIV3Schema"):
            causes.append(required(f"spec.versions[{index}].schema.openAPIV3Schema", "schemas are required"))
    if sum(bool(version.get("storage")) for version in spec.get("versions") or ()) != 1:
        text = "must have exactly one version marked as storage version"
        causes.append(invalid_value("spec.versions", [], text))
    return causes


_BY_BUCKET: dict[str, Callable[[Json], list[Cause]]] = {
    "pods": _pod,
    "services": service,
    "configmaps": _config,
    "secrets": _secret,
    "nodes": _node,
    "events": _event,
    "resourcequotas": _quota,
    "limitranges": _limit_range,
    "persistentvolumeclaims": _claim,
    "persistentvolumes": _volume,
    "replicationcontrollers": workload_rules.replication_controller,
    "deployments.apps": workload_rules.deployment,
    "replicasets.apps": lambda obj: workload_rules.workload(obj, "replicaset"),
    "statefulsets.apps": workload_rules.stateful_set,
    "daemonsets.apps": workload_rules.daemon_set,
    "jobs.batch": workload_rules.job,
    "cronjobs.batch": workload_rules.cron_job,
    "horizontalpodautoscalers.autoscaling": workload_rules.autoscaler,
    "poddisruptionbudgets.policy": workload_rules.budget,
    "ingresses.networking.k8s.io": ingress,
    "networkpolicies.networking.k8s.io": network_policy,
    "leases.coordination.k8s.io": _lease,
    "storageclasses.storage.k8s.io": _storage_class,
    "priorityclasses.scheduling.k8s.io": _priority_class,
    f"roles.{_RBAC}": _role,
    f"clusterroles.{_RBAC}": _role,
    f"rolebindings.{_RBAC}": _binding,
    f"clusterrolebindings.{_RBAC}": _binding,
    "customresourcedefinitions.apiextensions.k8s.io": _definition,
}


def creation(resource: Resource, obj: Json) -> list[Cause]:
    """Everything wrong with an object as such."""
    check = _BY_BUCKET.get(resource.bucket)
    return metadata(resource, obj) + (check(obj) if check else [])
