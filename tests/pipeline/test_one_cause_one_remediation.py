"""However many alerts one cause raises, and whatever they name: one remediation acts."""

import asyncio
from pathlib import Path
from typing import Any

from kubernaut.domain.facts import Object
from kubernaut.domain.signals import FailureFamily
from kubernaut.ports import Cluster

from .house import CHECKOUT, House, signal


async def test_two_alerts_of_one_cause(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        await house.broken(1)
        first = await house.take(CHECKOUT)
        second = await house.take(signal("checkout", namespace="shop", family=FailureFamily.PODS_NOT_READY))
        assert second != first
        skipped = await house.ended(second)
        assert (skipped.phase, skipped.superseded_by) == ("Skipped", first)
        assert (await house.look(first)).pattern == "B"


async def test_a_pod_whose_owner_was_not_known_yet(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        scenario = await house.broken(1)
        pod = (await house.world.view(scenario)).pods_of("checkout")[0]["metadata"]["name"]
        id_ = await house.take(signal(pod, "Pod", "shop"), blind=True)
        assert (await house.look(id_)).target.kind == "Pod"
        item = await house.until(id_, lambda item: item.imperative)
        assert (item.target.kind, item.target.name) == ("Deployment", "checkout")
        assert await house.take(CHECKOUT) == id_


class Late:
    """A cluster whose watch has not seen any pod yet."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    async def get(self, kind: str, namespace: str, name: str, *, live: bool = False) -> Object | None:
        return None if kind == "Pod" and not live else await self._cluster.get(kind, namespace, name, live=live)


async def test_a_pod_that_the_watch_has_not_seen_yet(tmp_path: Path) -> None:
    """That it does not exist would be told to a person, while its owner's failure is dealt with already."""

    def late(cluster: Cluster) -> Any:
        return Late(cluster)

    async with House(tmp_path, seen_as=late, running=False) as house:
        scenario = await house.broken(1)
        first = await house.take(CHECKOUT)
        pod = (await house.world.view(scenario)).pods_of("checkout")[0]["metadata"]["name"]
        second = await house.take(signal(pod, "Pod", "shop"), blind=True)
        assert second != first
        house.start()
        skipped = await house.ended(second)
        assert (skipped.phase, skipped.superseded_by) == ("Skipped", first)


async def test_a_hundred_identical_alerts_at_once(tmp_path: Path) -> None:
    async with House(tmp_path, running=False) as house:
        await house.broken(1)
        taken = await asyncio.gather(*(house.take(CHECKOUT) for _ in range(100)))
        assert len(set(taken)) == 1
        (item,) = await house.all()
        assert item.signal.count == 100


async def test_what_resolved_before_it_was_begun_is_left_alone(tmp_path: Path) -> None:
    async with House(tmp_path, running=False) as house:
        await house.broken(1)
        id_ = await house.take(CHECKOUT)
        await house.take(signal("checkout", namespace="shop", resolved=True))
        house.start()
        item = await house.ended(id_)
        assert (item.phase, item.tracks) == ("Skipped", ())


async def test_a_resolution_alone_opens_nothing(tmp_path: Path) -> None:
    async with House(tmp_path, running=False) as house:
        assert await house.take(signal("checkout", namespace="shop", resolved=True)) == ""
        assert await house.all() == ()
