"""What all genuine servers have in common: start within a few attempts at free ports, use, stop for good."""

import shutil
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from kubernaut.domain.errors import Permanent
from kubernaut.lab.parts.process import PortTaken, Process, run_folder

_ATTEMPTS = 3


class Server(ABC):
    """One or more processes with a folder of their own for data and logs.

    Starting and stopping is bound to no event loop, so a session's fixture may start a server with `asyncio.run` and
    every test may use it. `async with` does both.
    """

    what = "server"

    def __init__(self) -> None:
        self._folder: Path | None = None
        self.processes: dict[str, Process] = {}

    @property
    def folder(self) -> Path:
        """Where its data and logs are while it runs.

        Raises:
            Permanent: it isn't running.
        """
        if self._folder is None:
            raise Permanent(f"{self.what} is not running")
        return self._folder

    @abstractmethod
    async def _launch(self) -> None:
        """Starts the processes on fresh ports and waits until they answer."""

    async def start(self) -> None:
        """Starts it and returns when it is ready.

        Raises:
            Permanent: a part is missing, or it didn't come up; the message has the end of its log.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            self._folder = run_folder(self.what)
            try:
                await self._launch()
                return
            except PortTaken:
                self.stop()
                if attempt == _ATTEMPTS:
                    raise
            except BaseException:
                self.stop()
                raise

    def stop(self) -> None:
        """Ends all its processes, waits until they are gone and removes their data. Twice does no harm."""
        for process in reversed(self.processes.values()):
            process.stop()
        self.processes.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def run(self, name: str, command: list[str | Path], env: dict[str, str] | None = None) -> Process:
        """Starts one process of this server."""
        process = Process(name, command, folder=self.folder, env=env)
        self.processes[name] = process
        process.start()
        return process

    async def until(self, name: str, ready: Callable[[], Awaitable[bool]], within_s: float = 60.0) -> None:
        """Waits until the process `name` is ready, and fails as soon as any process of this server ends."""

        async def ready_and_all_there() -> bool:
            for process in self.processes.values():
                process.check()
            return await ready()

        await self.processes[name].until(ready_and_all_there, within_s)

    def resident_bytes(self) -> dict[str, int]:
        """Memory that each process holds now."""
        return {name: process.resident_bytes() for name, process in self.processes.items()}

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
