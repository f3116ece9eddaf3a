"""A verification reads what the watches know while it goes on; only what the cluster says ends it."""

import copy
from typing import Any

import pytest

from kubernaut.domain.facts import Object
from kubernaut.domain.tracks import ImperativePhase, ImperativeTrack

from . import objects
from .conftest import WEB, House
from .memory_cluster import MemoryCluster

_I = ImperativePhase
KEY = ("Deployment", "shop", "web")


class Watched(MemoryCluster):
    """A cluster whose watch can be behind: `seen` is what the cache has in place of the objects."""

    def __init__(self) -> None:
        super().__init__("prod")
        self.seen: dict[tuple[str, str, str], Any] = {}
        self.live_reads = 0

    async def get(self, kind: str, namespace: str, name: str, *, live: bool = False) -> Object | None:
        if live:
            self.live_reads += 1
        elif (kind, namespace, name) in self.seen:
            return copy.deepcopy(self.seen[kind, namespace, name])
        return await super().get(kind, namespace, name, live=live)

    def change(self, **status: Any) -> Any:
        """The Deployment with another status; it is the caller's to put it where it belongs."""
        web = copy.deepcopy(self.objects[KEY])
        web["status"].update(status)
        return web


@pytest.fixture
async def cluster(house: House) -> Watched:
    """A Deployment that was restarted, one look into its verification."""
    made = Watched()
    house.using(clusters={"prod": made})
    made.put(objects.namespace())
    replica_set = made.put(objects.replica_set(made.put(objects.deployment())))
    made.put(objects.pod("web-1-1", replica_set))
    await house.open("restart-deployment", WEB)
    assert (await house.until(_I.VERIFYING)).phase is _I.VERIFYING
    await look(house)
    made.live_reads = 0
    return made


async def look(house: House) -> ImperativeTrack:
    """The next look, when it is due."""
    track = await house.track()
    house.clock.moment = max(house.clock.moment, track.wake_at or house.clock.moment)
    await house.turn()
    return await house.track()


async def end(house: House) -> ImperativeTrack:
    """Look after look for as long as health has to hold."""
    since = house.clock.moment
    while (track := await look(house)).phase is _I.VERIFYING:
        if (house.clock.moment - since).total_seconds() > house.out.limits.stability_s + 10:
            break
    return track


async def test_only_the_last_look_asks_the_cluster(house: House, cluster: Watched) -> None:
    assert (await end(house)).phase is _I.COMPLETED
    assert cluster.live_reads == 1


async def test_what_only_the_watch_calls_well_is_not_done(house: House, cluster: Watched) -> None:
    cluster.seen[KEY] = cluster.change()
    cluster.put(cluster.change(readyReplicas=0, availableReplicas=0))
    track = await end(house)
    assert track.phase is _I.VERIFYING
    assert track.steady_since is None or track.steady_breaks


async def test_what_only_the_watch_calls_failed_goes_on(house: House, cluster: Watched) -> None:
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    cluster.seen[KEY] = cluster.change(conditions=[late])
    assert (await look(house)).phase is _I.VERIFYING
    del cluster.seen[KEY]
    assert (await end(house)).phase is _I.COMPLETED


async def test_a_watch_that_has_not_seen_the_write_is_not_believed(house: House, cluster: Watched) -> None:
    run = (await house.track()).steps[0]
    behind = cluster.change()
    behind["metadata"]["generation"] = int(run.captured["generation"])
    cluster.seen[KEY] = behind
    cluster.put(cluster.change(readyReplicas=0, availableReplicas=0))
    track = await look(house)
    assert cluster.live_reads == 1
    assert "0/2 ready" in track.reason
