"""What the default admission plugins add to new objects, and what they refuse.

Plugins: NamespaceLifecycle, ServiceAccount (without tokens), DefaultTolerationSeconds, Priority, LimitRanger,
ResourceQuota, TaintNodesByCondition.
"""

from __future__ import annotations

from decimal import Decimal

from kubernaut.sim.apiserver import quantity
from kubernaut.sim.apiserver.resources import Resource
from kubernaut.sim.apiserver.status import Json, StatusError, forbidden, not_found
from kubernaut.sim.apiserver.store import Store

_LOST = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
IMMORTAL_NAMESPACES = ("default", "kube-system", "kube-public")


def admit(store: Store, resource: Resource, obj: Json) -> None:
    """Complete a new object in place.

    Raises:
        StatusError: 403 or 404 as the refusing plugin answers.
    """
    namespace = obj["metadata"].get("namespace", "")
    if namespace:
        _namespace_takes_content(store, resource, namespace, obj["metadata"]["name"])
    if resource.bucket == "pods":
        _complete_pod(obj)
        _service_account(store, obj)
        for limits in store.objects("limitranges", namespace):
            _limit(limits, obj)
    if resource.bucket == "services":
        _cluster_address(store, obj)
    if resource.bucket == "nodes":
        taints = obj["spec"].setdefault("taints", [])
        if not any(taint["key"] == _LOST[0] for taint in taints):
            taints.append({"key": _LOST[0], "effect": "NoSchedule"})


def _namespace_takes_content(store: Store, resource: Resource, namespace: str, name: str) -> None:
    entry = store.get("namespaces", ("", namespace))
    if entry is None:
        raise not_found("", "namespaces", namespace)
    if entry.obj["metadata"].get("deletionTimestamp"):
        text = f"unable to create new content in namespace {namespace} because it is being terminated"
        error = forbidden(resource.group, resource.plural, name, text)
        cause = {"reason": "NamespaceTerminating", "message": f"namespace {namespace} is being terminated"}
        error.details = (error.details or {}) | {"causes": [cause | {"field": "metadata.namespace"}]}
        raise error


def _cluster_address(store: Store, obj: Json) -> None:
    spec = obj["spec"]
    if spec["type"] == "ExternalName" or spec.get("clusterIP"):
        addresses = [spec["clusterIP"]] if spec.get("clusterIP") else []
    else:
        taken = {(one.get("spec") or {}).get("clusterIP") for one in store.objects("services")}
        free = (f"10.0.{number // 256}.{number % 256}" for number in range(2, 65536))
        addresses = [next(address for address in free if address not in taken)]
        spec["clusterIP"] = addresses[0]
    if addresses:
        spec.setdefault("clusterIPs", addresses)


def _complete_pod(obj: Json) -> None:
    spec = obj["spec"]
    spec.setdefault("priority", 0)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    tolerations = spec.setdefault("tolerations", [])
    for key in _LOST:
        if not any(
            item.get("key") in (key, None) and item.get("effect") in ("NoExecute", None) for item in tolerations
        ):
            tolerations.append({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})


def _service_account(store: Store, obj: Json) -> None:
    spec, metadata = obj["spec"], obj["metadata"]
    if "kubernetes.io/config.mirror" in (metadata.get("annotations") or {}):
        return
    name = spec.setdefault("serviceAccountName", "default")
    spec["serviceAccount"] = name
    if store.get("serviceaccounts", (metadata["namespace"], name)) is None:
        text = f'error looking up service account {metadata["namespace"]}/{name}: serviceaccount "{name}" not found'
        raise forbidden("", "pods", metadata["name"], text)


def _limit(limits: Json, obj: Json) -> None:
    refused: list[str] = []
    for item in limits["spec"].get("limits") or ():
        if item.get("type") != "Container":
            continue
        for container in obj["spec"]["containers"]:
            wanted = container.setdefault("resources", {})
            for part, defaults in (("limits", item.get("default")), ("requests", item.get("defaultRequest"))):
                if defaults:
                    wanted[part] = dict(defaults) | (wanted.get(part) or {})
            refused += _outside(item, wanted)
    if refused:
        text = refused[0] if len(refused) == 1 else "[" + ", ".join(refused) + "]"
        raise forbidden("", "pods", obj["metadata"]["name"], text)


def _outside(item: Json, wanted: Json) -> list[str]:
    refused = []
    for name, most in (item.get("max") or {}).items():
        limit = (wanted.get("limits") or {}).get(name)
        if limit is None:
            refused.append(f"maximum {name} usage per Container is {most}.  No limit is specified")
        elif quantity.parse(limit) > quantity.parse(most):
            refused.append(f"maximum {name} usage per Container is {most}, but limit is {limit}")
    for name, least in (item.get("min") or {}).items():
        request = (wanted.get("requests") or {}).get(name)
        if request is None:
            refused.append(f"minimum {name} usage per Container is {least}.  No request is specified")
        elif quantity.parse(request) < quantity.parse(least):
            refused.append(f"minimum {name} usage per Container is {least}, but request is {request}")
    return refused


