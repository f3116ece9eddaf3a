"""An image that can't be pulled: the registry has no such tag, wants other credentials, or does not answer.

Only the first is mended by another image. The kubelet's message carries the registry's words; reasons are matched
first, words only to tell the three apart, and an unknown wording is told as such and not acted on.
"""

import re

from kubernaut.domain.analysis import ActionProposal, Evidence, Finding

from .case import Case
from .changes import changed
from .confidence import Rests, confidence
from .objects import Container, condition, pod_ready
from .units import moment
from .words import event_fact, fact, listed, many, plain

PULLING = ("ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable")
_DENIED = re.compile(
    r"\b40[13]\b|unauthorized|denied|forbidden|authentication required|authorization failed|no basic auth|not authorized",
    re.I,
)
_UNREACHABLE = re.compile(
    r"no such host|i/o timeout|connection refused|connection reset|dial tcp|handshake|x509|certificate|no route to host"
    r"|deadline exceeded|\b50[0234]\b|service unavailable|bad gateway|too many requests|toomanyrequests|\b429\b|\bEOF\b",
    re.I,
)
_NOT_FOUND = re.compile(
    r"not found|manifest unknown|name unknown|NAME_UNKNOWN|MANIFEST_UNKNOWN|does not exist|\b404\b", re.I
)


def image_not_pulled(case: Case) -> list[Finding]:
    """Containers that wait for an image that does not come, one finding for each image."""
    stuck: dict[tuple[str, str], list[Container]] = {}
    for container in case.containers:
        if container.waiting in PULLING and case.current(container.pod):
            stuck.setdefault((container.name, str(container.spec.get("image", ""))), []).append(container)
    return [_finding(case, containers, image) for (_, image), containers in stuck.items()]


def why_not_pulled(case: Case, container: Container) -> str:
    """`not found`, `denied`, `unreachable`, `invalid`, or empty when the registry's words are not understood."""
    if container.waiting == "InvalidImageName":
        return "invalid"
    text = " ".join([container.waiting_message, *_failures(case, container)])
    if _DENIED.search(_without_image(text, container)):
        return "denied"
    if _UNREACHABLE.search(_without_image(text, container)):
        return "unreachable"
    return "not found" if _NOT_FOUND.search(_without_image(text, container)) else ""


def last_good_image(case: Case, name: str, image: str) -> tuple[str, bool]:
    """The image that the container ran with before, and whether pods with it are ready now; empty when not known."""
    for revision in case.revisions[1:]:
        earlier = str(revision.container(name).get("image", ""))
        if earlier and earlier != image and revision.ready:
            return earlier, True
    for pod in case.siblings:
        for spec in (pod.get("spec") or {}).get("containers") or ():
            if spec.get("name") == name and spec.get("image") not in (None, image) and pod_ready(pod):
                return str(spec["image"]), True
    for revision in case.revisions[1:]:
        earlier = str(revision.container(name).get("image", ""))
        if earlier and earlier != image:
            return earlier, False
    return "", False


def _finding(case: Case, containers: list[Container], image: str) -> Finding:
    first = containers[0]
    why = why_not_pulled(case, first)
    good, proven = last_good_image(case, first.name, image)
    runs = [p for p in case.siblings if pod_ready(p) and _has_image(p, image)]
    secret = _missing_secret(case, first) if why == "denied" else ""
    reverts = bool(good) and (
        why in ("not found", "invalid") or (why == "denied" and not secret and _other_repository(good, image))
    )
    rests = Rests.DIRECT if why in ("not found", "invalid") or secret else Rests.INDIRECT if why else Rests.HINT
    return Finding(
        target=case.owner,
        failure_class="ImagePullBackOff",
        cause=_cause(first, image, why, secret, len(containers)),
        confidence=confidence(
            rests,
            supports=sum((proven, len(containers) > 1, bool(good))),
            contradictions=bool(runs),
            missing=case.lacks("replicaset") if reverts else case.lacks("secret") if why == "denied" else 0,
        ),
        evidence=_evidence(case, containers, image),
        permanent=_revert(case, first, image, good, proven) if reverts else None,
        urgent=reverts,
        alternatives=_alternatives(why, secret, bool(runs), good),
    )


