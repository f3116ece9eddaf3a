"""A genuine Alertmanager that sends its webhook where it is told. Ready in half a second, 40 MB."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import yaml

from kubernaut.domain.errors import Permanent
from kubernaut.lab.parts.catalogue import Parts
from kubernaut.lab.parts.http import answers, request
from kubernaut.lab.parts.process import free_port
from kubernaut.lab.parts.server import Server


class Alertmanager(Server):
    """One Alertmanager with one receiver.

    Args:
        parts: where the binaries are.
        webhook_url: where it posts, as `http://127.0.0.1:9480/v1/alertmanager`.
        token: the bearer token it sends; none when empty.
        group_by: labels that make a group; `...` means every alert is its own.
        group_wait: how long it collects before the first notification of a group.
        group_interval: how long until the next, which also is how long a failed delivery is retried.
        repeat_interval: how long until it repeats what still fires.
    """

    what = "alertmanager"

    def __init__(
        self,
        parts: Parts,
        webhook_url: str,
        *,
        token: str = "",
        group_by: Sequence[str] = ("alertname", "namespace"),
        group_wait: str = "0s",
        group_interval: str = "1s",
        repeat_interval: str = "1h",
    ) -> None:
        super().__init__()
        self._parts = parts
        self._webhook_url = webhook_url
        self._token = token
        self._route = {
            "receiver": "kubernaut",
            "group_by": list(group_by),
            "group_wait": group_wait,
            "group_interval": group_interval,
            "repeat_interval": repeat_interval,
        }
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def _launch(self) -> None:
        self._port = free_port()
        (self.folder / "alertmanager.yml").write_text(yaml.safe_dump(self._configuration()))
        command: list[str | Path] = [
            self._parts.path("alertmanager", "alertmanager"),
            f"--config.file={self.folder / 'alertmanager.yml'}",
            f"--storage.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self._port}",
            "--cluster.listen-address=",  # alone: no gossip, no second port
        ]
        await self.run("alertmanager", command).until(self.ready, within_s=30)

    def _configuration(self) -> dict[str, object]:
        webhook: dict[str, object] = {"url": self._webhook_url, "send_resolved": True}
        if self._token:
            webhook["http_config"] = {"authorization": {"type": "Bearer", "credentials": self._token}}
        return {"route": self._route, "receivers": [{"name": "kubernaut", "webhook_configs": [webhook]}]}

    async def ready(self) -> bool:
        return await answers(f"{self.url}/-/ready")

    async def fire(
        self,
        labels: Mapping[str, str],
        annotations: Mapping[str, str] | None = None,
        *,
        starts_at: datetime | None = None,
        ends_at: datetime | None = None,
    ) -> None:
        """Posts one alert as Prometheus would.

        Args:
            labels: its identity; `alertname` must be among them.
            annotations: summary, description, runbook_url.
            starts_at: since when it fires; now when left out.
            ends_at: when it ended or will end; an alert that is not posted again ends after five minutes by itself.

        Raises:
            Permanent: Alertmanager didn't take it; the message is its answer.
        """
        await self.post([_alert(labels, annotations or {}, starts_at or datetime.now(UTC), ends_at)])

    async def resolve(self, labels: Mapping[str, str]) -> None:
        """Ends the alert with these labels now."""
        await self.post([_alert(labels, {}, None, datetime.now(UTC))])

    async def post(self, alerts: Sequence[Mapping[str, object]]) -> None:
        """Posts alerts in the form of API v2, all in one request."""
        status, body = await request("POST", f"{self.url}/api/v2/alerts", body=alerts)
        if status != 200:
            raise Permanent(f"Alertmanager did not take the alerts: {status} {body.decode(errors='replace')}")

    async def alerts(self) -> list[dict[str, Any]]:
        """What it holds now."""
        status, body = await request("GET", f"{self.url}/api/v2/alerts")
        if status != 200:
            raise Permanent(f"Alertmanager did not list its alerts: {status} {body.decode(errors='replace')}")
        return msgspec.json.decode(body, type=list[dict[str, Any]])


def _alert(
    labels: Mapping[str, str], annotations: Mapping[str, str], starts_at: datetime | None, ends_at: datetime | None
) -> dict[str, object]:
    alert: dict[str, object] = {"labels": dict(labels), "annotations": dict(annotations)}
    if starts_at:
        alert["startsAt"] = starts_at.isoformat()
    if ends_at:
        alert["endsAt"] = ends_at.isoformat()
    return alert
