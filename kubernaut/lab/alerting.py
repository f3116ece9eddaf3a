"""Posts alerts as an Alertmanager does: at once, again at an interval, and once more when they are resolved."""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp

from kubernaut.domain.errors import Permanent, Temporary

NEVER = "0001-01-01T00:00:00Z"
POST_S = 10.0


@dataclass(frozen=True, slots=True)
class Firing:
    """One occurrence of one alert."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    started: datetime

    @property
    def fingerprint(self) -> str:
        """Of the labels only, so the same at every repeat and every recurrence."""
        text = "\xff".join(f"{name}\xff{self.labels[name]}" for name in sorted(self.labels))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def payload(self, ended: datetime | None = None) -> dict[str, object]:
        """A webhook body of version 4 with this alert alone."""
        state = "firing" if ended is None else "resolved"
        grouped = {name: self.labels[name] for name in ("alertname", "namespace") if name in self.labels}
        key = ", ".join(f'{name}="{value}"' for name, value in grouped.items())
        return {
            "version": "4",
            "groupKey": f"{{}}:{{{key}}}",
            "truncatedAlerts": 0,
            "status": state,
            "receiver": "kubernaut",
            "groupLabels": grouped,
            "commonLabels": dict(self.labels),
            "commonAnnotations": dict(self.annotations),
            "externalURL": "http://alertmanager.monitoring:9093",
            "alerts": [
                {
                    "status": state,
                    "labels": dict(self.labels),
                    "annotations": dict(self.annotations),
                    "startsAt": _stamp(self.started),
                    "endsAt": NEVER if ended is None else _stamp(ended),
                    "generatorURL": "http://prometheus.monitoring:9090/graph?g0.expr=ALERTS&g0.tab=1",
                    "fingerprint": self.fingerprint,
                }
            ],
        }


class Webhook:
    """One receiver.

    Args:
        url: as `http://127.0.0.1:9480/v1/alertmanager`.
        token: the bearer token; empty to send none.
    """

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def post(self, payload: Mapping[str, object], within_s: float = 60.0) -> None:
        """Delivers at least once: what fails with 5xx or without an answer is sent again, with growing pauses.

        Raises:
            Permanent: the receiver answered 4xx, which Alertmanager does not repeat either.
            Temporary: nobody took it in time.
        """
        pause_s = 0.2
        try:
            async with asyncio.timeout(within_s):
                while not await self._post(payload):
                    await asyncio.sleep(pause_s)
                    pause_s = min(pause_s * 2, 5.0)
        except TimeoutError as e:
            raise Temporary(f"{self.url} took no alert for {within_s:g} s") from e

    async def _post(self, payload: Mapping[str, object]) -> bool:
        timeout = aiohttp.ClientTimeout(total=POST_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=self._headers) as session,
                session.post(self.url, json=payload) as answer,
            ):
                if 400 <= answer.status < 500:
                    raise Permanent(f"{self.url} refused the alert: {answer.status} {await answer.text()}")
                return answer.status < 300
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False


def _stamp(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
