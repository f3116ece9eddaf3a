"""The API server goes away in the middle of a remediation: who looks at the console reads so, and reads when it is back."""

from pathlib import Path

from e2e.incident import Incidents
from tui.terminal import terminal

from kubernaut.lab.simulated import SimulatedWorld


async def test_a_cluster_that_is_gone_and_comes_back(tmp_path: Path) -> None:
    async with SimulatedWorld(tmp_path / "w") as world:
        incidents = Incidents(world, tmp_path)
        try:
            scenario = await incidents.broken(1)
            daemon = await incidents.daemon()
            engineer = await incidents.fired(scenario, daemon)
            pull = await engineer.proposed()
            async with terminal("--socket", daemon.socket) as console:
                await console.until("LIVE", engineer.id, "PR#1 wants you", within_s=60)
                await world.simulated.stop_serving()
                await engineer.merge(pull)  # from here on nothing but the cluster is waited for
                shown = await console.until("out of memory; waits: ", within_s=60)
                assert "fixed" not in shown
                await console.until("prod-eu DOWN", within_s=60)
                console.send(b"\r")
                await console.until("waits    prod-eu does not answer", "Connect call failed", within_s=60)
                console.send(b"o")
                await console.until("> owners", "can't connect to the API server", within_s=60)
                await world.simulated.resume_serving()
                await console.until("LIVE", "Deployment shop/checkout", "3/3 ready", within_s=60)
                console.send(b"1")
                shown = await console.until("LIVE", "fixed by PR#1", within_s=90)
                assert "waits: " not in shown
        finally:
            await incidents.end()
