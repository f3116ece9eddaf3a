"""What an update may not change: selectors, names and most of a pod."""

from __future__ import annotations

from collections.abc import Callable

from kubernaut.sim.apiserver.resources import Resource
from kubernaut.sim.apiserver.schema import clone
from kubernaut.sim.apiserver.status import Cause, Json, forbidden_field, invalid_value

_IMMUTABLE = "field is immutable"
_POD_TEXT = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_STATEFUL_TEXT = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)
_STATEFUL_MUTABLE = {
    "replicas", "ordinals", "template", "updateStrategy", "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
    "revisionHistoryLimit",
}  # fmt: skip


def _unchanged(*names: str) -> Callable[[Json, Json], list[Cause]]:
    def check(old: Json, new: Json) -> list[Cause]:
        before, after = old.get("spec") or {}, new.get("spec") or {}
        return [
            invalid_value(f"spec.{name}", after.get(name), _IMMUTABLE)
            for name in names
            if before.get(name) != after.get(name)
        ]

    return check


def _pod(old: Json, new: Json) -> list[Cause]:
    before, after = clone(old["spec"]), clone(new["spec"])
    for part in ("containers", "initContainers"):
        if [one.get("name") for one in before.get(part) or ()] != [one.get("name") for one in after.get(part) or ()]:
            return [forbidden_field(f"spec.{part}", "pod updates may not add or remove containers")]
        for was, now in zip(before.get(part) or (), after.get(part) or (), strict=True):
            was["image"] = now.get("image")
    if all(item in (after.get("tolerations") or []) for item in before.get("tolerations") or ()):
        before["tolerations"] = after.get("tolerations")
    before["activeDeadlineSeconds"] = after.get("activeDeadlineSeconds")
    after.setdefault("activeDeadlineSeconds", None)
    after.setdefault("tolerations", None)
    before.setdefault("tolerations", None)
    return [] if before == after else [forbidden_field("spec", _POD_TEXT)]


def _stateful_set(old: Json, new: Json) -> list[Cause]:
    before = {key: value for key, value in old["spec"].items() if key not in _STATEFUL_MUTABLE}
    after = {key: value for key, value in new["spec"].items() if key not in _STATEFUL_MUTABLE}
    return [] if before == after else [forbidden_field("spec", _STATEFUL_TEXT)]


def _config(old: Json, new: Json) -> list[Cause]:
    if not old.get("immutable"):
        return []
    if (old.get("data"), old.get("binaryData")) != (new.get("data"), new.get("binaryData")):
        return [forbidden_field("data", "field is immutable when `immutable` is set")]
    return [] if new.get("immutable") else [forbidden_field("immutable", "field is immutable when `immutable` is set")]


def _binding(old: Json, new: Json) -> list[Cause]:
    if old.get("roleRef") == new.get("roleRef"):
        return []
    return [invalid_value("roleRef", new.get("roleRef"), "cannot change roleRef")]


def _secret(old: Json, new: Json) -> list[Cause]:
    causes = _config(old, new)
    if old.get("type") != new.get("type"):
        causes.append(invalid_value("type", new.get("type"), _IMMUTABLE))
    return causes


_BY_BUCKET: dict[str, Callable[[Json, Json], list[Cause]]] = {
    "pods": _pod,
    "configmaps": _config,
    "secrets": _secret,
    "deployments.apps": _unchanged("selector"),
    "replicasets.apps": _unchanged("selector"),
    "daemonsets.apps": _unchanged("selector"),
    "statefulsets.apps": _stateful_set,
    "jobs.batch": _unchanged("selector", "template", "completionMode"),
    "persistentvolumeclaims": _unchanged("accessModes", "storageClassName", "volumeMode"),
    "rolebindings.rbac.authorization.k8s.io": _binding,
    "clusterrolebindings.rbac.authorization.k8s.io": _binding,
}


def changes(resource: Resource, old: Json, new: Json) -> list[Cause]:
    """Everything an update changes that it must not."""
    causes: list[Cause] = []
    if old["metadata"].get("deletionTimestamp"):
        added = [
            name
            for name in new["metadata"].get("finalizers") or ()
            if name not in (old["metadata"].get("finalizers") or ())
        ]
        if added:
            text = f"no new finalizers can be added if the object is being deleted, found new finalizers {added!r}"
            causes.append(forbidden_field("metadata.finalizers", text))
    check = _BY_BUCKET.get(resource.bucket)
    return causes + (check(old, new) if check else [])
