"""The demo without a person: incidents that are told, or one JSON object each."""

import contextlib
import errno
import json
import sys

from kubernaut.domain.errors import KubernautError, Permanent

from .incident import run_headless, unended
from .scene import Scene, Wanted, scene


def loud(line: str) -> None:
    """Tell on standard output, at once. A terminal that was closed hears nothing, and what runs is still stopped well."""
    try:
        print(line, flush=True)
    except OSError as error:
        if error.errno != errno.EIO:
            raise


def aside(line: str) -> None:
    """Tell on standard error, where it mixes with nothing that a program reads."""
    with contextlib.suppress(OSError):
        print(line, file=sys.stderr, flush=True)


async def headless(wanted: Wanted) -> int:
    """Run the scenarios one after the other; exit status 0 when all ended as they should."""
    tell = aside if wanted.as_json else loud
    status = 0
    async with scene(wanted, tell) as on:
        tell(f"kubectl: export KUBECONFIG={on.world.kubeconfig}")
        for each in wanted.scenarios:
            document, well = await _run(on, wanted, each.number)
            loud(json.dumps(document) if wanted.as_json else _summary(document))
            status = status if well else 1
    return status


async def _run(on: Scene, wanted: Wanted, number: int) -> tuple[dict[str, object], bool]:
    """One scenario; one that does not end keeps the next ones from nothing."""
    tell = aside if wanted.as_json else loud
    each = next(each for each in wanted.scenarios if each.number == number)
    try:
        ended = await run_headless(on.world, on.daemon, each, tell)
    except KubernautError as error:
        if not on.daemon.running:
            raise Permanent(
                f"the daemon ended in scenario {number}; the end of its log:\n{on.daemon.tail()}"
            ) from error
        aside(f"kubernaut: {error}")
        return unended(each, str(error)), False
    return ended.document(), ended.as_expected


def _summary(document: dict[str, object]) -> str:
    mutation = document["signal_to_mutation_s"]
    took = f"{mutation} s from signal to mutation" if mutation is not None else "no mutation"
    return f"scenario {document['scenario']} {document['outcome']}: {document['story']} ({took})\n"
