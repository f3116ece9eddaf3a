"""The API server goes away in the middle of a remediation: kubernaut waits, says so, and finishes."""

import asyncio
import os
import time
from pathlib import Path

import pytest
from e2e.incident import Document, Engineer, Incidents, World, restarts

from kubernaut.lab.genuine import NEEDS, GenuineWorld
from kubernaut.lab.parts import Parts
from kubernaut.lab.simulated import SimulatedWorld
from kubernaut.sim.scenarios import Scenario

RBAC = Path(__file__).parents[2] / "config" / "rbac" / "kubernaut.yaml"


async def _seen_during(engineer: Engineer, outage: "asyncio.Task[None]") -> tuple[set[str], list[Document]]:
    """What people can see while it lasts: states of the cluster, and the remediation again and again."""
    states, looks = set(), []
    while not outage.done():
        states.add((await engineer.client.get("/v1/clusters"))["items"][0]["state"])
        looks.append(await engineer.look())
        await asyncio.sleep(0.2)
    outage.result()
    return states, looks


async def _live_through(incidents: Incidents, scenario: Scenario, seconds: float) -> None:
    """The restart is written, then the API server is gone; the pull request is merged while it is."""
    world: World = incidents.world
    daemon = await incidents.daemon()
    engineer = await incidents.fired(scenario, daemon)
    pull = await engineer.proposed()

    async def mutated() -> bool:
        return bool((await engineer.track("imperative"))["mutated"])

    await engineer.until(mutated, "restart")
    outage = asyncio.ensure_future(world.api_outage(seconds))
    await asyncio.sleep(0.5)
    await engineer.merge(pull)
    states, looks = await _seen_during(engineer, outage)
    assert states & {"STALE", "DOWN"}
    assert any(t["reason"].startswith("waits: ") for look in looks for t in look["tracks"])
    assert any("waits: " in look["story"] for look in looks)
    assert not any(look["ended"] for look in looks)
    document = await engineer.ended()
    said = [(e["kind"], e["message"]) for e in await engineer.journal()]
    assert document["phase"] == "Completed", "\n".join(m for _, m in said[-12:])
    assert "waits: " not in document["story"]
    assert any(kind == "wait" and message.startswith("waits: ") for kind, message in said)
    assert len(await restarts(world, scenario)) == 1
    assert await world.mended(scenario)

    async def live() -> bool:
        return bool((await engineer.client.get("/v1/clusters"))["items"][0]["state"] == "LIVE")

    await engineer.until(live, "live cluster")


async def test_the_simulated_api_server_is_gone(tmp_path: Path) -> None:
    async with SimulatedWorld(tmp_path / "w") as world:
        incidents = Incidents(world, tmp_path)
        scenario = await incidents.broken(1)
        try:
            await _live_through(incidents, scenario, 6.0)
        finally:
            await incidents.end()


@pytest.mark.genuine
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_the_genuine_api_server_is_gone_for_half_a_minute(tmp_path: Path) -> None:
    parts = Parts.find()
    if reason := parts.why_missing(NEEDS):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"genuine part missing: {reason}")
    async with GenuineWorld(tmp_path / "w", parts=parts) as world:
        await world.control_plane.kubectl("apply", "-f", str(RBAC))
        await world.control_plane.grant("kubernaut", "kubernaut")
        incidents = Incidents(world, tmp_path)
        scenario = await incidents.broken(1)
        try:
            await _live_through(incidents, scenario, 30.0)
            restart = [w for w in incidents.mutations() if w.resource == "deployments"]
            assert len(restart) == 1
        finally:
            await incidents.end()


async def test_an_alert_during_the_outage_is_taken_and_acted_on_after_it(tmp_path: Path) -> None:
    async with SimulatedWorld(tmp_path / "w") as world:
        incidents = Incidents(world, tmp_path)
        scenario = await incidents.broken(3)
        daemon = await incidents.daemon()
        alert = world.fire(scenario, daemon.gateway_url, daemon.token)
        try:
            began = time.monotonic()
            await alert
            outage = asyncio.ensure_future(world.api_outage(5.0))
            engineer = await incidents.engineer(daemon)
            await outage
            document = await engineer.ended()
            assert document["phase"] == "Completed"
            assert time.monotonic() - began > 5.0
            await world.until(scenario, scenario.mended, "was not mended", 20.0)
        finally:
            await incidents.end()
