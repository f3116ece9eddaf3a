"""Line mode: the list and its stories, then each journal entry as it comes. No cursor, no colour, no repaint."""

import asyncio
import contextlib
import io
import sys
from pathlib import Path
from typing import Any

from kubernaut.domain.errors import KubernautError

from .client import Client
from .lines import clean
from .link import unreadable
from .screens.words import clock, glyph, severity, workload

_AGAIN_S = 3.0
_WORDS = {"x": "FAILED", "!": "NEEDS YOU", ">": "running", "-": "set aside", ".": "done"}


def row(item: dict[str, Any]) -> str:
    """One remediation as a line."""
    where = f"{clean(item['environment'])} {clean(item['cluster'])}"
    parts = (
        _WORDS[glyph(item)[0]],
        item["id"],
        severity(item["severity"]),
        where,
        workload(item["target"]),
        clean(item["story"]),
    )
    return "  ".join(parts)


def entry(item: dict[str, Any]) -> str:
    """One journal entry as a line."""
    actor = "" if item["actor"] == "kubernaut" else f"  ({clean(item['actor'])})"
    return f"{clock(item['time'])}Z  {item['remediation_id'] or '-'}  {clean(item['message'])}{actor}"


def run(socket: Path | None) -> int:
    """Print until interrupted. Returns the exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a name that the terminal's encoding lacks must not end it
    try:
        asyncio.run(_run(Client(socket)))
    except (KeyboardInterrupt, BrokenPipeError):
        with contextlib.suppress(OSError):
            sys.stdout.close()
    return 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def _run(client: Client) -> None:
    seq, said = -1, ""
    try:
        while True:
            try:
                status = await client.get("/v1/status")
                if seq < 0 or int(status["journal_seq"]) < seq:  # a journal that is shorter is another one
                    await _list(client, status)
                    seq = int(status["journal_seq"])
                elif said:
                    _say("connected again")
                said = ""
                async for item in client.journal(seq):
                    seq = int(item["seq"])
                    if "heartbeat" not in item:
                        _say(entry(item))
                reason = "the daemon closed its journal"
            except KubernautError as error:
                reason = str(error)
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                reason = unreadable(error)
            if reason != said:
                _say(f"DOWN: {reason}. Waiting for it.")
                said = reason
            await asyncio.sleep(_AGAIN_S)
    finally:
        await client.close()


async def _list(client: Client, status: dict[str, Any]) -> None:
    counts = status["counts"]
    clusters = ", ".join(f"{clean(c['name'])} {c['state']}" for c in status["clusters"])
    numbers = f"{counts['needs_you']} need you, {counts['active']} active, {counts['total']} in all"
    _say(f"kubernaut  {clusters or 'no cluster'}  {numbers}")
    page = await client.get("/v1/remediations", {"limit": "100"})
    for item in page["items"]:
        _say(row(item))
    if page["total"] > len(page["items"]):
        _say(f"and {page['total'] - len(page['items'])} more")
    _say("following the journal; ctrl+c ends it")
