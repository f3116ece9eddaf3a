"""Client-side apply: three sides in, the object as it should be out.

What was applied last and is no longer wanted goes, what is wanted is set, and what others added stays: this is why a
`restartedAt` survives a sync and a changed image does not.
"""

from collections.abc import Mapping
from typing import Any

from kubernaut.sim.kubelet.quantity import number

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_KEYS: Mapping[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "imagePullSecrets": ("name",),
    "ports": ("containerPort", "port"),
    "volumeMounts": ("mountPath",),
    "hostAliases": ("ip",),
}
_QUANTITIES = frozenset({"limits", "requests", "hard"})


def merged(last: Any, wanted: Any, live: Any, path: tuple[str, ...] = ()) -> Any:
    """The live value with the wishes of Git laid over it; `last` is what was wished before."""
    if isinstance(wanted, dict):
        return _merged_object(last, wanted, live, path)
    if isinstance(wanted, list):
        return _merged_list(last, wanted, live, path)
    if path[-2:-1] and path[-2] in _QUANTITIES and live is not None and _same_amount(wanted, live):
        return live
    return wanted


def _merged_object(last: Any, wanted: dict[str, Any], live: Any, path: tuple[str, ...]) -> dict[str, Any]:
    before = last if isinstance(last, dict) else {}
    result = dict(live) if isinstance(live, dict) else {}
    for key in before.keys() - wanted.keys():
        result.pop(key, None)
    for key, value in wanted.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(before.get(key), value, result.get(key), (*path, key))
    return result


def _merged_list(last: Any, wanted: list[Any], live: Any, path: tuple[str, ...]) -> list[Any]:
    held = live if isinstance(live, list) else []
    key = next(
        (k for k in _KEYS.get(path[-1] if path else "", ()) if all(isinstance(i, dict) and k in i for i in wanted)), ""
    )
    if not key:
        if len(held) == len(wanted):
            return [merged(None, w, h, path) for w, h in zip(wanted, held, strict=True)]
        return wanted
    before = {item[key]: item for item in last if key in item} if isinstance(last, list) else {}
    there = {item[key]: item for item in held if key in item}
    names = [item[key] for item in wanted]
    result = [merged(before.get(item[key]), item, there.get(item[key]), path) for item in wanted]
    return result + [item for name, item in there.items() if name not in names and name not in before]


def _same_amount(left: object, right: object) -> bool:
    try:
        return number(left) == number(right)
    except ValueError:
        return False
