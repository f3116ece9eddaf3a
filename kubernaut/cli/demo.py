"""`kubernaut demo`."""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from typing import Any

import click

from kubernaut.domain.errors import BadInput
from kubernaut.sim.scenarios import all_scenarios, scenario


@click.command()
@click.option("--scenario", "number", default="", help="A number, or `all`. Default: 1 headless, all in the console.")
@click.option(
    "--headless",
    is_flag=True,
    help="No console: run the incidents and tell their timeline. Default without a terminal.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Headless: one JSON object a scenario, one a line, and nothing else."
)
@click.option(
    "--genuine", is_flag=True, help="On a genuine control plane, Argo CD and Alertmanager (scripts/genuine build)."
)
@click.option("--keep", is_flag=True, help="Leave the temporary folder (state, repositories, logs) for a look.")
@click.option("--list", "listing", is_flag=True, help="List the scenarios.")
def demo(number: str, headless: bool, as_json: bool, genuine: bool, keep: bool, listing: bool) -> None:
    """Incidents from alert to fix: a cluster, Git, the daemon and the console, all on this machine.

    On a terminal the console opens on live incidents; without one, one incident runs and its timeline is told. Headless,
    the demo plays the engineer who approves and merges, through the same API, and the timeline says so. Everything that was
    started is stopped at the end.
    """
    if listing:
        for each in all_scenarios():
            click.echo(f"{each.number:>2}  {each.pattern}  {each.title}")
        return
    from kubernaut.lab.demo import headless as told
    from kubernaut.lab.live import live
    from kubernaut.lab.scene import Wanted

    without = "" if headless or as_json else _why_no_screen()
    if without:
        click.echo(f"{without}: no console, an incident is told instead (--help tells more)")
    unattended = headless or as_json or bool(without)
    wanted = Wanted(_chosen(number or ("1" if unattended else "all")), genuine, as_json, keep)
    raise SystemExit(asyncio.run(_until_signalled(told(wanted) if unattended else live(wanted))))


def _why_no_screen() -> str:
    """Why nobody sits at a terminal that can show the console; empty if somebody does."""
    for stream, name in ((sys.stdin, "input"), (sys.stdout, "output"), (sys.stderr, "error output")):
        if not stream.isatty():
            return f"standard {name} is no terminal"
    return "TERM=dumb can't show it" if os.environ.get("TERM") == "dumb" else ""


def _chosen(number: str) -> Any:
    if number == "all":
        return all_scenarios()
    if not number.isdigit():
        raise BadInput(f"{number!r} is neither a number nor `all`", field="--scenario")
    return (scenario(int(number)),)


async def _until_signalled(work: Coroutine[Any, Any, int]) -> int:
    """SIGTERM and SIGHUP end it as cleanly as Ctrl-C does; a closing terminal sends more than one."""
    task = asyncio.ensure_future(work)
    received: list[int] = []

    def end(number: int) -> None:
        received.append(number)
        if len(received) == 1:
            task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end, number)
    try:
        return await task
    except asyncio.CancelledError:
        return 128 + (received[0] if received else signal.SIGINT)
