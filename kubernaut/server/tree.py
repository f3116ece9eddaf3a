"""Who owns whom around a target, each with a word on how it does: Application, Deployment, ReplicaSet, pods.

An engineer asks this first of a failing pod: is it one pod or all, of the new revision or the old, and does Git agree.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from kubernaut.domain.errors import KubernautError, NotFound
from kubernaut.domain.facts import Object, controller_of, controller_uid, ref_of
from kubernaut.domain.redaction import redact
from kubernaut.domain.resources import KINDS, ResourceRef
from kubernaut.gitops.argocd import tracked_by
from kubernaut.gitops.ownership import needed
from kubernaut.ports import ClusterReader

Document = dict[str, Any]
_CLIMBS = 4
_GITOPS_ROUNDS = 3
_SHOWN = 100
_OWNED = {"Deployment": "ReplicaSet", "StatefulSet": "Pod", "DaemonSet": "Pod", "ReplicaSet": "Pod", "Job": "Pod"}
_CONTROLLERS = ("Application", "Kustomization", "HelmRelease")


async def tree(reader: ClusterReader, target: ResourceRef) -> Document:
    """The target's family, owners first.

    Returns: `objects`: at most 100, each with `depth` (0 is the root), `state` in words, `well` (None where nothing tells)
        and whether it is the `target`; `missing`: what could not be read and why.

    Raises:
        NotFound: the target does not exist any more.
        Temporary, Refused, Permanent: it could not be read.
    """
    root = await reader.get(target.kind, target.namespace, target.name)
    if root is None:
        raise NotFound(f"{target} does not exist any more")
    missing: list[str] = []
    chain = await _climb(reader, root, missing)
    below = await _below(reader, chain[-1], missing)
    above = await _controllers(reader, chain[-1], missing)
    rows = [_row(item, depth, target) for depth, item in enumerate(above)]
    _descend(rows, chain[-1], [*chain[:-1], *below], len(above), target)
    return {"objects": rows[:_SHOWN], "missing": [redact(each) for each in missing]}


async def _climb(reader: ClusterReader, item: Object, missing: list[str]) -> list[Object]:
    """The object and its controllers, the top one last."""
    chain = [item]
    for _ in range(_CLIMBS):
        reference = controller_of(chain[-1])
        if reference is None or reference["kind"] not in KINDS:
            break
        namespace = item["metadata"].get("namespace", "")
        owner = await _one(reader, reference["kind"], namespace, reference["name"], missing)
        if owner is None or owner["metadata"].get("uid") != reference["uid"]:
            break
        chain.append(owner)
    return chain


async def _below(reader: ClusterReader, top: Object, missing: list[str]) -> list[Object]:
    """What the top owns, down to its pods; for a node what runs on it."""
    if top["kind"] == "Node":
        try:
            return list(await reader.list("Pod", fields=f"spec.nodeName={top['metadata']['name']}"))
        except KubernautError as error:
            missing.append(f"its pods: {error}")
            return []
    found: list[Object] = []
    todo = [top]
    while todo:
        owner = todo.pop()
        kind, meta = _OWNED.get(owner["kind"]), owner["metadata"]
        if kind is None:
            continue
        try:
            owned = await reader.owned(kind, meta["uid"], meta.get("namespace", ""))
        except KubernautError as error:
            missing.append(f"{KINDS[kind].plural} of {meta['name']}: {error}")
            continue
        alive = [item for item in owned if kind != "ReplicaSet" or _replicas(item)]
        found += alive
        todo += alive
    return found


async def _controllers(reader: ClusterReader, top: Object, missing: list[str]) -> list[Object]:
    """The controllers that bring the object from Git, the outermost first."""
    known: list[Object] = []
    asked: set[ResourceRef] = set()
    for _ in range(_GITOPS_ROUNDS):
        wanted = [r for r in needed(top, reader.name, known) if r not in asked and r.kind in KINDS]
        asked |= set(wanted)
        found = [await _one(reader, r.kind, r.namespace, r.name, missing) for r in wanted]
        known += [item for item in found if item is not None]
    tracking = tracked_by(top)
    if tracking is not None and not any(o["kind"] == "Application" for o in known):
        try:
            known += [o for o in await reader.list("Application") if o["metadata"]["name"] == tracking.app]
        except KubernautError as error:
            missing.append(f"applications: {error}")
    return sorted((o for o in known if o["kind"] in _CONTROLLERS), key=lambda o: _CONTROLLERS.index(o["kind"]))


async def _one(reader: ClusterReader, kind: str, namespace: str, name: str, missing: list[str]) -> Object | None:
    try:
        return await reader.get(kind, namespace, name)
    except KubernautError as error:
        missing.append(f"{kind} {name}: {error}")
        return None


def _descend(rows: list[Document], item: Object, family: Sequence[Object], depth: int, target: ResourceRef) -> None:
    """The object and everything below it, the sick first."""
    rows.append(_row(item, depth, target))
    if item["kind"] == "Node":
        children: list[Object] = list(family)
    else:
        uid = item["metadata"].get("uid")
        by_name = {ref_of(o, target.cluster): o for o in family if uid and controller_uid(o) == uid}
        children = list(by_name.values())
    for child in sorted(children, key=lambda o: (health(o)[1] is not False, o["metadata"]["name"])):
        if len(rows) < _SHOWN:
            _descend(rows, child, family if child["kind"] != "Pod" else (), depth + 1, target)


def _row(item: Object, depth: int, target: ResourceRef) -> Document:
    state, well = health(item)
    meta = item["metadata"]
    return {
        "kind": item["kind"], "namespace": meta.get("namespace", ""), "name": meta["name"], "depth": depth,
        "state": redact(state), "well": well, "target": ref_of(item, target.cluster) == target,
    }  # fmt: skip


def health(item: Object) -> tuple[str, bool | None]:
    """How an object does, in a few words, and whether that is well; None where nothing tells."""
    status = item.get("status") or {}
    match item["kind"]:
        case "Pod":
            return _pod(item, status)
        case "Deployment" | "StatefulSet" | "ReplicaSet":
            return _replicated(item, status)
        case "DaemonSet":
            wanted, ready = int(status.get("desiredNumberScheduled") or 0), int(status.get("numberReady") or 0)
            return f"{ready}/{wanted} ready", ready >= wanted
        case "Node":
            return _node(item, status)
        case "Application":
            sync = str((status.get("sync") or {}).get("status") or "Unknown")
            condition = str((status.get("health") or {}).get("status") or "Unknown")
            return f"{sync}, {condition}", sync == "Synced" and condition == "Healthy"
        case "Kustomization" | "HelmRelease":
            told = _condition(status, "Ready")
            return str(told.get("reason") or "not reconciled yet"), told.get("status") == "True"
        case _:
            return "", None


def _replicas(item: Object) -> int:
    return int((item.get("spec") or {}).get("replicas") or 0) or int((item.get("status") or {}).get("replicas") or 0)


def _replicated(item: Object, status: Object) -> tuple[str, bool | None]:
    spec, notes = item.get("spec") or {}, item["metadata"].get("annotations") or {}
    wanted, ready = int(spec.get("replicas", 1) or 0), int(status.get("readyReplicas") or 0)
    words = [f"{ready}/{wanted} ready"]
    if revision := notes.get("deployment.kubernetes.io/revision"):
        words.append(f"revision {revision}")
    stuck = _condition(status, "Progressing")
    if stuck.get("status") == "False":
        words.append(f"rollout stuck ({stuck.get('reason', '')})")
    if spec.get("paused"):
        words.append("paused")
    return ", ".join(words), ready >= wanted and stuck.get("status") != "False"


def _pod(item: Object, status: Object) -> tuple[str, bool | None]:
    told = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    main = status.get("containerStatuses") or ()
    ready = sum(bool(c.get("ready")) for c in main)
    whole = len((item.get("spec") or {}).get("containers") or main)
    word = "Terminating" if item["metadata"].get("deletionTimestamp") else _trouble(told) or status.get("phase")
    words = [f"{word or 'Unknown'} {ready}/{whole}"]
    restarts = sum(int(c.get("restartCount") or 0) for c in told)
    words += [f"{restarts} restart{'' if restarts == 1 else 's'}"] if restarts else []
    words += [f"on {node}"] if (node := (item.get("spec") or {}).get("nodeName")) else []
    passes = _condition(status, "Ready").get("status") == "True" or status.get("phase") == "Succeeded"
    return ", ".join(words), passes


def _trouble(containers: Iterable[Object]) -> str:
    """Why the first container that does not run does not."""
    for container in containers:
        state = container.get("state") or {}
        for kind in ("waiting", "terminated"):
            reason = str((state.get(kind) or {}).get("reason") or "")
            if reason not in ("", "Completed", "ContainerCreating", "PodInitializing"):
                return reason
    return ""


def _node(item: Object, status: Object) -> tuple[str, bool | None]:
    ready = _condition(status, "Ready").get("status") == "True"
    words = ["Ready" if ready else "NotReady"]
    # of a node's conditions only Ready is good news, whoever sets them: kubelet or node-problem-detector
    told = [c for c in status.get("conditions") or () if c.get("type") != "Ready"]
    pressed = [str(c.get("type")) for c in told if c.get("status") == "True"]
    words += pressed
    words += ["cordoned"] if (item.get("spec") or {}).get("unschedulable") else []
    return ", ".join(words), ready and not pressed


def _condition(status: Object, kind: str) -> Object:
    return next((c for c in status.get("conditions") or () if c.get("type") == kind), {})
