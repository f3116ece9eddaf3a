"""Who asks a daemon that has ended learns that in one sentence, not by a traceback of the HTTP client."""

from pathlib import Path

import pytest

from kubernaut.domain.errors import Temporary
from kubernaut.lab.house import Client


async def test_a_socket_without_a_daemon_is_an_error_of_the_tree(tmp_path: Path) -> None:
    async with Client(tmp_path / "api.sock") as client:
        for asked in (client.get("/v1/status"), client.post("/v1/arm", {}), client.journal()):
            with pytest.raises(Temporary, match="does not answer"):
                await asked
