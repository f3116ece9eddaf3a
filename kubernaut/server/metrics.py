"""The daemon's numbers in Prometheus' words; each daemon has its own registry, so tests can have several."""

from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from kubernaut import __version__
from kubernaut.domain.remediation import RemediationPhase
from kubernaut.domain.signals import SignalSource

_OUTCOMES = ("opened", "attached", "resolved", "ignored")
_WEBHOOKS = (SignalSource.ALERTMANAGER, SignalSource.WEBHOOK)
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 180, 600)


class Metrics:
    """What is counted where it happens, and gauges that are read from the store when somebody asks.

    Args:
        counts: remediations by phase, and `needs_you`, `active`, `total`.
        clusters: cluster → 1 when its watch is fresh, else 0.
    """

    def __init__(
        self, counts: Callable[[], Awaitable[Mapping[str, int]]], clusters: Callable[[], Mapping[str, bool]]
    ) -> None:
        self._counts = counts
        self._clusters = clusters
        self.registry = CollectorRegistry()
        registry = self.registry
        self._signals = Counter("kubernaut_signals_total", "Signals taken", ["source", "outcome"], registry=registry)
        self._rejected = Counter("kubernaut_signals_rejected_total", "Signals refused", ["source"], registry=registry)
        self._truncated = Counter("kubernaut_alerts_truncated_total", "Alerts that senders left out", registry=registry)
        self._answers = Counter("kubernaut_webhook_posts_total", "Webhook POSTs by status", ["code"], registry=registry)
        self._phase = Gauge("kubernaut_remediations", "Remediations by phase", ["phase"], registry=registry)
        self._needs_you = Gauge(
            "kubernaut_remediations_waiting_for_people", "Wait for a vote, a merge or an owner", registry=registry
        )
        self._active = Gauge("kubernaut_remediations_active", "Not at their end", registry=registry)
        self._cluster = Gauge("kubernaut_cluster_live", "1 when the watch is fresh", ["cluster"], registry=registry)
        self._stage = Histogram(
            "kubernaut_stage_seconds", "Run time of one stage", ["part"], buckets=_SECONDS, registry=registry
        )
        Gauge("kubernaut_build_info", "1, with the version", ["version"], registry=registry).labels(__version__).set(1)
        ProcessCollector(registry=registry)
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """A series that is there from the start: a rate over one that appears with its first event misses that event."""
        for source in SignalSource:
            for outcome in _OUTCOMES:
                self._signals.labels(source.value, outcome)
        for source in _WEBHOOKS:
            self._rejected.labels(source.value)

    def taken(self, source: str, outcomes: Mapping[str, int]) -> None:
        """Count signals by what became of them."""
        for outcome, count in outcomes.items():
            self._signals.labels(source, outcome).inc(count)

    def rejected(self, source: str, count: int) -> None:
        """Count signals that could not be read."""
        self._rejected.labels(source).inc(count)

    def truncated(self, count: int) -> None:
        """Count alerts that Alertmanager left out of its POST."""
        self._truncated.inc(count)

    def answered(self, status: int) -> None:
        """Count one answer to a webhook."""
        self._answers.labels(str(status)).inc()

    def stage(self, part: str, seconds: float) -> None:
        """Observe one stage."""
        self._stage.labels(part).observe(seconds)

    async def render(self) -> tuple[bytes, str]:
        """The text and its content type."""
        counts = dict(await self._counts())
        self._needs_you.set(counts.pop("needs_you", 0))
        self._active.set(counts.pop("active", 0))
        counts.pop("total", None)
        for phase in RemediationPhase:
            self._phase.labels(phase.value).set(counts.get(phase.value, 0))
        for name, live in self._clusters().items():
            self._cluster.labels(name).set(1 if live else 0)
        return generate_latest(self.registry), CONTENT_TYPE_LATEST
