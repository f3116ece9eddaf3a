"""What a workload says that it can't reach, held against the Services of the cluster: is the thing behind it really down?

A log that says `connection refused` names a symptom. It becomes a cause only when it names a Service, by name or by address, of
which no pod is ready; then what is wrong with the workload behind that Service is the root cause.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from kubernaut.domain.analysis import Evidence, Finding
from kubernaut.domain.facts import Object, Snapshot, controller_of, ref_of
from kubernaut.domain.resources import WORKLOADS

from .case import Case
from .confidence import Rests, confidence
from .objects import Container, alive, containers_of, pod_ready
from .owners import selects
from .symptoms import UNREACHABLE, last_lines
from .units import moment
from .words import fact, many, plain

_HOST = re.compile(r"(?<![\w.-])[a-z0-9](?:[a-z0-9.-]{0,200}[a-z0-9])?(?![\w-])")
_WAITS = re.compile(
    r"could not connect|failed to connect|can(?:no|')t connect|waiting (?:for|on)|not reachable|unreachable", re.I
)
_MILD = re.compile(
    r"^.{0,80}?(?:(?i:\blevel[\"']?\s*[=:]\s*[\"']?(?:warn|info|debug))|\b(?:WARN|WARNING|INFO|DEBUG)\b)"
)
_FATAL = re.compile(r"panic|fatal|traceback|exception|\berror\b|unhandled", re.I)
"""A warning about what can't be reached is no cause where the program then fails with other words."""
_LINES = 20
_SURE = 0.9
"""A dependency's cure is never certain enough to run alone: only the log connects it with what alerted."""


@dataclass(frozen=True, slots=True)
class Dependency:
    """A Service that containers can't reach and that has no ready pod. workload: what is behind it; None when nothing is."""

    service: Object
    workload: Object | None
    pods: int
    containers: tuple[Container, ...]
    line: str


def broken_dependencies(case: Case) -> list[Dependency]:
    """Services that the target's unhealthy containers can't reach and that have no ready pod."""
    return case.once("broken dependencies", lambda: _broken(case))


def _broken(case: Case) -> list[Dependency]:
    said: dict[str, tuple[Object, list[Container], str]] = {}
    for container in case.containers:
        if case.crashing(container) or (container.running and not container.ready):
            for service, line in named_services(case, container):
                key = f"{service['metadata'].get('namespace')}/{service['metadata']['name']}"
                said.setdefault(key, (service, [], line))[1].append(container)
    found = []
    for service, containers, line in said.values():
        pods = _behind(case.snapshot, service)
        if not any(pod_ready(pod) for pod in pods):
            workload = _workload(case.snapshot, service, pods)
            found.append(Dependency(service, workload, len(pods), tuple(containers), line))
    return found


def blamed(case: Case, needed: Dependency, theirs: Finding) -> Finding:
    """A finding about the workload behind a Service, as the cause of the target's trouble."""
    cause = f"{case.owner.name} can't reach {needed.service['metadata']['name']}: {theirs.cause}"
    seen = _said(needed)
    return replace(
        theirs, cause=cause, confidence=min(_SURE, theirs.confidence), evidence=(*theirs.evidence[:3], seen, *theirs.evidence[3:])
    )  # fmt: skip


