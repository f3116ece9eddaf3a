"""Both servers: opened one after the other, closed together."""

import asyncio
import socket
from typing import Any

from aiohttp import web

from .api.journal import JournalStream
from .gateway.app import Gateway

_END_S = 1.0
"""For requests in flight, twice: to end, then to be cancelled."""


class Doors:
    """The API's door and the gateway's.

    Args:
        api: the application, and its stream, which has to end before the server can.
    """

    def __init__(self, api: tuple[web.Application, JournalStream], gateway: Gateway) -> None:
        app, self._journal = api
        options: dict[str, Any] = {"handle_signals": False, "shutdown_timeout": _END_S}
        self._api = web.AppRunner(app, access_log=None, **options)
        self._gateway = web.ServerRunner(gateway.server(), **options)

    async def open(self, tcp: socket.socket, unix: socket.socket) -> None:
        """Answer on both sockets, which listen already."""
        for server, sock in ((self._api, unix), (self._gateway, tcp)):
            await server.setup()
            await web.SockSite(server, sock).start()

    async def close(self) -> None:
        """Answer no more."""
        self._journal.close()
        await asyncio.gather(self._api.cleanup(), self._gateway.cleanup())
