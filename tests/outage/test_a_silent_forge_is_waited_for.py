"""The forge's disk is away: the mitigation is not held up, the pull request waits, says so, and is opened once."""

from pathlib import Path

from e2e.incident import Incidents

from kubernaut.lab.simulated import SimulatedWorld


async def test_the_forge_comes_back(tmp_path: Path) -> None:
    async with SimulatedWorld(tmp_path / "w") as world:
        incidents = Incidents(world, tmp_path)
        scenario = await incidents.broken(1)
        daemon = await incidents.daemon()
        repository = world.forge_root / "fleet.git"
        away = world.forge_root / "away.git"
        repository.rename(away)
        try:
            engineer = await incidents.fired(scenario, daemon)

            async def mitigated() -> bool:
                return bool((await engineer.track("imperative")).get("phase") == "Completed")

            await engineer.until(mitigated, "finished mitigation")
            track = await engineer.track("gitops")
            assert track["phase"] == "Proposing"
            assert track["reason"].startswith("waits: ")
            away.rename(repository)
            await engineer.merge(await engineer.proposed())
            document = await engineer.ended()
        finally:
            await incidents.end()
        assert document["phase"] == "Completed"
        assert await world.mended(scenario)
