"""What the API server or the network said becomes a decision of the error tree.

For a read the only question is whether a later attempt may succeed. For a write there is a second one: whether it may
have been carried out. Only answers that are given before anything is stored (429, and 503 with `Retry-After` or from a
server that starts up) are Temporary; a broken connection, a time-out and any other 5xx are Unknown.

Source: k8s.io/apimachinery/pkg/api/errors, k8s.io/apiserver/pkg/endpoints/handlers/responsewriters.
"""

import re
from collections.abc import Mapping

import aiohttp

from kubernaut.domain.errors import Conflict, KubernautError, NotFound, Permanent, Refused, Temporary, Unknown
from kubernaut.domain.redaction import redact

from .codec import Status, status

_LONG = 400
# API servers answer invalid input by quoting it.
_QUOTED = re.compile(r'(?:Invalid|Unsupported|Duplicate) value: (?:"(?:[^"\\]|\\.)*"|\{.*?\}): ')

_TWO_BUDGETS = "more than one PodDisruptionBudget"
"""An eviction that no later attempt can carry out is answered by 500.
Source: k8s.io/kubernetes/pkg/registry/core/pod/storage/eviction.go"""


class Gone(Temporary):
    """The version asked for is no longer kept (410): list again."""


class Unauthorized(Refused):
    """The server does not know who asks (401): credentials are loaded once more, then this is the answer."""


def from_answer(
    code: int, body: bytes, headers: Mapping[str, str], what: str, *, write: bool, sensitive: bool = False
) -> KubernautError:
    """The error for an answer with status 400 or above.

    Args:
        what: what was tried, as `patch shop/deployment/checkout`; begins the message.
        sensitive: the object is a Secret, so that the message may quote values: only its reason is kept.
    """
    said = status(body)
    detail = said.reason if sensitive else readable(said.message)
    message = f"{what}: {detail or said.reason or f'HTTP status {code}'}"
    if code == 404:
        return NotFound(message)
    if code == 409 or (code == 422 and _names_another(said)):
        return Conflict(message)
    if code == 410:
        return Gone(message)
    if code == 401:
        return Unauthorized(f"{what}: the API server does not accept the credentials (401)")
    if code in (403, 422):
        return Refused(message)
    if code == 500 and _TWO_BUDGETS in said.message:
        return Refused(f"{message} Let one budget select it, or evict it yourself.")
    if code == 429:
        return Temporary(f"{message}{_budget(said)}", _delay_s(said, headers, 5.0))
    if code in (408, 500, 502, 503, 504):
        rejected_early = code == 503 and ("Retry-After" in headers or "starting" in said.message.lower())
        if write and not rejected_early:
            return Unknown(f"{message} ({code}); whether it was carried out is not known")
        return Temporary(message, _delay_s(said, headers, 2.0))
    return Permanent(f"{message} ({code})")


def from_transport(e: Exception, what: str, *, write: bool) -> KubernautError:
    """The error for a connection that could not be made, broke or stayed silent."""
    if isinstance(e, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return Temporary(f"{what}: can't connect to the API server ({_reason(e)})")
    if write:
        return Unknown(f"{what}: no answer from the API server ({_reason(e)}); whether it was carried out is not known")
    return Temporary(f"{what}: no answer from the API server ({_reason(e)})")


def readable(message: str) -> str:
    """A Status message in one short line, without quoted input and without anything that looks like a credential."""
    line = redact(" ".join(_QUOTED.sub("", message).split()))
    return line if len(line) <= _LONG else f"{line[:_LONG]}…"


def _names_another(said: Status) -> bool:
    """An object of this name, but another uid: patches that carry a uid are told so by 422, not by 409."""
    causes = said.details.causes if said.details else None
    return any(cause.field in ("metadata.uid", "metadata.resourceVersion") for cause in causes or ())


def _budget(said: Status) -> str:
    causes = said.details.causes if said.details else None
    return "".join(f" ({readable(c.message)})" for c in causes or () if c.reason == "DisruptionBudget")


def _delay_s(said: Status, headers: Mapping[str, str], otherwise_s: float) -> float:
    asked = headers.get("Retry-After", "")
    if asked.isdigit():
        return float(asked)
    if said.details and said.details.retry_after_seconds > 0:
        return float(said.details.retry_after_seconds)
    return otherwise_s


def _reason(e: Exception) -> str:
    if isinstance(e, aiohttp.ClientConnectorCertificateError):
        return f"its certificate is not trusted: {getattr(e.certificate_error, 'verify_message', '') or 'wrong host'}"
    if isinstance(e, aiohttp.ClientConnectorError):
        return (e.os_error.strerror or type(e.os_error).__name__).strip("[]")
    return "timed out" if isinstance(e, TimeoutError) else type(e).__name__
