"""Policy decisions a second in the daemon's own thread, against OPA as a server where there is one."""

import asyncio
import itertools
import time

import aiohttp

from kubernaut.adapters.rego.engine import RegoPolicyEngine
from kubernaut.adapters.rego.samples import samples
from kubernaut.adapters.rego.shipped import shipped_policies
from kubernaut.lab.parts import Opa, Parts

_CONNECTIONS = 16


async def bench_decisions(seconds: float) -> dict[str, float]:
    """Measure `decide` on the shipped rules and the sample inputs.

    Returns:
        `policy_decisions_per_s` and, where OPA was built, `policy_opa_server_decisions_per_s`: the same rules and inputs
        over 16 connections on loopback.
    """
    engine = await RegoPolicyEngine.load(shipped_policies())
    documents = itertools.cycle(list(samples()))
    began, count = time.perf_counter(), 0
    while (took := time.perf_counter() - began) < seconds / 2:
        for document in itertools.islice(documents, 100):
            await engine.decide(document)
        count += 100
    figures = {"policy_decisions_per_s": round(count / took, 1)}
    parts = Parts.find()
    if not parts.why_missing(("opa",)):
        figures["policy_opa_server_decisions_per_s"] = await _opa(parts, seconds / 2)
    return figures


async def _opa(parts: Parts, seconds: float) -> float:
    documents = list(samples())
    async with Opa(parts, policies=(shipped_policies(),)) as opa, aiohttp.ClientSession() as session:
        url = f"{opa.url}/v1/data/kubernaut/approval/decision"
        deadline, counts = time.perf_counter() + seconds, [0] * _CONNECTIONS

        async def ask(number: int) -> None:
            while time.perf_counter() < deadline:
                document = documents[counts[number] % len(documents)]
                async with session.post(url, json={"input": document}) as response:
                    await response.read()
                counts[number] += 1

        async with asyncio.TaskGroup() as group:
            for number in range(_CONNECTIONS):
                group.create_task(ask(number))
    return round(sum(counts) / seconds, 1)
