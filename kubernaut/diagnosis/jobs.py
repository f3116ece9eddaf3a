"""A Job that failed for good: its controller says by which rule, its last pod says with what words. Told, never acted on."""

from kubernaut.domain.analysis import Evidence, Finding
from kubernaut.domain.facts import Object, Snapshot

from .case import Case
from .confidence import Rests, confidence
from .objects import Container, condition, containers_of
from .symptoms import last_lines
from .units import moment
from .words import fact, many, plain, quoted


def failed_job(case: Case) -> list[Finding]:
    """The target when it is a Job that failed lately, unless its pods say OOMKilled: another rule knows that better."""
    root = case.snapshot.root
    if root is None or root["kind"] != "Job":
        return []
    why = condition(root, "Failed")
    at = moment(why.get("lastTransitionTime"))
    if why.get("status") != "True" or not case.recently(at):
        return []
    failed = [c for pod in case.pods for c in containers_of(pod) if c.last_end[1].get("exitCode") not in (None, 0)]
    if any(c.last_end[1].get("reason") == "OOMKilled" for c in failed):
        return []
    failed.sort(key=lambda c: str(c.last_end[1].get("finishedAt")))
    last = failed[-1] if failed else None
    lines = last_lines(case, last)[-1:] if last is not None else []
    said = f": {quoted(lines[0], 160)}" if lines else "."
    how = f"; container {last.name} ended with exit code {last.last_end[1].get('exitCode')}{said}" if last else "."
    reason = str(why.get("reason") or "Failed")
    return [
        Finding(
            target=case.owner,
            failure_class=reason,
            cause=f"Job {root['metadata']['name']} failed ({plain(reason, 60)}: {plain(why.get('message', ''), 120)}){how}",
            confidence=confidence(
                Rests.HINT, supports=sum((bool(lines), len(failed) > 1)), missing=case.lacks("log of")
            ),
            evidence=(
                fact(root, "status.conditions[Failed].reason", f"{reason}: {why.get('message', '')}", at),
                *_ends(failed),
                *(fact(last.pod, f"log[{last.name}]", line) for line in lines if last is not None),
            ),
            alternatives=(f"running it again: it failed {many(len(failed) or 1, 'time')} alike already",),
        )
    ]


def jobs_to_look_at(snapshot: Snapshot) -> list[Object]:
    """A CronJob's Jobs that tell how it is now: those that run, and else the newest one."""
    root = snapshot.root
    if root is None or root["kind"] != "CronJob":
        return []
    jobs = sorted(
        snapshot.owned(root, "Job"), key=lambda job: str(job["metadata"].get("creationTimestamp")), reverse=True
    )
    active = [job for job in jobs if (job.get("status") or {}).get("active")]
    return active[:3] or jobs[:1]


def _ends(failed: list[Container]) -> list[Evidence]:
    return [
        fact(
            c.pod,
            f"{c.last_end[0]}.exitCode",
            f"{c.last_end[1].get('reason', '')}, exit code {c.last_end[1].get('exitCode')}",
            moment(c.last_end[1].get("finishedAt")),
        )
        for c in failed[-2:]
    ]
