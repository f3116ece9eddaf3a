"""A Job runs pods until enough have succeeded, or too many have failed, or its time is over."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kubernaut.sim.apiserver.caller import controller
from kubernaut.sim.apiserver.clock import parse_time, stamp
from kubernaut.sim.apiserver.deletion import DeleteOptions
from kubernaut.sim.apiserver.status import Json
from kubernaut.sim.apiserver.store import Change
from kubernaut.sim.controllers.loop import Key, key_of, owner_key
from kubernaut.sim.controllers.owned import OwnerOfPods
from kubernaut.sim.controllers.pods import condition, is_active, is_ready, phase
from kubernaut.sim.controllers.replicaset import pod_from_template

_JOBS = "jobs.batch"


class JobController(OwnerOfPods):
    """Non-indexed Jobs; back-off between retries is left out."""

    name = "job-controller"

    def triggers(self) -> dict[str, Callable[[Change], Iterable[Key]]]:
        return {
            _JOBS: lambda change: [key_of(change.entry.obj)],
            "pods": lambda change: owner_key(change.entry.obj, "Job"),
        }

    def reconcile(self, key: Key) -> float | None:
        job = self.held(_JOBS, key)
        if job is None or job["metadata"].get("deletionTimestamp"):
            return None
        if _finished(job):
            return self._expire(job)
        spec, status = job["spec"], dict(job.get("status") or {})
        if spec.get("suspend"):
            return None
        now = self.api.now()
        status.setdefault("startTime", stamp(now))
        pods = self.owned(job)
        succeeded = sum(phase(pod) == "Succeeded" for pod in pods)
        failed = sum(phase(pod) == "Failed" for pod in pods)
        active = [pod for pod in pods if is_active(pod)]
        wanted = spec.get("completions") if spec.get("completions") is not None else 1
        deadline_s = spec.get("activeDeadlineSeconds")
        left = None if deadline_s is None else deadline_s - (now - parse_time(status["startTime"])).total_seconds()
        if failed > spec.get("backoffLimit", 6):
            return self._end(
                job, status, active, "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit"
            )
        if left is not None and left <= 0:
            return self._end(
                job, status, active, "Failed", "DeadlineExceeded", "Job was active longer than specified deadline"
            )
        if succeeded >= wanted:
            status |= {"succeeded": succeeded, "failed": failed, "completionTime": stamp(now)}
            text = "Reached expected number of succeeded pods"
            return self._end(job, status, active, "Complete", "CompletionsReached", text)
        missing = min(spec.get("parallelism", 1), wanted - succeeded) - len(active)
        for _ in range(max(missing, 0)):
            active.append(self.make(job, pod_from_template(job, spec["template"])))
        ready = sum(is_ready(pod) for pod in active)
        self._write(job, status | {"active": len(active), "succeeded": succeeded, "failed": failed, "ready": ready})
        return left

    def _end(self, job: Json, status: Json, active: list[Json], kind: str, reason: str, message: str) -> float | None:
        for pod in active:
            self.unmake(job, pod)
        now = stamp(self.api.now())
        ended: Json = {"type": kind, "status": "True", "reason": reason, "message": message}
        ended |= {"lastProbeTime": now, "lastTransitionTime": now}
        failed = sum(phase(pod) == "Failed" for pod in self.owned(job)) + (len(active) if kind == "Failed" else 0)
        status |= {"active": 0, "ready": 0, "failed": failed, "conditions": [ended]}
        self._write(job, status)
        if kind == "Failed":
            self.recorder.event(job, "Warning", reason, message)
        else:
            self.recorder.event(job, "Normal", "Completed", "Job completed")
        return self._expire(self.held(_JOBS, key_of(job)) or job)

    def _write(self, job: Json, status: Json) -> None:
        latest = self.held(_JOBS, key_of(job))
        if latest is not None:
            self.api.write_status(_JOBS, latest, status)

    def _expire(self, job: Json) -> float | None:
        """Delete a finished Job when its time to live is over."""
        lifetime_s = job["spec"].get("ttlSecondsAfterFinished")
        ended = condition(job, "Complete") or condition(job, "Failed")
        if lifetime_s is None or ended is None:
            return None
        left = lifetime_s - (self.api.now() - parse_time(ended["lastTransitionTime"])).total_seconds()
        if left > 0:
            return float(left)
        resource = self.api.catalogue.of_bucket(_JOBS)
        options = DeleteOptions(propagation="Foreground")
        self.api.delete(resource, *key_of(job), options, controller())
        return None


def _finished(job: Json) -> bool:
    return any((found := condition(job, kind)) and found["status"] == "True" for kind in ("Complete", "Failed"))
