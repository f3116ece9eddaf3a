"""A genuine daemon in a process of its own, configured for one world: what demo, benchmarks and end-to-end tests talk to."""

import asyncio
import contextlib
import json
import os
import pwd
import secrets
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from kubernaut.domain.errors import Permanent, Temporary
from kubernaut.lab.parts.http import answers
from kubernaut.lab.parts.process import Process, free_port

BRISK: dict[str, float] = {
    "patience_s": 20.0,
    "stability_s": 4.0,
    "verify_poll_s": 0.5,
    "verify_deadline_s": 120.0,
    "merge_poll_s": 2.0,
    "sync_poll_s": 0.5,
    "resolve_grace_s": 15.0,
}
"""Times for worlds whose kubelets run ten times as fast as real ones."""
_STEADY_S = 2.0


class Daemon:
    """`kubernaut daemon` as a process.

    Args:
        folder: state, configuration and log of this daemon.
        kubeconfig: of the cluster that it looks after; None starts it without any.
        repositories: repoURL → repository, as `forge.repositories` takes them.
        times: overrides of `times` in the configuration.
        extra: further sections of the configuration, merged over the rest.
    """

    def __init__(
        self, folder: Path, *, kubeconfig: Path | None, cluster: str = "prod-eu", forge_root: Path | None = None,
        repositories: Mapping[str, Path] | None = None, times: Mapping[str, float] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        self.folder = folder
        self.state_dir = folder / "state"
        self.socket = folder / "api.sock"
        self.token = secrets.token_hex(32)
        self.cluster = cluster
        self.port = free_port()
        self._kubeconfig = kubeconfig
        self._forge_root = forge_root
        self._repositories = dict(repositories or {})
        self._times = {**BRISK, **(times or {})}
        self._extra = dict(extra or {})
        self._process: Process | None = None

    @property
    def gateway_url(self) -> str:
        """Where alerts are posted: `/v1/alertmanager` below it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "kubernaut.yaml"

    def write(self) -> Path:
        """Write the configuration and the token."""
        self.folder.mkdir(parents=True, exist_ok=True)
        tokens = self.folder / "tokens.txt"
        tokens.write_text(f"{self.token}  # the world's Alertmanager\n", "utf-8")
        tokens.chmod(0o600)
        me = {"users": [_user()]}
        cluster = {"name": self.cluster, "kubeconfig": str(self._kubeconfig), "labels": {"environment": "production"}}
        document: dict[str, Any] = {
            "state_dir": str(self.state_dir),
            "gateway": {"listen": f"127.0.0.1:{self.port}", "tokens_file": str(tokens)},
            "api": {"socket": str(self.socket)},
            "clusters": [cluster] if self._kubeconfig else [],
            "forge": {"kind": "local", "repositories": {url: str(path) for url, path in self._repositories.items()}},
            "roles": {"approver": me, "senior": me, "admin": me},
            "times": self._times,
            "analysis": {"steady_s": _STEADY_S},
            "log": {"format": "json"},
        }
        if self._forge_root:
            document["forge"]["root"] = str(self._forge_root)
        document |= self._extra
        self.config.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
        return self.config

    def command(self) -> list[str]:
        """Program and arguments."""
        return [sys.executable, "-m", "kubernaut.cli.main", "daemon", "--config", str(self.config)]

    async def start(self, within_s: float = 30.0, env: Mapping[str, str] | None = None) -> None:
        """Start it, or start it again on the same state, and return when it takes signals.

        Raises:
            Permanent: it ended or was not ready in time; the message has the end of its log.
        """
        self.write()
        self._process = Process("daemon", self.command(), folder=self.folder, env=env)
        self._process.start()
        await self._process.until(lambda: answers(f"{self.gateway_url}/readyz"), within_s)

    async def stop(self, within_s: float = 8.0) -> None:
        """SIGTERM, and wait for its clean end; SIGKILL when it takes too long."""
        process, self._process = self._process, None
        if process is None or process.pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while process.running:  # noqa: ASYNC110 - a process, not a task
                    await asyncio.sleep(0.05)
        process.stop()

    def kill(self) -> None:
        """SIGKILL: what a crash looks like."""
        process, self._process = self._process, None
        if process is not None:
            process.stop()

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.running

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process else None

    def tail(self, lines: int = 30) -> str:
        """The end of its log."""
        return self._process.tail(lines) if self._process else ""

    def client(self) -> "Client":
        """A client of its API."""
        return Client(self.socket)


class Client:
    """The API over the Unix socket, for asyncio."""

    def __init__(self, path: Path) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(str(path)), timeout=aiohttp.ClientTimeout(total=20)
        )

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End its connections."""
        await self._session.close()

    async def get(self, path: str, **params: Any) -> dict[str, Any]:
        """GET a document. Raises Permanent with the daemon's message, Temporary when it does not answer."""
        return _document(*await self._asked("GET", path, params=params))

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST a document. Raises Permanent with the daemon's message, Temporary when it does not answer."""
        return _document(*await self._asked("POST", path, json=dict(body)))

    async def journal(self, after: int = 0, remediation: str = "") -> list[dict[str, Any]]:
        """All journal entries behind `after`."""
        params = {"after": str(after), "limit": "10000", "remediation": remediation}
        _, text = await self._asked("GET", "/v1/journal", params=params)
        return [json.loads(line) for line in text.splitlines()]

    async def _asked(self, method: str, path: str, **more: Any) -> tuple[int, str]:
        """Status and text of an answer."""
        try:
            async with self._session.request(method, f"http://kubernaut{path}", **more) as response:
                return response.status, await response.text()
        except (aiohttp.ClientError, TimeoutError, OSError) as e:
            raise Temporary(f"the daemon does not answer {method} {path} ({type(e).__name__}): has it ended?") from e


def _document(status: int, text: str) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(text)
    except ValueError:
        raise Permanent(f"{status}: {text[:200]}") from None
    if status >= 400:
        raise Permanent(f"{status}: {document.get('error', {}).get('message', document)}")
    return document


def _user() -> str:
    return pwd.getpwuid(os.getuid()).pw_name