def down(case: Case, needed: Dependency, theirs: Sequence[Finding] = ()) -> Finding:
    """That a Service has nothing ready behind it, where no more than a guess says why.

    Args:
        theirs: what was found about the workload behind it; the best guess is told, and makes nothing surer.
    """
    name, workload = needed.service["metadata"]["name"], needed.workload
    wanted = ((workload or {}).get("spec") or {}).get("replicas")
    why = (
        "its selector picks no pod and no workload"
        if workload is None and not needed.pods
        else f"{workload['kind']} {workload['metadata']['name']} behind it is scaled to 0"
        if workload is not None and wanted == 0
        else f"none of the {many(needed.pods, 'pod')} behind it is ready"
    )
    return Finding(
        target=ref_of(workload or needed.service, case.snapshot.target.cluster),
        failure_class="DependencyUnavailable",
        cause=f"{case.owner.name} can't reach service {plain(name, 80)}: {plain(why, 160)}."
        + (f" {max(theirs, key=lambda f: f.confidence).cause}" if theirs else ""),
        confidence=confidence(Rests.INDIRECT, supports=len(needed.containers) > 1),
        evidence=(
            _said(needed),
            fact(needed.service, "spec.selector", (needed.service.get("spec") or {}).get("selector")),
            *((fact(workload, "spec.replicas", wanted),) if workload is not None and wanted is not None else ()),
        ),
        alternatives=("somebody took it down on purpose: then what needs it should be scaled down, too",)
        if wanted == 0
        else ("a restart of what can't reach it: it would fail alike",),
    )


def _said(needed: Dependency) -> Evidence:
    container = needed.containers[0]
    at = moment(container.last_end[1].get("finishedAt"))
    return fact(container.pod, f"log[{container.name}]", needed.line, at)


def named_services(case: Case, container: Container) -> Iterator[tuple[Object, str]]:
    """The Services that a container says it can't reach, each with the line that says so."""
    own = container.pod["metadata"].get("namespace", "")
    lines = last_lines(case, container, _LINES)
    other = case.crashing(container) and any(_FATAL.search(line) and not UNREACHABLE.search(line) for line in lines)
    for line in lines:
        if not (UNREACHABLE.search(line) or _WAITS.search(line)) or (other and _MILD.search(line)):
            continue
        for host in dict.fromkeys(_HOST.findall(line.lower()[:1000])):
            service = service_called(case.snapshot, host, own)
            if service is not None and not selects(_selector(service), container.pod):
                yield service, line


def service_called(snapshot: Snapshot, host: str, namespace: str) -> Object | None:
    """The Service that a host name or an address means, as seen from a namespace."""
    if re.fullmatch(r"[\d.]+", host):
        of_address = (s for s in snapshot.of_kind("Service") if (s.get("spec") or {}).get("clusterIP") == host)
        return next(of_address, None)
    name, _, rest = host.partition(".")
    if rest and not re.fullmatch(r"[a-z0-9-]+(?:\.svc(?:\.[a-z0-9.-]+)?)?", rest):
        return None
    return snapshot.get("Service", name, rest.partition(".")[0] or namespace)


def _selector(service: Object) -> dict[str, str]:
    spec = service.get("spec") or {}
    return {} if spec.get("type") == "ExternalName" else dict(spec.get("selector") or {})


def _behind(snapshot: Snapshot, service: Object) -> list[Object]:
    """Live pods that a Service selects; one without a selector has its endpoints from elsewhere, and counts as served."""
    wanted = _selector(service)
    namespace = service["metadata"].get("namespace", "")
    if not wanted:
        return [{"status": {"conditions": [{"type": "Ready", "status": "True"}]}}]
    return [p for p in snapshot.of_kind("Pod", namespace) if selects(wanted, p) and alive(p) and [*containers_of(p)]]


def _workload(snapshot: Snapshot, service: Object, pods: list[Object]) -> Object | None:
    """The top owner of the pods behind a Service, or the workload whose pods it would select."""
    namespace = service["metadata"].get("namespace", "")
    for pod in pods[:1]:
        item: Object = pod
        while reference := controller_of(item):
            owner = snapshot.get(reference["kind"], reference["name"], namespace)
            if owner is None:
                break
            item = owner
        return item
    wanted = _selector(service)
    for kind in WORKLOADS:
        for item in snapshot.of_kind(kind, namespace):
            labels = (((item.get("spec") or {}).get("template") or {}).get("metadata") or {}).get("labels") or {}
            if selects(wanted, {"metadata": {"labels": labels}}):
                return item
    return None