def charge(store: Store, resource: Resource, obj: Json) -> list[tuple[Json, Json]]:
    """Check an object against the quotas of its namespace.

    Returns:
        Each quota with the status.used it has once the object exists.

    Raises:
        StatusError: 403, "exceeded quota" or "failed quota".
    """
    namespace = obj["metadata"].get("namespace", "")
    charged: list[tuple[Json, Json]] = []
    for quota in store.objects("resourcequotas", namespace) if namespace else ():
        hard = (quota.get("spec") or {}).get("hard") or {}
        cost = {name: amount for name, amount in _cost(resource, obj).items() if name in hard}
        if resource.bucket == "pods":
            _must_say(quota, hard, obj)
        if not cost:
            continue
        used = usage(store, namespace, hard)
        exceeded = sorted(name for name in cost if used[name] + cost[name] > quantity.parse(hard[name]))
        if exceeded:
            raise _exceeded(resource, obj, quota, exceeded, cost, used)
        spelled = {name: quantity.from_value(used[name] + cost.get(name, 0), hard[name]) for name in used}
        charged.append((quota, spelled))
    return charged


def _exceeded(
    resource: Resource, obj: Json, quota: Json, names: list[str], cost: dict[str, Decimal], used: dict[str, Decimal]
) -> StatusError:
    hard = quota["spec"]["hard"]

    def listed(amounts: dict[str, Decimal]) -> str:
        return ",".join(f"{name}={quantity.from_value(amounts[name], hard[name])}" for name in names)

    limited = ",".join(f"{name}={hard[name]}" for name in names)
    text = f"exceeded quota: {quota['metadata']['name']}, requested: {listed(cost)}, used: {listed(used)}, limited: {limited}"
    return forbidden(resource.group, resource.plural, obj["metadata"]["name"], text)


_COMPUTE = {"cpu": "requests.cpu", "memory": "requests.memory"}


def _must_say(quota: Json, hard: Json, obj: Json) -> None:
    missing: dict[str, list[str]] = {}
    for name in hard:
        full = _COMPUTE.get(name, name)
        part, _, what = full.partition(".")
        if part not in ("limits", "requests") or what not in ("cpu", "memory"):
            continue
        for container in obj["spec"]["containers"]:
            if what not in ((container.get("resources") or {}).get(part) or {}):
                missing.setdefault(name, []).append(container["name"])
    if missing:
        text = "; ".join(f"{name} for: {','.join(found)}" for name, found in sorted(missing.items()))
        raise forbidden(
            "", "pods", obj["metadata"]["name"], f"failed quota: {quota['metadata']['name']}: must specify {text}"
        )


def _cost(resource: Resource, obj: Json) -> dict[str, Decimal]:
    cost = {f"count/{resource.bucket}": Decimal(1)}
    if not resource.group:
        cost[resource.plural] = Decimal(1)
    if resource.bucket == "pods":
        cost |= pod_requests(obj)
    return cost


def pod_requests(pod: Json) -> dict[str, Decimal]:
    """What a pod's containers ask for together, by the names quotas use."""
    total: dict[str, Decimal] = {}
    for container in pod["spec"]["containers"]:
        resources = container.get("resources") or {}
        for part in ("requests", "limits"):
            for name, amount in (resources.get(part) or {}).items():
                key = f"{part}.{name}"
                total[key] = total.get(key, Decimal(0)) + quantity.parse(amount)
    for short, full in _COMPUTE.items():
        if full in total:
            total[short] = total[full]
    return total


def usage(store: Store, namespace: str, hard: Json) -> dict[str, Decimal]:
    """What a namespace uses now of each resource that a quota limits; finished pods cost nothing."""
    used = {name: Decimal(0) for name in hard}
    for name in hard:
        bucket = name.removeprefix("count/")
        if name.startswith("count/") or bucket in ("services", "secrets", "configmaps", "persistentvolumeclaims"):
            used[name] = Decimal(len(list(store.objects(bucket, namespace))))
    if not {"pods", "cpu", "memory"}.isdisjoint(hard) or any("." in name for name in hard):
        for pod in store.objects("pods", namespace):
            if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
                continue
            for name, amount in ({"pods": Decimal(1)} | pod_requests(pod)).items():
                if name in used:
                    used[name] += amount
    return used


def quality_of_service(spec: Json) -> str:
    """Guaranteed, Burstable or BestEffort, from the containers' requests and limits."""
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    said = [container.get("resources") or {} for container in containers]
    if not any((one.get("requests") or one.get("limits")) for one in said):
        return "BestEffort"
    for one in said:
        requests, limits = one.get("requests") or {}, one.get("limits") or {}
        if any(name not in limits or requests.get(name, limits[name]) != limits[name] for name in ("cpu", "memory")):
            return "Burstable"
    return "Guaranteed"
