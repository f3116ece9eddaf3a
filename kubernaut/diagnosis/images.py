"""An image that can't be pulled: the registry has no such tag, wants other credentials, or does not answer.

Only the first is mended by another image. The kubelet's message carries the registry's words; reasons are matched
first, words only to tell the three apart, and an unknown wording is told as such and not acted on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubernaut.domain.analysis import ActionProposal, Evidence, Finding
from kubernaut.domain.facts import Object
from kubernaut.domain.resources import ResourceRef

from .case import Case
from .changes import changed
from .confidence import Rests, confidence
from .objects import Container, condition, no_space_left, pod_ready
from .pullsecrets import PullSecret, bad_pull_secret
from .registries import failures, no_such_host, registry, why_not_pulled
from .units import moment
from .words import event_fact, fact, listed, many, plain

PULLING = (
    "ImagePullBackOff",
    "ErrImagePull",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
)


def image_not_pulled(case: Case) -> list[Finding]:
    """Containers that wait for an image that does not come, one finding for each image."""
    stuck: dict[tuple[str, str], list[Container]] = {}
    for container in case.containers:
        if (
            container.waiting in PULLING
            and case.current(container.pod)
            and not no_space_left(container, failures(case, container))
        ):
            stuck.setdefault((container.name, str(container.spec.get("image", ""))), []).append(container)
    return [_finding(case, containers, image) for (_, image), containers in stuck.items()]


def last_good_image(case: Case, name: str, image: str) -> tuple[str, bool]:
    """The image that the container ran with before, and whether pods with it are ready now; empty when not known."""
    for revision in case.revisions[1:]:
        earlier = str(revision.container(name).get("image", ""))
        if earlier and earlier != image and revision.ready:
            return earlier, True
    for pod in case.siblings:
        for spec in _containers(pod):
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
    if why == "unreachable" and proven and registry(good) != registry(image) and no_such_host(case, first):
        why = "no registry"
    runs = [p for p in case.siblings if pod_ready(p) and _has_image(p, image)]
    secret = bad_pull_secret(case, first) if why == "denied" else None
    served = bool(runs) and not case.release_to_blame  # it ran well for long: what came before it is no remedy
    reverts = (
        bool(good)
        and not served
        and (
            why in ("not found", "invalid", "platform", "no registry")
            or (why == "denied" and secret is None and _other_repository(good, image))
        )
    )
    told = why in ("not found", "invalid", "platform", "never") or secret is not None
    rests = Rests.DIRECT if told else Rests.INDIRECT if why else Rests.HINT
    alone = _only_node(case, containers, runs)
    return Finding(
        target=ResourceRef(case.snapshot.target.cluster, "Secret", secret.name, first.pod["metadata"]["namespace"])
        if secret
        else case.owner,
        failure_class="ImagePullBackOff",
        cause=_cause(case, first, image, Why(why, secret, len(containers), alone)),
        confidence=confidence(
            rests,
            supports=sum((proven, len(containers) > 1, bool(good))),
            contradictions=bool(runs) and why not in ("unreachable", "untrusted", "limited"),
            missing=case.lacks("replicaset") if reverts else 0,
        ),
        evidence=(*_evidence(case, containers, image), *_secret_fact(case, first, secret)),
        permanent=_revert(case, first, image, good, proven) if reverts else None,
        urgent=reverts,
        alternatives=_alternatives(why, secret, bool(runs), good),
    )


@dataclass(frozen=True, slots=True)
class Why:
    """Why an image does not come. node: the only node on which it does not, empty when it is not the only one."""

    word: str
    secret: PullSecret | None
    pods: int
    node: str


def _cause(case: Case, container: Container, image: str, why: Why) -> str:
    image, where = plain(image, 120), f"container {container.name} of {many(why.pods, 'pod')}"
    from_node = f" from node {plain(why.node, 60)}, while pods on other nodes run with it" if why.node else ""
    refused = (
        f"The pull secret {why.secret.name} {why.secret.wrong}, so the registry refuses {image} for {where}."
        if why.secret
        else f"The registry refuses to give out {image} {_with(container)}, so {where} can't start."
    )
    return {
        "not found": f"The registry has no image {image}, so {where} can't start.",
        "invalid": f"{image} is no valid image name, so {where} can't start.",
        "platform": f"Image {image} has no variant for {_processor(case, container)}, so {where} can't start.",
        "no registry": f"There is no registry {plain(registry(image), 80)}, so {where} can't start with {image}.",
        "never": f"Image {image} is not on the node and the pull policy is Never, so {where} can't start.",
        "denied": refused,
        "limited": f"The registry has reached its rate limit for this cluster and refuses {image} for now, so {where} "
        "can't start.",
        "unreachable": f"The registry of {image} does not answer{from_node}, so {where} can't start.",
        "untrusted": f"The node does not trust the certificate of the registry of {image}{from_node}, so {where} can't start.",
    }.get(
        why.word,
        f"Image {image} can't be pulled{from_node}, so {where} can't start; the reason is not one that is known.",
    )


def _with(container: Container) -> str:
    """By which pull secrets the registry was asked."""
    named = [str(s.get("name", "")) for s in (container.pod.get("spec") or {}).get("imagePullSecrets") or ()]
    return f"with pull secret {plain(listed(named), 80)}" if named else "without a pull secret"


def _processor(case: Case, container: Container) -> str:
    node = case.node_of(container.pod) or {}
    arch = ((node.get("status") or {}).get("nodeInfo") or {}).get("architecture")
    return f"its node's processor ({plain(arch, 20)})" if arch else "its node's processor"


def _only_node(case: Case, containers: list[Container], runs: list[Object]) -> str:
    """The node on which alone the image does not come; empty when there are several, or nobody runs with it."""
    failing = {str((c.pod.get("spec") or {}).get("nodeName") or "") for c in containers}
    serving = {str((p.get("spec") or {}).get("nodeName") or "") for p in runs}
    return next(iter(failing)) if len(failing) == 1 and serving and not failing & serving else ""


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


def _alternatives(why: str, secret: PullSecret | None, runs: bool, good: str) -> tuple[str, ...]:
    found = []
    if why == "not found":
        found.append("the image was only not pushed yet: pushing it mends this as well")
    if why == "denied" and secret is None:
        found.append(
            "the pull secret's credentials expired, or the repository's name is wrong: a registry may tell both as denied"
        )
    if why == "unreachable":
        found.append("the node's network or DNS is at fault, not the registry: look whether other images can be pulled")
    if why == "untrusted":
        found.append("the registry speaks no TLS: then the runtime of each node has to be told so")
    if why == "limited":
        found.append("the image: it exists, and the kubelet tries again by itself; a pull secret raises the limit")
    if runs:
        found.append(
            "other pods run with this very image, so it did exist: it may have been removed or be private to some nodes"
        )
    if not good:
        found.append("no earlier revision with another image is known, so there is nothing to go back to")
    return tuple(found)


def _secret_fact(case: Case, container: Container, secret: PullSecret | None) -> list[Evidence]:
    if secret is None:
        return []
    return [fact(container.pod, "spec.imagePullSecrets", f"{secret.name} {secret.wrong}")]


def _other_repository(one: str, other: str) -> bool:
    return _repository(one) != _repository(other)


def _repository(image: str) -> str:
    image = image.partition("@")[0]
    head, _, tail = image.rpartition("/")
    return f"{head}/{tail.partition(':')[0]}"


def _has_image(pod: object, image: str) -> bool:
    spec = pod.get("spec") if hasattr(pod, "get") else None
    return any(c.get("image") == image for c in (spec or {}).get("containers") or ())


def _containers(pod: Object) -> list[Mapping[str, Any]]:
    spec = pod.get("spec") or {}
    return [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
