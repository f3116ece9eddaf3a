"""A policy set is evaluated on sample inputs in a process that can be killed, before it may decide anything.

Many errors of a policy show only when a rule is evaluated, and an evaluation can't be stopped within a process. So the
set goes to a child with a limit on its time and memory, and comes back with the list of its faults.
Run by hand: `python -m kubernaut.adapters.rego.probe DIRECTORY`.
"""

import asyncio
import contextlib
import json
import math
import resource
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from kubernaut.adapters.rego.policyset import DATA_FILE, PolicySet
from kubernaut.adapters.rego.rules import DECISION, ENVIRONMENT, SETTINGS_PROBLEMS, Rules
from kubernaut.adapters.rego.samples import NAMESPACES, sample, samples
from kubernaut.domain.errors import BadInput, Temporary
from kubernaut.domain.policy import ENVIRONMENTS, FAIL_CLOSED, Decision

MEMORY_BYTES = 2 * 1024**3
MAX_FAULTS = 20
_BUSY = 6
"""How many times as long as on an idle machine the same computing may take."""
FAULTS_FOUND = 2


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a policy set: where (file:line, or the rule asked) and what."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


def examine(policies: PolicySet) -> list[Fault]:
    """The faults that evaluation brings to light, each once; takes as long as the rules do."""
    try:
        rules = Rules(policies)
    except BadInput as error:
        return [Fault(error.place, error.message)]
    for look in (_absent, _failing, _missettled, _unusable):
        faults = list(dict.fromkeys(islice(look(rules, policies.place), 1000)))
        if faults:
            return faults[:MAX_FAULTS]
    return []


def _absent(rules: Rules, place: str) -> Iterator[Fault]:
    for path in (DECISION, ENVIRONMENT):
        package, _, name = path.rpartition(".")
        if package not in rules.packages:
            yield Fault(place, f"no {path}: define `{name}` in `package {package.removeprefix('data.')}`")


def _failing(rules: Rules, place: str) -> Iterator[Fault]:
    """Every rule of every package, asked once or more: errors hide in rules that no decision has used so far."""
    for package in rules.packages:
        of_environment = package == ENVIRONMENT.rpartition(".")[0]
        for document in NAMESPACES if of_environment else (sample(), sample(environment="development", freeze=True)):
            try:
                rules.all_of(package, document)
            except BadInput as error:
                yield Fault(error.place, error.message)


def _missettled(rules: Rules, place: str) -> Iterator[Fault]:
    """Settings that the rules themselves object to; a policy set without such a rule has no opinion."""
    if SETTINGS_PROBLEMS.rpartition(".")[0] in rules.packages:
        for name, wanted in sorted((rules.ask(SETTINGS_PROBLEMS, {}) or {}).items()):
            yield Fault(f"{place}/{DATA_FILE}, with the configuration's overrides", f"settings.{name}: {wanted}")


def _unusable(rules: Rules, place: str) -> Iterator[Fault]:
    """Answers that break the contract: the daemon would fail closed on them, every time."""
    unusable: dict[str, list[str]] = {}
    for document in samples():
        try:
            decision = Decision.from_document(rules.ask(DECISION, document))
        except BadInput as error:
            yield Fault(error.place, error.message)
        else:
            if decision.rule == FAIL_CLOSED:
                unusable.setdefault(decision.reason, []).append(_gist(document))
    for reason, asked in unusable.items():
        yield Fault(DECISION, f"{reason} Asked about {asked[0]} and {len(asked) - 1} more of the samples.")
    for document in NAMESPACES:
        environment = rules.ask(ENVIRONMENT, document)
        if environment not in ENVIRONMENTS:
            yield Fault(ENVIRONMENT, f"answered {environment!r}, expected one of {', '.join(sorted(ENVIRONMENTS))}")


def _gist(document: dict[str, Any]) -> str:
    action = document["action"]
    return f"{action['name']} ({action['kind']}, risk {action['risk']}) in {document['environment']}"


async def probe(policies: PolicySet, limit_s: float) -> list[Fault]:
    """Examine a policy set in a child process; a set that doesn't come to an end in time is at fault, and killed.

    Args:
        limit_s: of computing; a busy machine may take several times as long, and is no fault of the policies.

    Raises:
        Temporary: the machine has no room for another process now.
    """
    late = Fault(policies.place, f"the evaluation of the sample inputs did not end within {limit_s:g} s")
    pipe = asyncio.subprocess.PIPE
    itself = __spec__.name if __name__ == "__main__" else __name__
    try:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", itself, "-", str(math.ceil(limit_s)), stdin=pipe, stdout=pipe, stderr=pipe
        )
    except OSError as error:
        raise Temporary(f"the policies can't be examined now: no process can be started ({error.strerror})") from error
    try:
        async with asyncio.timeout(limit_s * _BUSY):
            output, complaint = await child.communicate(msgspec.json.encode(policies))
    except TimeoutError:
        return [late]
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if child.returncode == -signal.SIGXCPU:
        return [late]
    try:
        return msgspec.json.decode(output, type=list[Fault])
    except msgspec.MsgspecError:
        said = complaint.decode(errors="replace").strip().partition("\n")[0] or f"status {child.returncode}"
        return [Fault(policies.place, f"the evaluation of the sample inputs crashed the engine: {said}")]


def main(arguments: list[str]) -> int:
    """The child's work, and a check by hand: prints the faults as JSON, exit status 2 when there are any."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    if arguments[0] == "-":
        limit_s = int(arguments[1])
        resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the signal that ends it would leave its memory on the disk
        faults = examine(msgspec.json.decode(sys.stdin.buffer.read(), type=PolicySet))
    else:
        try:
            faults = examine(PolicySet.read(Path(*arguments)))
        except BadInput as error:
            faults = [Fault(error.place, error.message)]
    sys.stdout.write(json.dumps([{"place": fault.place, "message": fault.message} for fault in faults]) + "\n")
    return FAULTS_FOUND if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
