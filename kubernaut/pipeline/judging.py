"""Is it well now? Looks in the course of a verification read what the watches know; the look that would end it asks the cluster.

A hundred restarts are looked at for a minute each: read from the cluster, that would take from it what the restarts need.
"""

from collections.abc import Sequence

from kubernaut.actions.action import Health, HealthState
from kubernaut.actions.catalogue import find
from kubernaut.domain.facts import Object
from kubernaut.domain.plans import Step, StepRun
from kubernaut.domain.tracks import ImperativeTrack
from kubernaut.ports import ClusterHealth, ClusterReader

from .outside import Outside
from .steady import steady_since, too_late


async def judged(out: Outside, track: ImperativeTrack, cluster: str) -> tuple[Health, str]:
    """The worst of the steps' health, and a stamp that changes when anything of it restarted."""
    now = out.clock.now()
    worst, stamp = await _worst(out, track, cluster, live=False)
    steady = steady_since(track, stamp, now) if worst.state is HealthState.HEALTHY else None
    long_enough = steady is not None and (now - steady).total_seconds() >= out.limits.stability_s
    if worst.state is HealthState.FAILED or long_enough or too_late(track, steady, now):
        return await _worst(out, track, cluster, live=True)
    return worst, stamp


def known(out: Outside, track: ImperativeTrack, cluster: str, step: Step) -> ClusterReader:
    """The cluster, or what the watch knows of it where nothing is known to have changed since the plan was made."""
    reader = out.cluster(cluster)
    again = track.approval_id or track.attempt or track.replans
    return reader if again else Remembered(reader, step, StepRun(step.id))


async def _worst(out: Outside, track: ImperativeTrack, cluster: str, *, live: bool) -> tuple[Health, str]:
    healths = []
    for step in track.plan.steps:
        run, reader = track.run_of(step.id), out.cluster(cluster)
        healths.append(await find(step.action).health(reader if live else Remembered(reader, step, run), step, run))
    worst = max(healths, key=lambda health: list(HealthState).index(health.state))
    return worst, "|".join(health.stamp for health in healths)


class Remembered:
    """A cluster that answers a live read from the watch cache, unless the cache has not seen the step's write yet."""

    def __init__(self, reader: ClusterReader, step: Step, run: StepRun) -> None:
        self.name = reader.name
        self._reader = reader
        self._target = (step.target.kind, step.target.namespace, step.target.name)
        self._generation = str(run.captured.get("generation", ""))

    def health(self) -> ClusterHealth:
        return self._reader.health()

    def cached(self, kind: str, namespace: str, name: str) -> Object | None:
        return self._reader.cached(kind, namespace, name)

    async def get(self, kind: str, namespace: str, name: str, *, live: bool = False) -> Object | None:
        item = await self._reader.get(kind, namespace, name)
        if not live or not self._generation or (kind, namespace, name) != self._target:
            return item
        unseen = item is None or str(item["metadata"].get("generation", "")) == self._generation
        return await self._reader.get(kind, namespace, name, live=True) if unseen else item

    async def list(
        self, kind: str, namespace: str = "", *, labels: str = "", fields: str = "", live: bool = False
    ) -> Sequence[Object]:
        return await self._reader.list(kind, namespace, labels=labels, fields=fields)

    async def owned(self, kind: str, owner_uid: str, namespace: str) -> Sequence[Object]:
        return await self._reader.owned(kind, owner_uid, namespace)

    async def logs(
        self, namespace: str, pod: str, container: str, *, previous: bool = False, tail_lines: int = 100
    ) -> str:
        return await self._reader.logs(namespace, pod, container, previous=previous, tail_lines=tail_lines)

    async def allowed(self, verb: str, kind: str, namespace: str = "", name: str = "", subresource: str = "") -> str:
        return await self._reader.allowed(verb, kind, namespace, name, subresource)
