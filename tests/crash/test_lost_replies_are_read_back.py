"""The write is in the cluster and its reply is not here: it is read back and never repeated, with and without a crash."""

from pathlib import Path

import pytest
from e2e.incident import Incidents, restarts

from kubernaut.lab.simulated import SimulatedWorld

from .swallowing import SwallowingProxy


@pytest.mark.parametrize(
    ("number", "loses", "once"),
    [(1, "/deployments/checkout", True), (3, "/nodes/batch-2", True), (11, "/nodes/media-1", True), (11, "/eviction", False)],
)  # fmt: skip
async def test_a_lost_reply(tmp_path: Path, number: int, loses: str, once: bool) -> None:
    async with SimulatedWorld(tmp_path / "w", timescale=0.05) as world:
        incidents = Incidents(world, tmp_path)
        scenario = await incidents.broken(number)
        source = world.kubeconfig_of("kubernaut")
        async with SwallowingProxy(source, lambda method, path: path.endswith(loses)) as proxy:
            daemon = await incidents.daemon(kubeconfig=proxy.kubeconfig(tmp_path / "kubeconfig"))
            engineer = await incidents.fired(scenario, daemon)
            if scenario.permanent:
                await engineer.merge(await engineer.proposed())
            if scenario.pattern == "D":
                await engineer.vote(await engineer.asked())
            document = await engineer.ended()
            said = [e["message"] for e in await engineer.journal()]
            await incidents.end()
        assert document["phase"] == "Completed"
        assert len(proxy.lost) == 1
        assert any("reply" in message and "lost" in message for message in said)
        written = [path for _, path in proxy.writes if path.endswith(loses)]
        assert len(written) == len(set(written)), "an eviction or a patch was sent twice"
        assert len(written) == 1 or not once
        assert await world.mended(scenario)


async def test_a_crash_between_the_write_and_its_reply(tmp_path: Path) -> None:
    async with SimulatedWorld(tmp_path / "w", timescale=0.05) as world:
        incidents = Incidents(world, tmp_path)
        scenario = await incidents.broken(1)
        daemon = await incidents.daemon(start=False)

        async def crash() -> None:
            daemon.kill()

        source = world.kubeconfig_of("kubernaut")
        async with SwallowingProxy(source, lambda _, path: "/deployments/" in path, when_lost=crash) as proxy:
            daemon = await incidents.daemon(kubeconfig=proxy.kubeconfig(tmp_path / "kubeconfig"))
            await world.fire(scenario, daemon.gateway_url, daemon.token)
            while daemon.running:
                await incidents.pause()
            await daemon.start()
            engineer = await incidents.engineer(daemon)
            await engineer.merge(await engineer.proposed())
            document = await engineer.ended()
            await incidents.end()
        assert document["phase"] == "Completed"
        assert [path for _, path in proxy.writes if "/deployments/" in path] == [proxy.lost[0][1]]
        assert len(await restarts(world, scenario)) == 1
