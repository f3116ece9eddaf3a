"""A pull secret that can't work: it does not exist, or it is not of a type that the kubelet takes credentials from."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .case import Case
from .objects import Container

TYPES = ("kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg")
_KEYS = {"kubernetes.io/dockerconfigjson": ".dockerconfigjson", "kubernetes.io/dockercfg": ".dockercfg"}
_NAMED = re.compile(r"Unable to retrieve some image pull secrets \(([^)]+)\)")


@dataclass(frozen=True, slots=True)
class PullSecret:
    """A pull secret at fault and what is wrong with it, as `does not exist`."""

    name: str
    wrong: str


def bad_pull_secret(case: Case, container: Container) -> PullSecret | None:
    """The first of the pod's pull secrets that can't work, unless another one can; None when nothing tells."""
    namespace = container.pod["metadata"].get("namespace", "")
    named = [str(s.get("name", "")) for s in (container.pod.get("spec") or {}).get("imagePullSecrets") or ()]
    told = set(_told_missing(case, container))
    known = any(True for _ in case.snapshot.of_kind("Secret", namespace))
    bad = []
    for name in dict.fromkeys([*named, *sorted(told)]):
        secret = case.snapshot.get("Secret", name, namespace)
        if secret is None:
            if name in told or (known and not case.lacks(f"Secret {name}")):
                bad.append(PullSecret(name, "does not exist"))
        elif secret.get("type") and secret["type"] not in TYPES:
            bad.append(PullSecret(name, f"is of type {secret['type']}, not {TYPES[0]}"))
        elif (key := _KEYS.get(str(secret.get("type")))) and key not in (secret.get("data") or {}):
            bad.append(PullSecret(name, f"has no key {key}"))
    return bad[0] if bad and len(bad) >= len(named) else None


def _told_missing(case: Case, container: Container) -> Iterator[str]:
    for event in case.events(container.pod):
        if event.get("reason") == "FailedToRetrieveImagePullSecret":
            match = _NAMED.search(str(event.get("message", "")))
            yield from (name.strip().rpartition("/")[2] for name in match[1].split(",")) if match else ()
