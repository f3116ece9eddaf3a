"""Each line is one event, also of libraries and in tracebacks; none holds a token, and none steers a terminal."""

import json
import subprocess
import sys

import pytest

_CODE = """
import logging, warnings, structlog
from kubernaut.cli.log import configure_log
configure_log("debug", {style!r})
log = structlog.get_logger()
token = "ghp_" + "a1B2" * 9
parts = [token, {{"api_key": "hunter4secret"}}]
log.debug("called", url="https://bot:hunter2secret@git.example/a", password="hunter3secret", parts=parts)
log.info("said", text="\\x1b[2Jred\\x9b31m")
try:
    raise ValueError("Authorization: Bearer hunter5secret0123456789")
except ValueError:
    log.exception("failed")
try:
    raise ValueError("password=hunter6secret")
except ValueError:
    logging.getLogger("aiohttp.server").exception("Error handling %s", token)
warnings.warn("token: hunter7secret", stacklevel=1)
logging.getLogger("kubernetes_asyncio").debug("response body: hunter8secret")
"""


@pytest.mark.parametrize("style", ["json", "console"])
def test_no_secret_reaches_the_log(style: str) -> None:
    said = subprocess.run(
        [sys.executable, "-c", _CODE.format(style=style)], capture_output=True, text=True, timeout=60, check=True
    ).stderr
    assert "hunter" not in said
    assert "ghp_" not in said
    for word in ("called", "said", "failed", "Error handling", "ValueError", "Traceback", "git.example"):
        assert word in said, said
    assert all(line.isprintable() for line in said.split("\n"))
    if style == "json":
        lines = [json.loads(line) for line in said.splitlines()]
        assert [line["level"] for line in lines] == ["debug", "info", "error", "error", "warning"]
        assert lines[3]["logger"] == "aiohttp.server"
