"""A loopback server that answers as the test says, and a kubeconfig that leads to it."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import yaml
from aiohttp import web


@contextlib.asynccontextmanager
async def serving(handle: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """Serves every path by one handler; gives the URL."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def kubeconfig(path: Path, url: str, user: dict | None = None) -> Path:
    """Writes a kubeconfig with one context, `main`."""
    config = {
        "current-context": "main",
        "contexts": [{"name": "main", "context": {"cluster": "main", "user": "me"}}],
        "clusters": [{"name": "main", "cluster": {"server": url}}],
        "users": [{"name": "me", "user": user or {"token": "t0"}}],
    }
    path.write_text(yaml.safe_dump(config))
    return path


def status(code: int, reason: str = "", message: str = "", **details) -> web.Response:
    """A failure as an API server tells it."""
    body = {
        "kind": "Status",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
        "details": details,
    }
    return web.json_response(body, status=code)
