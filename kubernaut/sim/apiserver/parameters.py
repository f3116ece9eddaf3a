"""What the parameters of a request must be like, before anything is looked up.

Source: ValidateListOptions in k8s.io/apimachinery, ValidatePodLogOptions in k8s.io/kubernetes
"""

from __future__ import annotations

from collections.abc import Mapping

from kubernaut.sim.apiserver.status import (
    Cause,
    StatusError,
    bad_request,
    forbidden_field,
    invalid,
    invalid_value,
    not_supported,
)

_GROUP = "meta.k8s.io"
_MATCH, _INITIAL = "resourceVersionMatch", "sendInitialEvents"
_MANAGER_BYTES = 128
_OPTIONS = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions"}


def number(query: Mapping[str, str], name: str) -> int | None:
    """A whole number; None where it is not given. Raises StatusError 400 for what is none."""
    text = query.get(name, "")
    try:
        return int(text) if text else None
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def check_listing(query: Mapping[str, str], *, watch: bool) -> None:
    """The parameters of a list or a watch. Raises StatusError 400 or 422."""
    number(query, "timeoutSeconds")
    causes = _of_watch(query) if watch else _of_list(query)
    if causes:
        raise invalid(_GROUP, "ListOptions", "", causes)


def check_log(query: Mapping[str, str], pod: str) -> None:
    """The parameters of a log. Raises StatusError 400 or 422."""
    causes: list[Cause] = []
    for name, least in (("tailLines", 0), ("sinceSeconds", 1), ("limitBytes", 1)):
        value = number(query, name)
        if value is not None and value < least:
            text = "must be greater than or equal to 0" if least == 0 else "must be greater than 0"
            causes.append(invalid_value(name, value, text))
    if causes:
        raise invalid("", "PodLogOptions", pod, causes)


def check_manager(method: str, manager: str) -> None:
    """The name of a field manager. Raises StatusError 422."""
    if len(manager.encode()) > _MANAGER_BYTES:
        cause = Cause("FieldValueTooLong", f"Too long: may not be more than {_MANAGER_BYTES} bytes", "fieldManager")
        raise invalid(_GROUP, _OPTIONS.get(method, "CreateOptions"), "", [cause])


def name_of(sent: Mapping[str, object], wanted: str) -> None:
    """The name in the body of an update. Raises StatusError 400 where it is missing."""
    metadata = sent.get("metadata")
    if not (isinstance(metadata, dict) and metadata.get("name")):
        raise bad_request(f"the name of the object ({wanted} based on URL) was undeterminable: name must be provided")


def other_name(name: str, wanted: str) -> StatusError:
    """The refusal of a body that is about another object than the URL."""
    return bad_request(f"the name of the object ({name}) does not match the name on the URL ({wanted})")


def _of_list(query: Mapping[str, str]) -> list[Cause]:
    match, revision = query.get(_MATCH, ""), query.get("resourceVersion", "")
    causes: list[Cause] = []
    if query.get(_INITIAL):
        causes.append(forbidden_field(_INITIAL, f"{_INITIAL} is forbidden for list"))
    if not match:
        return causes
    if not revision:
        causes.append(forbidden_field(_MATCH, f"{_MATCH} is forbidden unless resourceVersion is provided"))
    if query.get("continue"):
        causes.append(forbidden_field(_MATCH, f"{_MATCH} is forbidden when continue is provided"))
    if match not in ("Exact", "NotOlderThan"):
        causes.append(not_supported(_MATCH, match, ["Exact", "NotOlderThan", ""]))
    elif match == "Exact" and revision == "0":
        causes.append(forbidden_field(_MATCH, f'{_MATCH} "exact" is forbidden for resourceVersion "0"'))
    return causes


def _of_watch(query: Mapping[str, str]) -> list[Cause]:
    match = query.get(_MATCH, "")
    causes: list[Cause] = []
    if query.get(_INITIAL) and match != "NotOlderThan":
        causes.append(forbidden_field(_MATCH, f"{_INITIAL} requires setting {_MATCH} to NotOlderThan"))
    elif match and not query.get(_INITIAL):
        text = f"{_MATCH} is forbidden for watch unless {_INITIAL} is provided"
        causes.append(forbidden_field(_MATCH, text))
        if match != "NotOlderThan":
            causes.append(not_supported(_MATCH, match, ["NotOlderThan"]))
    return causes
