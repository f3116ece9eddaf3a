"""`kubernaut policy`: look at policies before they decide: check them, run their tests, ask them something."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from kubernaut.adapters.rego.engine import PROBE_LIMIT_S, decided
from kubernaut.adapters.rego.policyset import PolicySet
from kubernaut.adapters.rego.probe import probe
from kubernaut.adapters.rego.rules import Rules
from kubernaut.adapters.rego.samples import samples
from kubernaut.adapters.rego.shipped import shipped_policies
from kubernaut.adapters.rego.trial import Outcome, run_tests
from kubernaut.domain.errors import BadInput
from kubernaut.domain.policy import Decision
from kubernaut.pipeline.explain import explain

from .commands import lazily
from .exits import BAD_INPUT, FAILED, REFUSED
from .options import output_option
from .tables import emitted, plain, say

_directory = click.argument("directory", required=False, type=click.Path(path_type=Path))


@click.group(cls=lazily({"explain": ("kubernaut.cli.explain:explain", "Says why policy decided as it did.")}))
def policy() -> None:
    """Checks, tests and asks the Rego policies that decide about every action.

    \b
    Examples:
      kubernaut policy check ./policies
      kubernaut policy eval --input request.json
    """


@policy.command()
@_directory
def check(directory: Path | None) -> None:
    """Evaluates the policies of DIRECTORY (default: the shipped ones) as the daemon does before it takes them.

    Ends with status 2 when they are unfit, a line `file:line: what is wrong` for each fault.

    \b
    Example:
      kubernaut policy check ./policies
    """
    policies = PolicySet.read(directory or shipped_policies())
    faults = [str(fault) for fault in asyncio.run(probe(policies, PROBE_LIMIT_S))]
    if faults:
        say(*faults, err=True)
        raise SystemExit(BAD_INPUT)
    Rules(policies, with_tests=True)
    asked = sum(1 for _ in samples())
    click.echo(f"{policies.place}: {len(policies.rules)} files, revision {policies.revision}, {asked} samples decided")


@policy.command()
@_directory
def test(directory: Path | None) -> None:
    """Runs the `test_*` rules of DIRECTORY (default: the shipped policies); ends with status 1 when one fails.

    \b
    Example:
      kubernaut policy test ./policies
    """
    outcomes = run_tests(PolicySet.read(directory or shipped_policies()))
    for outcome in outcomes:
        click.echo(_line(outcome))
    failed = sum(not outcome.passed for outcome in outcomes)
    click.echo(f"{len(outcomes) - failed} passed, {failed} failed")
    if failed or not outcomes:
        raise SystemExit(FAILED)


@policy.command(name="eval")
@click.option("--input", "source", default="-", metavar="FILE", help="The request as JSON; - reads standard input.")
@click.option("--policies", "directory", type=click.Path(path_type=Path), help="Default: the shipped policies.")
@output_option()
def evaluate(source: str, directory: Path | None, output: str) -> None:
    """Prints the decision about one request; ends with status 3 when it is denied.

    The request is the document that docs/policy.md describes.

    \b
    Examples:
      kubernaut policy eval --input request.json
      kubernaut policy eval --policies ./policies -o json < request.json
    """
    decision = _decision(PolicySet.read(directory or shipped_policies()), request_of(source))
    if not emitted(decision.to_document(), output):
        click.echo("\n".join(decision_lines(decision)))
    if decision.deny:
        raise SystemExit(REFUSED)


def _decision(policies: PolicySet, request: dict[str, Any]) -> Decision:
    return decided(asyncio.run(_fit(policies)), request)


async def _fit(policies: PolicySet) -> Rules:
    """The rules, once they were looked at as the daemon does."""
    faults = await probe(policies, PROBE_LIMIT_S)
    if faults:
        raise BadInput(faults[0].message, place=faults[0].place)
    return Rules(policies)


async def asked_locally(directory: Path | None, requests: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each request explained by the policies of a directory; None is the shipped ones.

    Raises:
        BadInput: the policies are unfit.
    """
    rules = await _fit(PolicySet.read(directory or shipped_policies()))

    async def decide(request: Mapping[str, Any]) -> Decision:
        return decided(rules, request)

    return [(await explain(decide, request)).to_document() for request in requests]


def request_of(source: str) -> dict[str, Any]:
    place = "standard input" if source == "-" else source
    if source == "-" and sys.stdin.isatty():
        click.echo("Type the request as JSON, then end it with Ctrl-D.", err=True)
    try:
        data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        request = json.loads(data.decode("utf-8"), parse_constant=partial(_refuse, place))
    except json.JSONDecodeError as error:
        raise BadInput(f"not JSON: {error.msg}", place=f"{place}:{error.lineno}") from error
    except UnicodeDecodeError as error:
        raise BadInput("not UTF-8 text", place=place) from error
    except RecursionError as error:
        raise BadInput("nested too deeply", place=place) from error
    except OSError as error:
        raise BadInput(f"can't be read: {error.strerror}", place=place) from error
    if not isinstance(request, dict):
        raise BadInput("must hold one JSON object, as docs/policy.md describes it", place=place)
    return request


def _refuse(place: str, constant: str) -> None:
    """What Python reads though JSON has no word for it."""
    raise BadInput(f"not JSON: {constant} is no number", place=place)


def _line(outcome: Outcome) -> str:
    name = outcome.name.removeprefix("data.")
    return f"pass  {name}" if outcome.passed else plain(f"FAIL  {name}  {outcome.place}: {outcome.fault}")


def decision_lines(decision: Decision) -> list[str]:
    """A decision for people."""
    who = ", ".join(decision.approver_groups) or "whoever may approve"
    needs = f"{decision.min_approvers} of {who}" + (", not the requester" if decision.four_eyes else "")
    rows = [
        ("DECISION", decision.approval_type.value),
        ("RULE", decision.rule),
        ("REASON", decision.reason),
        *([("APPROVAL", needs)] if decision.require_approval else []),
        *(("VIOLATION", violation) for violation in decision.violations),
    ]
    return [f"{name:<10} {plain(value)}" for name, value in rows]
