"""`scripts/bench`: run the measurements and print one JSON object."""

import asyncio
import json
import os
import platform
import sys
from collections.abc import Awaitable, Callable
from importlib import import_module

import click
import structlog

from kubernaut import __version__

Measurement = Callable[[float], Awaitable[dict[str, float]]]
ROOMS: dict[str, tuple[str, float]] = {
    "intake": ("kubernaut.lab.bench.intake:bench_intake", 15.0),
    "mutation": ("kubernaut.lab.bench.mutation:bench_mutation", 0.0),
    "store": ("kubernaut.lab.bench.store:bench_store", 6.0),
    "policy": ("kubernaut.lab.bench.decisions:bench_decisions", 6.0),
    "watch": ("kubernaut.lab.bench.watch:bench_watch", 6.0),
    "waiting": ("kubernaut.lab.bench.waiting:bench_waiting", 10.0),
    "console": ("kubernaut.lab.bench.console:bench_console", 5.0),
}
AIMS: dict[str, tuple[str, float]] = {
    "intake_alerts_per_s": (">=", 2_000),
    "intake_p99_ms": ("<", 50),
    "signal_to_mutation_single_ms_p50": ("<", 200),
    "signal_to_mutation_p50_s": ("<", 1),
    "signal_to_mutation_p99_s": ("<", 3),
    "store_transitions_per_s": (">=", 10_000),
    "policy_decisions_per_s": (">=", 10_000),
    "watch_events_per_s": (">=", 50_000),
    "rss_mb_10k_waiting": ("<", 300),
    "idle_cpu_percent_10k_waiting": ("<", 2),
    "restart_ready_s_10k_waiting": ("<", 3),
    "console_key_p99_ms": ("<", 50),
    "console_first_paint_ms": ("<", 1_000),
    "console_first_paint_bytes": ("<", 30_000),
    "console_idle_bytes_per_s": ("<", 100),
    "console_row_bytes": ("<", 400),
    "console_key_bytes": ("<", 1_200),
    "console_prompt_bytes": ("<", 1_500),
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("rooms", nargs=-1, metavar="[ROOM]...")
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object and nothing else (the default prints a table, too)."
)
def main(rooms: tuple[str, ...], as_json: bool) -> None:
    """Measure speed: intake, mutation (signal to first write), store, policy, watch, waiting, console. Default: all.

    Each figure stands beside a baseline of the same run, because a machine's speed drifts. Aims are told, never enforced.
    """
    if unknown := sorted(set(rooms) - set(ROOMS)):
        raise click.BadParameter(f"unknown {', '.join(unknown)}; there are {', '.join(ROOMS)}", param_hint="ROOM")
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # standard output is for the figures
    figures: dict[str, float] = {}
    for room in rooms or tuple(ROOMS):
        if not as_json:
            click.echo(f"measuring {room} …", err=True)
        figures |= asyncio.run(_measure(room))
    document = {
        **figures,
        "aims": {name: f"{sign} {value:g}" for name, (sign, value) in AIMS.items() if name in figures},
        "missed": [name for name in AIMS if name in figures and not _met(name, figures[name])],
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "kubernaut": __version__},
    }
    if not as_json:
        for name, value in figures.items():
            sign, aim = AIMS.get(name, ("", 0.0))
            verdict = "" if not sign else f"  aim {sign} {aim:g}: {'met' if _met(name, value) else 'MISSED'}"
            click.echo(f"{name:<40} {value:>12}{verdict}", err=True)
    json.dump(document, sys.stdout)
    sys.stdout.write("\n")


async def _measure(room: str) -> dict[str, float]:
    place, seconds = ROOMS[room]
    module, _, name = place.partition(":")
    measurement: Measurement = getattr(import_module(module), name)
    return await measurement(seconds)


def _met(name: str, value: float) -> bool:
    sign, aim = AIMS[name]
    return value >= aim if sign == ">=" else value < aim


if __name__ == "__main__":
    main(prog_name="scripts/bench")
