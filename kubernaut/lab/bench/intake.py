"""Alerts a second that are durable before their 2xx: one alert a request, 50 connections, against a server that does nothing."""

import tempfile
from pathlib import Path

from aiohttp import web

from kubernaut.lab.house import Daemon
from kubernaut.lab.simulated import SimulatedWorld

from .load import in_a_process

_CONNECTIONS = 50
_MANY = 1_000_000


async def bench_intake(seconds: float) -> dict[str, float]:
    """Measure a daemon that looks after a simulated cluster.

    Returns:
        `intake_alerts_per_s`, `intake_p50_ms`, `intake_p99_ms`: every alert about another workload, so each opens a
        remediation; `intake_duplicates_per_s`: all about one of 20; `intake_bare_server_per_s`: the baseline, the same
        requests to an aiohttp handler that reads the body and answers.
    """
    with tempfile.TemporaryDirectory(prefix="kubernaut-bench-") as name:
        folder = Path(name)
        async with SimulatedWorld(folder / "world", forge_root=folder / "forge") as world:
            daemon = Daemon(folder / "daemon", kubeconfig=world.kubeconfig, forge_root=world.forge_root)
            await daemon.start()
            try:
                few = await _load(daemon.port, "/v1/alertmanager", daemon.token, seconds / 3, "repeats", 20)
                new = await _load(daemon.port, "/v1/alertmanager", daemon.token, seconds / 3, "fresh", _MANY)
            finally:
                await daemon.stop()
    bare = await _bare(seconds / 3)
    return {
        "intake_alerts_per_s": new["per_s"],
        "intake_p50_ms": new["p50_ms"],
        "intake_p99_ms": new["p99_ms"],
        "intake_errors": new["errors"] + few["errors"],
        "intake_duplicates_per_s": few["per_s"],
        "intake_duplicates_p99_ms": few["p99_ms"],
        "intake_bare_server_per_s": bare["per_s"],
        "intake_ratio_to_bare_server": round(new["per_s"] / bare["per_s"], 3) if bare["per_s"] else 0.0,
    }


async def _load(port: int, path: str, token: str, seconds: float, namespace: str, distinct: int) -> dict[str, float]:
    return await in_a_process(
        port, path, token, connections=_CONNECTIONS, seconds=seconds, namespace=namespace, distinct=distinct
    )


async def _bare(seconds: float) -> dict[str, float]:
    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=b"{}", content_type="application/json")

    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return await _load(int(runner.addresses[0][1]), "/", "none", seconds, "bare", _MANY)
    finally:
        await runner.cleanup()
