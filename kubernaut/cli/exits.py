"""What the command line's exit statuses mean."""

from kubernaut.domain.errors import BadInput, KubernautError, NotFound, Refused

FAILED, BAD_INPUT, REFUSED, NOT_FOUND, NO_DAEMON, INTERRUPTED = 1, 2, 3, 4, 5, 130
"""Exit statuses, besides 0 for done."""


class NoDaemonError(KubernautError):
    """There is no daemon to talk to."""


def status_of(error: KubernautError) -> int:
    """The exit status that an error means."""
    for kind, status in ((BadInput, BAD_INPUT), (Refused, REFUSED), (NotFound, NOT_FOUND)):
        if isinstance(error, kind):
            return status
    return FAILED
