"""Every refusal of the API server is a Status object with a code and a reason.

Clients decide by `reason` and `details.causes`, so the constructors here mirror
k8s.io/apimachinery/pkg/api/errors, down to the wording that people grep for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgspec

Json = dict[str, Any]


class StatusError(Exception):
    """The answer to a request is this refusal; raised anywhere below the HTTP layer and written there."""

    def __init__(self, code: int, reason: str, message: str, details: Json | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def body(self) -> Json:
        """The Status object a client receives."""
        body: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = self.details
        body["code"] = self.code
        return body


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason why a field was refused; `reason` is a field.ErrorType such as FieldValueRequired."""

    reason: str
    message: str
    field: str

    def as_json(self) -> Json:
        return {"reason": self.reason, "message": self.message, "field": self.field}

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


def required(field: str, text: str = "") -> Cause:
    return Cause("FieldValueRequired", "Required value" + (f": {text}" if text else ""), field)


def _shown(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, int | float):
        return str(value)
    return msgspec.json.encode(value).decode()


def invalid_value(field: str, value: object, text: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {_shown(value)}: {text}", field)


def not_supported(field: str, value: object, allowed: list[str]) -> Cause:
    choices = ", ".join(f'"{item}"' for item in allowed)
    return Cause("FieldValueNotSupported", f"Unsupported value: {_shown(value)}: supported values: {choices}", field)


def duplicate(field: str, value: object) -> Cause:
    return Cause("FieldValueDuplicate", f"Duplicate value: {_shown(value)}", field)


def forbidden_field(field: str, text: str) -> Cause:
    return Cause("FieldValueForbidden", f"Forbidden: {text}", field)


def not_found_cause(field: str, value: object) -> Cause:
    return Cause("FieldValueNotFound", f"Not found: {_shown(value)}", field)


def _qualified(group: str, plural: str) -> str:
    return f"{plural}.{group}" if group else plural


def _details(group: str, kind: str, name: str) -> Json:
    details: Json = {}
    if name:
        details["name"] = name
    if group:
        details["group"] = group
    details["kind"] = kind
    return details


def not_found(group: str, plural: str, name: str) -> StatusError:
    message = f'{_qualified(group, plural)} "{name}" not found'
    return StatusError(404, "NotFound", message, _details(group, plural, name))


def already_exists(group: str, plural: str, name: str) -> StatusError:
    message = f'{_qualified(group, plural)} "{name}" already exists'
    return StatusError(409, "AlreadyExists", message, _details(group, plural, name))


MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def conflict(group: str, plural: str, name: str, text: str = MODIFIED) -> StatusError:
    message = f'Operation cannot be fulfilled on {_qualified(group, plural)} "{name}": {text}'
    return StatusError(409, "Conflict", message, _details(group, plural, name))


def invalid(group: str, kind: str, name: str, causes: list[Cause]) -> StatusError:
    """422 with one cause a field, the message being the sum of them."""
    texts = [str(cause) for cause in causes]
    joined = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    details = (_details(group, kind, name) if kind else {}) | {"causes": [cause.as_json() for cause in causes]}
    return StatusError(422, "Invalid", f'{_qualified(group, kind)} "{name}" is invalid: {joined}', details)


def bad_request(message: str) -> StatusError:
    return StatusError(400, "BadRequest", message)


def forbidden(group: str, plural: str, name: str, text: str) -> StatusError:
    message = f'{_qualified(group, plural)} "{name}" is forbidden: {text}'
    if not name:
        message = f"{_qualified(group, plural)} is forbidden: {text}"
    return StatusError(403, "Forbidden", message, _details(group, plural, name))


def unauthorized() -> StatusError:
    return StatusError(401, "Unauthorized", "Unauthorized")


def method_not_allowed() -> StatusError:
    message = "the server does not allow this method on the requested resource"
    return StatusError(405, "MethodNotAllowed", message, {})


def expired(message: str) -> StatusError:
    return StatusError(410, "Expired", message)


def unsupported_media_type(accepted: tuple[str, ...]) -> StatusError:
    message = f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
    return StatusError(415, "UnsupportedMediaType", message)


def too_many_requests(message: str, causes: list[Json]) -> StatusError:
    return StatusError(429, "TooManyRequests", message, {"causes": causes} if causes else None)


def internal(message: str) -> StatusError:
    text = f"Internal error occurred: {message}"
    return StatusError(500, "InternalError", text, {"causes": [{"message": message}]})
