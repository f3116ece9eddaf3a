"""Every error carries the decision of what to do next.

    KubernautError
    ├── Temporary     wait `delay_s` and try again: the outside was busy, slow or gone before anything was sent
    ├── Permanent     trying again cannot help
    │   ├── BadInput  somebody's input is wrong: names the field and the place
    │   └── NotFound  the object named does not exist
    ├── Refused       policy or a person said no: an outcome, not a failure
    ├── Conflict      the object changed since it was read: read it again, then decide again
    └── Unknown       a write whose reply was lost: read back, never blindly repeat

Adapters translate library errors into these with `raise … from e`; bodies that may hold secrets are dropped on the way.
"""


class KubernautError(Exception):
    """The root of all errors that kubernaut raises on purpose."""


class Temporary(KubernautError):
    """Nothing was changed and a later attempt may succeed.

    Args:
        message: what happened, for a person.
        delay_s: how long to wait at least before the next attempt, in seconds.
    """

    def __init__(self, message: str, delay_s: float = 2.0) -> None:
        super().__init__(message)
        self.delay_s = delay_s


class Permanent(KubernautError):
    """No later attempt of the same can succeed."""


class BadInput(Permanent):
    """Input from outside is wrong; the message says where and what would be right.

    Args:
        message: what is wrong and what is expected.
        field: the field's path, as `alerts[3].labels`; empty when the whole is wrong.
        place: where the input came from, as `config/kubernaut.yaml:12`; empty when there is only one place.
    """

    def __init__(self, message: str, *, field: str = "", place: str = "") -> None:
        where = ": ".join(part for part in (place, field) if part)
        super().__init__(f"{where}: {message}" if where else message)
        self.message = message
        self.field = field
        self.place = place


class NotFound(Permanent):
    """The object named does not exist (any more)."""


class Refused(KubernautError):
    """Policy, permission or a person said no."""


class Conflict(KubernautError):
    """Something changed since it was read."""


class Unknown(KubernautError):
    """A write was sent and its reply was lost, so whether it happened is not known."""
