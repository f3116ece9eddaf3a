"""Events as a kubelet records them: best effort, one object for what repeats, its count raised."""

import asyncio
import secrets
from collections.abc import Mapping

from kubernaut.domain.errors import KubernautError
from kubernaut.sim.client import ApiClient, Json
from kubernaut.sim.kubelet.pace import Pace

_LONGEST_QUEUE = 10_000


class Recorder:
    """Sends events one after the other, so that they arrive in the order in which they happened."""

    def __init__(self, api: ApiClient, pace: Pace) -> None:
        self._api, self._pace = api, pace
        self._queue: asyncio.Queue[Json] = asyncio.Queue(_LONGEST_QUEUE)
        self._seen: dict[tuple[str, str, str, str], tuple[str, int]] = {}

    def record(
        self, involved: Mapping[str, str], kind: str, reason: str, message: str, host: str, component: str = "kubelet"
    ) -> None:
        """Queues an event; when nobody can take it for long it is lost, as a real one would be.

        Args:
            involved: kind, namespace, name, uid, apiVersion and perhaps fieldPath of what it is about.
            kind: `Normal` or `Warning`.
        """
        if not self._queue.full():
            now = self._pace.stamp(self._pace.now())
            self._queue.put_nowait(
                {
                    "apiVersion": "v1",
                    "kind": "Event",
                    "metadata": {"namespace": involved.get("namespace") or "default"},
                    "involvedObject": dict(involved),
                    "type": kind,
                    "reason": reason,
                    "message": message,
                    "source": {"component": component, "host": host},
                    "reportingComponent": component,
                    "reportingInstance": host,
                    "firstTimestamp": now,
                    "lastTimestamp": now,
                    "count": 1,
                }
            )

    async def run(self) -> None:
        """Sends for ever."""
        while True:
            event = await self._queue.get()
            try:
                await self._send(event)
            except KubernautError:
                continue  # events are best effort everywhere

    async def _send(self, event: Json) -> None:
        about = event["involvedObject"]
        key = (about.get("uid", ""), about.get("fieldPath", ""), event["reason"], event["message"])
        path = f"/api/v1/namespaces/{event['metadata']['namespace']}/events"
        if key in self._seen:
            name, count = self._seen[key]
            self._seen[key] = (name, count + 1)
            await self._api.patch(f"{path}/{name}", {"count": count + 1, "lastTimestamp": event["lastTimestamp"]})
            return
        name = f"{about['name']}.{secrets.token_hex(8)}"
        event["metadata"]["name"] = name
        self._seen[key] = (name, 1)
        await self._api.create(path, event)