def _cause(container: Container, image: str, why: str, secret: str, pods: int) -> str:
    image, where = plain(image, 120), f"container {container.name} of {many(pods, 'pod')}"
    return {
        "not found": f"The registry has no image {image}, so {where} can't start.",
        "invalid": f"{image} is no valid image name, so {where} can't start.",
        "denied": f"The pull secret {secret} does not exist, so the registry refuses {image} for {where}."
        if secret
        else f"The registry refuses to give out {image}, so {where} can't start.",
        "unreachable": f"The registry of {image} does not answer, so {where} can't start.",
    }.get(why, f"Image {image} can't be pulled, so {where} can't start; the reason is not one that is known.")


def _evidence(case: Case, containers: list[Container], image: str) -> tuple[Evidence, ...]:
    first = containers[0]
    since = moment(condition(first.pod, "Ready").get("lastTransitionTime"))
    found = [fact(c.pod, f"{c.path}.state.waiting.reason", c.waiting, since) for c in containers[:3]]
    if first.waiting_message:
        found.append(fact(first.pod, f"{first.path}.state.waiting.message", first.waiting_message, since))
    found.append(fact(first.pod, f"spec.containers[{first.name}].image", image))
    pulls = [e for e in case.events(first.pod) if e.get("reason") == "Failed"]
    found += [event_fact(event) for event in pulls[-1:]]
    proven = [r for r in case.revisions[1:] if r.ready]
    found += [fact(r.object, "status.readyReplicas", r.ready, r.created) for r in proven[:1]]
    return (*found, *changed(case, first.name, "image"))


def _revert(case: Case, container: Container, image: str, good: str, proven: bool) -> ActionProposal:
    why = "pods with it are ready now" if proven else "the revision before ran with it"
    return ActionProposal(
        "update-image",
        case.owner,
        {"container": container.name, "from": image, "to": good},
        f"Go back to {plain(good, 120)}: {why}.",
    )


def _alternatives(why: str, secret: str, runs: bool, good: str) -> tuple[str, ...]:
    found = []
    if why == "not found":
        found.append("the image was only not pushed yet: pushing it mends this as well")
    if why == "denied" and not secret:
        found.append(
            "the pull secret's credentials expired, or the repository's name is wrong: a registry may tell both as denied"
        )
    if why == "unreachable":
        found.append("the node's network or DNS is at fault, not the registry: look whether other images can be pulled")
    if runs:
        found.append(
            "other pods run with this very image, so it did exist: it may have been removed or be private to some nodes"
        )
    if not good:
        found.append("no earlier revision with another image is known, so there is nothing to go back to")
    return tuple(found)


def _failures(case: Case, container: Container) -> list[str]:
    return [
        str(event.get("message", ""))
        for event in case.events(container.pod)
        if event.get("reason") in ("Failed", "FailedToRetrieveImagePullSecret")
    ]


def _without_image(text: str, container: Container) -> str:
    """The registry's words alone: a repository named `denied/not-found` must not decide anything."""
    return text.replace(str(container.spec.get("image") or "\0"), " ")


def _missing_secret(case: Case, container: Container) -> str:
    """Pull secrets that the pod names and that do not exist; empty when all do, or when they could not be read."""
    if case.lacks("secret"):
        return ""
    namespace = container.pod["metadata"].get("namespace", "")
    named = [str(s.get("name", "")) for s in (container.pod.get("spec") or {}).get("imagePullSecrets") or ()]
    told = any(e.get("reason") == "FailedToRetrieveImagePullSecret" for e in case.events(container.pod))
    known = any(True for _ in case.snapshot.of_kind("Secret", namespace)) or told
    absent = [name for name in named if known and case.snapshot.get("Secret", name, namespace) is None]
    return listed(absent)


def _other_repository(one: str, other: str) -> bool:
    return _repository(one) != _repository(other)


def _repository(image: str) -> str:
    image = image.partition("@")[0]
    head, _, tail = image.rpartition("/")
    return f"{head}/{tail.partition(':')[0]}"


def _has_image(pod: object, image: str) -> bool:
    spec = pod.get("spec") if hasattr(pod, "get") else None
    return any(c.get("image") == image for c in (spec or {}).get("containers") or ())
