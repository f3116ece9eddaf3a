"""Replies and errors of the API; every error of the tree has its status and code."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import structlog
from aiohttp import web

from kubernaut.domain.errors import BadInput, Conflict, KubernautError, NotFound, Refused, Temporary, Unknown

log = structlog.get_logger()
_SHOWN = 80
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_STATUS: tuple[tuple[type[KubernautError], int, str], ...] = (
    (BadInput, 400, "bad_input"),
    (NotFound, 404, "not_found"),
    (Refused, 403, "refused"),
    (Conflict, 409, "conflict"),
    (Temporary, 503, "unavailable"),
    (Unknown, 502, "unknown"),
)


class ReadOnly(Refused):
    """Production is read-only until the caller arms or gives a reason."""


def reply(document: Any, status: int = 200) -> web.Response:
    """A JSON reply."""
    return web.Response(status=status, body=msgspec.json.encode(document), content_type="application/json")


def problem(error: KubernautError) -> web.Response:
    """An error as JSON."""
    status, code = next(((s, c) for kind, s, c in _STATUS if isinstance(error, kind)), (500, "failed"))
    code = "read_only" if isinstance(error, ReadOnly) else code
    field = error.field if isinstance(error, BadInput) else ""
    message = error.message if isinstance(error, BadInput) else str(error)
    return reply({"error": {"code": code, "message": message, "field": field}}, status)


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Translate every error; what nobody foresaw is logged here and told without its details."""
    try:
        return await handler(request)
    except KubernautError as error:
        return problem(error)
    except web.HTTPException as error:
        return _refused(request, error)
    except TimeoutError:
        message = "something outside did not answer in time: try again"
        return reply({"error": {"code": "unavailable", "message": message, "field": ""}}, 503)
    except ConnectionError:
        raise
    except Exception:
        log.exception("a request failed", method=request.method, path=request.path)
        message = "internal error: see the daemon's log"
        return reply({"error": {"code": "failed", "message": message, "field": ""}}, 500)


def _refused(request: web.Request, error: web.HTTPException) -> web.Response:
    """What aiohttp itself refuses, in our words."""
    code, asked = "not_found" if error.status == 404 else "bad_input", f"{request.method} {request.path[:_SHOWN]}"
    said = {
        404: "no such path in API v1; docs/api.md lists them all",
        405: f"takes {', '.join(sorted(getattr(error, 'allowed_methods', ())))} only",
        413: f"the body is larger than {request.client_max_size} bytes",
    }.get(error.status, error.reason)
    answer = reply({"error": {"code": code, "message": f"{asked}: {said}", "field": ""}}, error.status)
    if "Allow" in error.headers:
        answer.headers["Allow"] = error.headers["Allow"]
    return answer


def only(request: web.Request, *known: str) -> None:
    """Refuse query parameters that nobody reads: a typo must not be a silent no-op.

    Raises:
        BadInput: names the first one.
    """
    if unknown := sorted(set(request.query) - set(known)):
        expected = f"known: {', '.join(known)}" if known else "none is known here"
        raise BadInput(f"unknown parameter; {expected}", field=unknown[0][:_SHOWN])


async def body_of(request: web.Request) -> dict[str, Any]:
    """The request's JSON object.

    Raises:
        BadInput: it is not a JSON object.
    """
    raw = await request.read()
    if not raw:
        return {}
    try:
        document = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"the body is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise BadInput("the body must be a JSON object")
    return document


def text_of(document: dict[str, Any], field: str, *, required: bool = False, limit: int = 2000) -> str:
    """A text field.

    Raises:
        BadInput: missing though required, no text, or too long.
    """
    value = document.get(field, "")
    if not isinstance(value, str):
        raise BadInput("must be text", field=field)
    if required and not value.strip():
        raise BadInput("is missing", field=field)
    if len(value) > limit:
        raise BadInput(f"is longer than {limit} characters", field=field)
    return value.strip()
