"""The tests that come with policies: every `test_*` rule of the `*_test.rego` files, run by the engine that decides."""

import re
from dataclasses import dataclass

from kubernaut.adapters.rego.policyset import PolicySet
from kubernaut.adapters.rego.rules import Rules
from kubernaut.domain.errors import BadInput

_PACKAGE = re.compile(r"^package\s+(?P<path>[\w.]+)", re.MULTILINE)
_TEST = re.compile(r"^(?P<name>test_\w+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one test ended: `fault` is empty when it passed, otherwise says what is wrong and where."""

    name: str
    place: str
    fault: str = ""

    @property
    def passed(self) -> bool:
        return not self.fault


def run_tests(policies: PolicySet) -> list[Outcome]:
    """Run all tests of a policy set, in the order in which they are written.

    Raises:
        BadInput: a file has a syntax error; names file and line.
    """
    rules = Rules(policies, with_tests=True)
    return [_run(rules, rule, place) for rule, place in _tests(policies).items()]


def _tests(policies: PolicySet) -> dict[str, str]:
    """The path of each test and where it begins; a test in several parts is one test."""
    found: dict[str, str] = {}
    for path, text in policies.tests:
        package = _PACKAGE.search(text)
        if package is None:
            continue
        for test in _TEST.finditer(text):
            line = text.count("\n", 0, test.start()) + 1
            found.setdefault(f"data.{package['path']}.{test['name']}", f"{path}:{line}")
    return found


def _run(rules: Rules, rule: str, place: str) -> Outcome:
    try:
        answer = rules.ask(rule, {})
    except BadInput as error:
        return Outcome(rule, place, f"{error.place}: {error.message}")
    return Outcome(rule, place, "" if answer is True else "undefined" if answer is None else f"answered {answer!r}")
