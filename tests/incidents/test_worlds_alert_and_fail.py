"""A world raises its alerts as Alertmanager does and can lose its API server for a while."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from kubernaut.domain.errors import Permanent, Temporary
from kubernaut.lab import repositories
from kubernaut.lab.alerting import NEVER, Firing, Webhook
from kubernaut.lab.world import Stage
from kubernaut.sim.scenarios import Commit, all_scenarios, scenario
from kubernaut.sim.scenarios.view import ready

from .hands import delete_pod, eventually, pods

TOKEN = secrets.token_hex(8)
module_loop = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Gateway:
    """Takes webhooks and remembers them; answers `refuses` first, if set."""

    url: str = ""
    taken: list[dict[str, Any]] = field(default_factory=list)
    refuses: list[int] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.Response(status=401)
        if self.refuses:
            return web.Response(status=self.refuses.pop(0))
        self.taken.append(await request.json())
        return web.Response()

    def alerts(self, status: str) -> list[dict[str, Any]]:
        return [alert for body in self.taken for alert in body["alerts"] if alert["status"] == status]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway() -> AsyncIterator[Gateway]:
    """A receiver on loopback."""
    made = Gateway()
    app = web.Application()
    app.router.add_post("/v1/alertmanager", made.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@module_loop
async def test_an_alert_fires_and_resolves_with_its_symptom(world: Stage, gateway: Gateway) -> None:
    gateway.taken.clear()
    it = scenario(4)
    await world.deploy(it)
    await world.break_(it)
    wedged = next(p["metadata"]["name"] for p in await pods(world, it) if not ready(p))
    await world.fire(it, gateway.url, TOKEN)
    await eventually(lambda: _has(gateway, "firing"))
    body, fired = gateway.taken[0], gateway.alerts("firing")[0]
    assert (body["version"], body["truncatedAlerts"]) == ("4", 0)
    assert fired["labels"]["alertname"] == "KubePodNotReady"
    assert fired["labels"]["cluster"] == "prod-eu"
    assert fired["labels"]["pod"] == wedged
    assert fired["endsAt"] == NEVER

    await delete_pod(world, it.namespace, wedged)
    await eventually(lambda: _has(gateway, "resolved"))
    ended = gateway.alerts("resolved")[0]
    assert ended["fingerprint"] == fired["fingerprint"]
    assert ended["endsAt"] > ended["startsAt"]


@module_loop
async def test_an_outage_ends_and_the_world_goes_on(world: Stage) -> None:
    it = scenario(2)
    await world.deploy(it)
    async with asyncio.TaskGroup() as group:
        outage = group.create_task(world.api_outage(2.0))
        await eventually(lambda: _unreachable(world))
        await outage
    await world.break_(it)
    victim = (await pods(world, it))[0]["metadata"]["name"]
    await delete_pod(world, it.namespace, victim)
    await eventually(lambda: _replaced(world))


@module_loop
async def test_many_incidents_at_once_do_not_disturb_each_other(world: Stage) -> None:
    these = [s for s in all_scenarios() if s.number not in (2, 4)]
    for step in (world.deploy, world.break_):
        async with asyncio.TaskGroup() as group:  # one that fails stops the others before their world is gone
            for it in these:
                group.create_task(step(it))
    for it in these:
        assert not await world.mended(it)
        assert it.namespace in str(it.alert(await world.view(it))) or it.alert(await world.view(it)).labels["node"]


@module_loop
async def test_webhooks_are_sent_again_until_somebody_takes_them(gateway: Gateway) -> None:
    gateway.taken.clear()
    alert = Firing({"alertname": "A"}, {}, datetime.now(UTC))
    gateway.refuses = [503, 500]
    await Webhook(f"{gateway.url}/v1/alertmanager", TOKEN).post(alert.payload())
    assert len(gateway.taken) == 1
    with pytest.raises(Permanent, match="401"):
        await Webhook(f"{gateway.url}/v1/alertmanager", "wrong").post(alert.payload())
    with pytest.raises(Temporary):
        await Webhook("http://127.0.0.1:9/v1/alertmanager").post(alert.payload(), within_s=0.5)


async def test_commits_at_the_same_time_all_arrive(tmp_path: Any) -> None:
    bare = tmp_path / "fleet.git"
    await repositories.ensure(bare)
    changes = [Commit(f"Change {n}", {f"{n}.yaml": f"n: {n}\n"}) for n in range(6)]
    made = await asyncio.gather(*(repositories.commit(bare, "shop/production", change) for change in changes))
    assert len(set(made)) == 6
    process = await asyncio.create_subprocess_exec(
        "git", "-C", str(bare), "ls-tree", "-r", "--name-only", "main", stdout=asyncio.subprocess.PIPE
    )
    listed, _ = await process.communicate()
    assert listed.decode().split() == [f"shop/production/{n}.yaml" for n in range(6)]


async def _has(gateway: Gateway, status: str) -> bool:
    return bool(gateway.alerts(status))


async def _unreachable(world: Stage) -> bool:
    try:
        await world.outside.api.get("/version")
    except Temporary:
        return True
    return False


async def _replaced(world: Stage) -> bool:
    return sum(ready(p) for p in await pods(world, scenario(2))) == 1
