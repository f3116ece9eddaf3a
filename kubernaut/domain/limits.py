"""How long things may take, and how sure a finding must be: what the configuration says to the pipeline."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds and thresholds; each has a key in the configuration.

    Args:
        dedup_window_s: a remediation that ended takes duplicates for so long (R-SIG-6).
        patience_s: how long after its first signal an unclear failure is looked at again before it is escalated.
        act_alone_above, never_below: the confidence gate (R-ANA-4).
        stability_s: how long health must hold without a break before it counts.
        outage_s: how long a track waits for a cluster or a forge that does not answer.
    """

    dedup_window_s: float = 300.0
    enrich_deadline_s: float = 10.0
    patience_s: float = 20.0
    act_alone_above: float = 0.9
    never_below: float = 0.7
    call_deadline_s: float = 15.0
    approval_ttl_s: float = 900.0
    resolve_grace_s: float = 60.0
    stability_s: float = 60.0
    verify_poll_s: float = 2.0
    verify_deadline_s: float = 600.0
    rollback_deadline_s: float = 300.0
    merge_poll_s: float = 10.0
    overdue_s: float = 86_400.0
    sync_poll_s: float = 1.0
    sync_deadline_s: float = 900.0
    outage_s: float = 3_600.0
