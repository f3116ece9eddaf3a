"""A proxy in front of an API server that carries a write out and loses the reply to it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import yaml
from aiohttp import web

HOP = {"transfer-encoding", "connection", "keep-alive", "content-length", "content-encoding"}
Write = tuple[str, str]
"""Method and path of a write that is no dry run."""


class SwallowingProxy:
    """Passes everything on, and everything back but the replies to the first `losses` writes that `loses` names.

    Args:
        kubeconfig: of the cluster behind it.
        loses: which writes.
        when_lost: called when the write is in the cluster and its reply is lost.
    """

    def __init__(
        self, kubeconfig: Path, loses: Callable[[str, str], bool], *, losses: int = 1,
        when_lost: Callable[[], Awaitable[None]] | None = None,
    ) -> None:  # fmt: skip
        self._config: dict[str, Any] = yaml.safe_load(kubeconfig.read_text("utf-8"))
        self._server = self._config["clusters"][0]["cluster"]["server"]
        self._loses = loses
        self._losses = losses
        self._when_lost = when_lost
        self._stack = AsyncExitStack()
        self._port = 0
        self.writes: list[Write] = []
        self.lost: list[Write] = []

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(ssl=False, limit=0)
        timeout = aiohttp.ClientTimeout(total=None)
        self._client = await self._stack.enter_async_context(
            aiohttp.ClientSession(connector=connector, timeout=timeout)
        )
        app = web.Application(client_max_size=2**25)
        app.router.add_route("*", "/{path:.*}", self._pass)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self._port = runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def kubeconfig(self, path: Path) -> Path:
        """Writes the kubeconfig with this proxy in the server's place."""
        cluster = {**self._config["clusters"][0], "cluster": {"server": f"http://127.0.0.1:{self._port}"}}
        path.write_text(yaml.safe_dump({**self._config, "clusters": [cluster]}), "utf-8")
        return path

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        headers = {k: v for k, v in request.headers.items() if k.lower() not in HOP and k.lower() != "host"}
        body = await request.read()
        reads = request.method == "GET" or "dryRun" in request.rel_url.query or "selfsubject" in request.path
        write = (request.method, request.path)
        async with self._client.request(
            request.method, self._server + str(request.rel_url), headers=headers, data=body or None
        ) as answer:
            if not reads:
                self.writes.append(write)
                if len(self.lost) < self._losses and self._loses(*write):
                    await answer.read()
                    return await self._lose(request, write)
            back = {k: v for k, v in answer.headers.items() if k.lower() not in HOP}
            response = web.StreamResponse(status=answer.status, headers=back)
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response

    async def _lose(self, request: web.Request, write: Write) -> web.Response:
        self.lost.append(write)
        if self._when_lost is not None:
            await self._when_lost()
        if request.transport is not None:
            request.transport.abort()
        await asyncio.sleep(0)
        return web.Response(status=500)
