"""An event is gone an hour after it last happened."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kubernaut.sim.client import ApiClient
from kubernaut.sim.cluster import SimulatedCluster

EVENTS = "/api/v1/namespaces/default/events"


async def _names_without(client: ApiClient, gone: str) -> list[str]:
    async with asyncio.timeout(10):
        while True:
            names = [item["metadata"]["name"] for item in (await client.get(EVENTS))["items"]]
            if gone not in names:
                return names
            await asyncio.sleep(0.1)


async def test_old_events_go_and_recent_ones_stay(tmp_path: Path) -> None:
    cluster = SimulatedCluster()
    await cluster.start()
    try:
        async with ApiClient.from_kubeconfig(cluster.write_kubeconfig(tmp_path / "config")) as client:
            for name, age_s in (("old", 3599.5), ("recent", 60)):
                last = (datetime.now(UTC) - timedelta(seconds=age_s)).strftime("%Y-%m-%dT%H:%M:%SZ")
                about = {"kind": "Pod", "name": "p", "namespace": "default"}
                event = {"metadata": {"name": name}, "involvedObject": about, "reason": "R", "lastTimestamp": last}
                await client.create(EVENTS, {"apiVersion": "v1", "kind": "Event", **event})
            assert await _names_without(client, "old") == ["recent"]
    finally:
        await cluster.stop()
