"""The generic webhook: one signal about one object in one shape, for senders that are no Alertmanager.

The shape is that of the API's signal by hand, with what only machines say: does it still fire, since when, which firing is it.
"""

from collections.abc import Callable
from datetime import datetime

import msgspec

from kubernaut.domain.errors import BadInput
from kubernaut.domain.signals import Signal, SignalSource, SignalStatus
from kubernaut.domain.values import Severity, digest
from kubernaut.server.naming import named

from . import fields
from .targets import family_of

_MAX_ID = 200


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    kind: str
    name: str
    namespace: str = ""
    cluster: str = ""
    signal: str = "Webhook"
    status: str = "firing"
    severity: str = Severity.WARNING.value
    failure_class: str = ""
    summary: str = ""
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    starts_at: str = ""
    id: str = ""


_decoder = msgspec.json.Decoder(_Document)


def read_signal(body: bytes, cluster_of: Callable[[dict[str, str]], str], now: datetime) -> Signal:
    """Read one POST.

    Args:
        cluster_of: labels → configured cluster; raises BadInput for one that is not configured.
        now: when it came in.

    Raises:
        BadInput: it is not JSON, or a field is missing, unknown or wrong; names the field.
    """
    try:
        given = _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise fields.misfit(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"the body is not JSON: {error}") from error
    _check_words(given)
    cluster = cluster_of({**given.labels, **({"cluster": given.cluster} if given.cluster else {})})
    target = named(cluster, given.kind, given.namespace, given.name)
    name = fields.name(given.signal) or "Webhook"
    began = fields.time(given.starts_at, "starts_at") if given.starts_at else None
    status = SignalStatus(given.status)
    return Signal(
        name=name,
        source=SignalSource.WEBHOOK,
        cluster=cluster,
        status=status,
        severity=Severity(given.severity),
        target=target,
        failure_class=given.failure_class or family_of(name, given.labels),
        occurrence=f"webhook:{digest(given.id or [name, str(target), given.failure_class], 16)}",
        starts_at=began or now,
        ends_at=now if status is SignalStatus.RESOLVED else None,
        labels=fields.labels(given.labels),
        annotations={"summary": fields.text(given.summary)} if given.summary else {},
    )


def _check_words(given: _Document) -> None:
    if given.status not in list(SignalStatus):
        raise BadInput(f"is {fields.shown(given.status)}, expected 'firing' or 'resolved'", field="status")
    if given.severity not in list(Severity):
        raise BadInput(f"is {fields.shown(given.severity)}, expected one of {', '.join(Severity)}", field="severity")
    if given.failure_class and not (given.failure_class.isalnum() and len(given.failure_class) <= _MAX_ID):
        raise BadInput("must be letters and digits, as CrashLoop", field="failure_class")
    if len(given.id) > _MAX_ID:
        raise BadInput(f"is longer than {_MAX_ID} characters", field="id")
