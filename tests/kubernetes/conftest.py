"""A connected cluster, and the few objects that the tests of this folder look at."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from kubernaut.adapters.kubernetes import KubernetesCluster
from kubernaut.lab.parts import ControlPlane

Json = dict[str, Any]
Until = Callable[[Callable[[], Any]], Awaitable[Any]]


class WallClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@pytest.fixture
def clock() -> WallClock:
    return WallClock()


@pytest.fixture
def until() -> Until:
    """Waits until a function (or what it awaits) gives something true, and returns that; fails after 30 s."""

    async def wait(condition: Callable[[], Any]) -> Any:
        async with asyncio.timeout(30):
            while True:
                value = condition()
                if inspect.isawaitable(value):
                    value = await value
                if value:
                    return value
                await asyncio.sleep(0.02)

    return wait


@pytest.fixture
async def cluster(control_plane: ControlPlane, clock: WallClock) -> AsyncIterator[KubernetesCluster]:
    """The genuine cluster as the daemon sees it, with the rights of an administrator, its cache filled."""
    connected = await KubernetesCluster.connect("genuine", control_plane.kubeconfig(), None, clock)
    await connected.start()
    try:
        async with asyncio.timeout(30):
            await connected.synced()
        yield connected
    finally:
        await connected.close()


@pytest.fixture
def create(control_plane: ControlPlane) -> Callable[[str, Json], Awaitable[Json]]:
    """Creates an object by POST to the collection's path and returns what the server made of it."""

    async def post(path: str, body: Json) -> Json:
        status, answer = await control_plane.request("POST", path, body)
        assert status == 201, answer
        created: Json = msgspec.json.decode(answer)
        return created

    return post
