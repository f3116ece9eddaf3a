"""An alert that comes when nothing is wrong any more ends quietly with what was seen; one that proves nothing does not."""

from dataclasses import replace
from pathlib import Path

import pytest

from kubernaut.domain.signals import FailureFamily, Signal
from kubernaut.sim.scenarios import scenario

from .house import CHECKOUT, LIMITS, House, signal

WELL = [
    (CHECKOUT, "deployment/checkout"),
    (signal("checkout", namespace="shop", family=FailureFamily.PODS_NOT_READY), "deployment/checkout"),
    (signal("worker-1", "Node", family=FailureFamily.NODE_NOT_READY), "node/worker-1"),
]


@pytest.mark.parametrize(("late", "what"), WELL, ids=["crash loop", "unready pods", "node"])
async def test_what_is_well_again_is_skipped_with_what_was_seen(tmp_path: Path, late: Signal, what: str) -> None:
    async with House(tmp_path) as house:
        await house.world.deploy(scenario(1))
        item = await house.ended(await house.take(late))
        assert (item.phase, item.tracks) == ("Skipped", ())
        assert item.reason.startswith(f"nothing is wrong any more: {what}: ")
        seen = [entry.data["seen"] for entry in await house.store.journal(0, 1000, item.id) if "seen" in entry.data]
        assert any(what in line for line in seen[-1])


async def test_silence_proves_nothing_about_what_pods_do_not_show(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        await house.world.deploy(scenario(1))
        item = await house.ended(await house.take(signal("checkout", namespace="shop", family="CheckoutErrorsHigh")))
        assert item.phase == "Escalated"
        assert "no known cause was found" in item.reason


async def test_health_has_to_hold_and_what_breaks_meanwhile_is_dealt_with(tmp_path: Path) -> None:
    async with House(tmp_path, limits=replace(LIMITS, patience_s=3600.0)) as house:
        await house.world.deploy(scenario(1))
        id_ = await house.take(CHECKOUT)
        await house.until(id_, lambda item: "looking whether it stays so" in item.reason)
        await house.world.break_(scenario(1))
        item = await house.until(id_, lambda item: item.imperative)
        assert item.target.name == "checkout"


async def test_a_pod_that_was_replaced_is_its_owners(tmp_path: Path) -> None:
    """The alert names a pod that is gone by the time it comes in, and starts anew: it is the same failure all the same."""
    async with House(tmp_path, running=False) as house:
        chosen = await house.broken(1)
        pods = (await house.world.view(chosen)).pods_of("checkout")
        first = await house.take(signal(pods[0]["metadata"]["name"], "Pod", "shop", occurrence="first"))
        gone = f"{pods[0]['metadata']['name'].rpartition('-')[0]}-zzzzz"
        assert await house.take(signal(gone, "Pod", "shop", occurrence="second")) == first
        (item,) = await house.all()
        assert (item.target.kind, item.target.name, item.signal.count) == ("Deployment", "checkout", 2)
