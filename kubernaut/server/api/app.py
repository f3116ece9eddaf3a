"""The API's application."""

from aiohttp import web

from .changing import Changing
from .explaining import Explaining
from .journal import JournalStream
from .reading import Reading
from .replies import errors
from .services import Services

_MAX_BODY_BYTES = 1024 * 1024


def application(services: Services) -> tuple[web.Application, JournalStream]:
    """All routes, and the journal stream, which has to be closed before the server stops."""
    app = web.Application(middlewares=[errors, services.identify], client_max_size=_MAX_BODY_BYTES)
    journal = JournalStream(services)
    rooms = (Reading(services), Explaining(services), Changing(services), journal)
    for room in rooms:
        app.add_routes(room.routes())
    return app, journal
