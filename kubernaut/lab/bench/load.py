"""A load generator in a process of its own: N connections, one POST after the other on each, as fast as answers come.

    python -m kubernaut.lab.bench.load PORT PATH TOKEN CONNECTIONS SECONDS NAMESPACE DISTINCT

Prints one JSON object: requests, errors, seconds, p50_ms, p99_ms. The bodies are made before the clock starts.
"""

import asyncio
import json
import sys
import time
from datetime import UTC, datetime

import msgspec

_PREPARED = 60_000


def body(namespace: str, number: int) -> bytes:
    """One firing alert about one pod of one workload, as Alertmanager posts it."""
    labels = {
        "alertname": "KubePodCrashLooping", "severity": "warning", "namespace": namespace, "container": "app",
        "pod": f"web-{number}", "job": "kube-state-metrics",
    }  # fmt: skip
    alert = {
        "status": "firing", "labels": labels, "annotations": {"summary": "Pod is crash looping."},
        "startsAt": datetime.now(UTC).isoformat(), "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph", "fingerprint": f"{number:016x}",
    }  # fmt: skip
    payload = {
        "version": "4", "groupKey": f"{{}}:{{namespace={namespace}}}", "truncatedAlerts": 0, "status": "firing",
        "receiver": "kubernaut", "groupLabels": {}, "commonLabels": labels, "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093", "alerts": [alert],
    }  # fmt: skip
    return msgspec.json.encode(payload)


class _Connection(asyncio.Protocol):
    """Keeps one request in flight."""

    def __init__(self, requests: list[bytes], latencies: list[float], deadline: float) -> None:
        self._requests = requests
        self._latencies = latencies
        self._deadline = deadline
        self._sent = 0.0
        self._buffer = b""
        self.errors = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.WriteTransport = transport  # type: ignore[assignment]
        self._send()

    def _send(self) -> None:
        if time.perf_counter() >= self._deadline or not self._requests:
            self._transport.close()
            if not self.done.done():
                self.done.set_result(None)
            return
        self._sent = time.perf_counter()
        self._transport.write(self._requests.pop())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, blank, rest = self._buffer.partition(b"\r\n\r\n")
        if not blank:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        self._latencies.append(time.perf_counter() - self._sent)
        self.errors += not head.startswith(b"HTTP/1.1 200")
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.errors += 1
            self.done.set_result(None)


async def generate(
    port: int, path: str, token: str, connections: int, seconds: float, namespace: str, distinct: int
) -> dict[str, float]:
    """Run the load and return its figures."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    bodies = (body(namespace, number % distinct) for number in range(min(_PREPARED, int(seconds * 8000))))
    requests = [f"{head}Content-Length: {len(b)}\r\n\r\n".encode() + b for b in bodies]
    latencies: list[float] = []
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    opened = [
        (await loop.create_connection(lambda: _Connection(requests, latencies, began + seconds), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.wait({c.done for c in opened}, timeout=seconds + 10)
    took = time.perf_counter() - began
    latencies.sort()
    return {
        "requests": len(latencies),
        "errors": sum(c.errors for c in opened),
        "seconds": round(took, 2),
        "per_s": round(len(latencies) / took, 1),
        "p50_ms": round(latencies[len(latencies) // 2] * 1000, 2) if latencies else 0.0,
        "p99_ms": round(latencies[int(len(latencies) * 0.99)] * 1000, 2) if latencies else 0.0,
    }


async def in_a_process(
    port: int, path: str, token: str, *, connections: int, seconds: float, namespace: str, distinct: int
) -> dict[str, float]:
    """The same from a process of its own, so that generator and server do not share an interpreter."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kubernaut.lab.bench.load", str(port), path, token, str(connections), str(seconds), namespace,
        str(distinct), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    figures: dict[str, float] = json.loads(output)
    return figures


def main() -> None:
    """Run from the command line."""
    port, path, token, connections, seconds, namespace, distinct = sys.argv[1:]
    figures = asyncio.run(generate(int(port), path, token, int(connections), float(seconds), namespace, int(distinct)))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
