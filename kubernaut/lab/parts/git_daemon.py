"""Serves a folder of bare repositories by the git protocol, so that Argo CD can read them. 5 MB."""

from pathlib import Path

from kubernaut.lab.parts.catalogue import Parts
from kubernaut.lab.parts.process import free_port, listens
from kubernaut.lab.parts.server import Server


class GitDaemon(Server):
    """Every bare repository below `root` can be read at `git://127.0.0.1:PORT/NAME.git`; nothing can be pushed.

    Args:
        parts: where git-daemon is.
        root: the folder; repositories made later are served too.
    """

    what = "git-daemon"

    def __init__(self, parts: Parts, root: Path) -> None:
        super().__init__()
        self._parts = parts
        self._root = root.resolve()
        self._port = 0

    def url(self, repository: str) -> str:
        """The address of the repository at `root/<repository>`."""
        return f"git://127.0.0.1:{self._port}/{repository}"

    async def _launch(self) -> None:
        self._port = free_port()
        git = self._parts.path("git", "git-daemon")
        command: list[str | Path] = [
            git,
            "--listen=127.0.0.1",
            f"--port={self._port}",
            "--reuseaddr",
            "--export-all",
            "--informative-errors",
            f"--base-path={self._root}",
            self._root,
        ]
        # the repositories' owner may be another user than ours, as in a container's mounted folder
        trust = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
        await self.run("git-daemon", command, trust).until(self.ready, within_s=10)

    async def ready(self) -> bool:
        return await listens(self._port)
