"""One suite, two API servers: what holds on the genuine one must hold on the simulated one."""

import ssl
from collections.abc import AsyncIterator

import aiohttp
import pytest

from kubernaut.sim.cluster import SimulatedCluster

from .raw import Cluster, unique


@pytest.fixture(params=["simulated", pytest.param("genuine", marks=pytest.mark.genuine)])
async def cluster(request: pytest.FixtureRequest) -> AsyncIterator[Cluster]:
    """An API server with its controllers and a fresh namespace."""
    simulated: SimulatedCluster | None = None
    if request.param == "simulated":
        simulated = SimulatedCluster()
        await simulated.start()
        url, token, tls = simulated.url, simulated.token, ssl.create_default_context(cadata=simulated.ca_pem)
    else:
        plane = request.getfixturevalue("control_plane")
        url, token, tls = plane.url, plane.token, plane.ssl()
    async with aiohttp.ClientSession() as session:
        made = Cluster(url, tls, token, session, simulated is None, unique("c"))
        await made.made("/api/v1/namespaces", {"metadata": {"name": made.namespace}})
        await made.until("/api/v1/namespaces/{}/serviceaccounts/default", lambda found: True)
        yield made
        await made.delete("/api/v1/namespaces/{}")
    if simulated is not None:
        await simulated.stop()
