"""What speaks against making pods anew that lost their readiness; each doubt takes the decision to a person.

Fresh pods help where the old ones are stuck in a state of their own. They don't where what they need is down, where their
settings or their node are at fault, or where being unready is what they should be.
"""

from dataclasses import dataclass
from datetime import datetime

from kubernaut.domain.analysis import Evidence
from kubernaut.domain.facts import Object

from .blame import uses
from .case import Case
from .changes import writers
from .nodes import condition_fact
from .objects import condition, containers_of
from .symptoms import UNREACHABLE
from .units import moment
from .words import plain

_HANDED_S = 60.0
_EDITED_S = 600.0
"""A program reads a mounted ConfigMap again within a minute or two; what comes after ten is of another cause."""
_PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure")


@dataclass(frozen=True, slots=True)
class Doubt:
    """One doubt: what else it may be, and the fact that says so where there is one."""

    text: str
    evidence: Evidence | None = None


def about_all(case: Case, pods: list[Object], at: datetime) -> list[Doubt]:
    """Doubts about restarting a workload none of whose pods is ready.

    Args:
        at: when the first of them lost its readiness.
    """
    found = [*_changed(case, at), *_recovering(case), *_edited(case, pods, at)]
    found += [doubt for pod in pods for doubt in _short_node(case, pod)][:1]
    if line := _dependency(case, pods):
        text = f"a dependency is down, as the log says ({plain(line, 100)}): a restart would not help then"
        found.append(Doubt(text))
    return found


def about_one(case: Case, pod: Object, serving: list[Object], at: datetime) -> list[Doubt]:
    """Doubts about replacing one pod.

    Args:
        serving: its siblings that are ready.
    """
    found = [*_changed(case, at), *_recovering(case), *_short_node(case, pod)[:1]]
    if any(_took_over(case, sibling, at) for sibling in serving):
        found.append(
            Doubt("it stands by for the pod that became ready when it lost its readiness: then nothing is wrong")
        )
    if case.node_of(pod) is None and case.nodes and not case.lacks("node"):
        found.append(Doubt("its node is gone: then the control plane deletes its pods by itself"))
    return found


def _took_over(case: Case, sibling: Object, at: datetime) -> bool:
    """Whether a sibling that had run unready for long became ready at that very time, as a new leader does."""
    when = moment(condition(sibling, "Ready").get("lastTransitionTime"))
    starts = [case.started(c) for c in containers_of(sibling) if not c.init]
    if when is None or not -5 <= (when - at).total_seconds() <= _HANDED_S:
        return False
    return all(start is not None and (when - start).total_seconds() >= _HANDED_S for start in starts)


def _changed(case: Case, at: datetime) -> list[Doubt]:
    """The newest revision is so young that the change may be what made the pods unready."""
    if len(case.revisions) < 2 or case.revisions[0].created is None:
        return []
    near = abs((at - case.revisions[0].created).total_seconds()) < 10 * case.steady_s
    return [Doubt("the last release, which came at that time: fresh pods would run the same")] if near else []


def _recovering(case: Case) -> list[Doubt]:
    """The pods have volumes of their own: what keeps data may be unready because it recovers."""
    if case.owner.kind != "StatefulSet":
        return []
    claims = ((case.workload or {}).get("spec") or {}).get("volumeClaimTemplates")
    if not claims and not any(volume.get("persistentVolumeClaim") for volume in case.template.get("volumes") or ()):
        return []
    return [Doubt("it keeps data on its volumes and recovers or catches up: a fresh pod would begin that anew")]


def _edited(case: Case, pods: list[Object], at: datetime) -> list[Doubt]:
    """Somebody wrote a ConfigMap that the pods use shortly before they became unready."""
    names = {use.config_map for pod in pods[:1] for c in containers_of(pod) for use in uses(case, c)}
    holders = [case.snapshot.get("ConfigMap", name, pods[0]["metadata"].get("namespace", "")) for name in sorted(names)]
    told = [next(writers(holder, "f:data"), None) for holder in holders if holder is not None]
    found = [e for e in told if e and e.time and -30 <= (at - e.time).total_seconds() <= _EDITED_S]
    return [Doubt(f"{e.object} was edited shortly before: fresh pods would read the same", e) for e in found[:1]]


def _short_node(case: Case, pod: Object) -> list[Doubt]:
    """The pod's node runs short of something: that explains much, and a fresh pod may come to the same node."""
    node = case.node_of(pod)
    if node is None:
        return []
    told = [condition_fact(node, kind) for kind in _PRESSURES if condition(node, kind).get("status") == "True"]
    return [Doubt(f"{e.object} is at fault: {e.value}", e) for e in told]


def _dependency(case: Case, pods: list[Object]) -> str:
    """A line of the log that says that something outside does not answer, in more than one pod; empty without one."""
    names = {pod["metadata"]["name"] for pod in pods}
    hits: dict[str, str] = {}
    for key, text in case.snapshot.logs.items():
        if key.pod in names and not key.previous:
            for line in text.splitlines()[-20:]:
                if UNREACHABLE.search(line):
                    hits[key.pod] = line
    return next(iter(hits.values())) if len(hits) >= min(2, len(pods)) else ""
