"""ControllerRevisions keep the templates that a StatefulSet or DaemonSet had, for `kubectl rollout history` and `undo`.

Source: k8s.io/kubernetes/pkg/controller/history
"""

from __future__ import annotations

from kubernaut.sim.apiserver.api import Api
from kubernaut.sim.apiserver.caller import controller
from kubernaut.sim.apiserver.deletion import DeleteOptions
from kubernaut.sim.apiserver.schema import clone
from kubernaut.sim.apiserver.status import Json
from kubernaut.sim.controllers.loop import controller_of, key_of, reference_to

_REVISIONS = "controllerrevisions.apps"


def remember(api: Api, owner: Json, digest: str, label: str) -> None:
    """Have the newest revision be that of the owner's present template; forget the oldest beyond the limit.

    Args:
        digest: short name of the template.
        label: under which the revision carries it.
    """
    held = _of(api, owner)
    data = {"spec": {"template": clone(owner["spec"]["template"]) | {"$patch": "replace"}}}
    number = held[-1]["revision"] + 1 if held else 1
    same = next((one for one in held if one["data"] == data), None)
    if same is None:
        _create(api, owner, digest, label, data, number)
    elif same is not held[-1]:
        api.edit(_REVISIONS, same, lambda obj: obj.update(revision=number))
    resource = api.catalogue.of_bucket(_REVISIONS)
    for one in held[: max(len(held) - owner["spec"].get("revisionHistoryLimit", 10), 0)]:
        if one is not same:
            api.delete(resource, *key_of(one), DeleteOptions(), controller())


def _of(api: Api, owner: Json) -> list[Json]:
    """The owner's revisions, the oldest first."""
    metadata = owner["metadata"]
    found = [
        one
        for one in api.store.objects(_REVISIONS, metadata["namespace"])
        if (reference := controller_of(one)) is not None and reference["uid"] == metadata["uid"]
    ]
    return sorted(found, key=lambda one: int(one["revision"]))


def _create(api: Api, owner: Json, digest: str, label: str, data: Json, number: int) -> None:
    metadata = owner["metadata"]
    labels = (owner["spec"]["template"].get("metadata") or {}).get("labels") or {}
    made: Json = {
        "metadata": {
            "name": f"{metadata['name']}-{digest}",
            "labels": {**labels, label: digest},
            "annotations": dict(metadata.get("annotations") or {}),
            "ownerReferences": [reference_to(owner)],
        },
        "data": data,
        "revision": number,
    }
    api.create(api.catalogue.of_bucket(_REVISIONS), metadata["namespace"], made, controller())
