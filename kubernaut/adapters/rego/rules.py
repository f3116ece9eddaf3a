"""Rego rules evaluated by regorus: every answer is a JSON value, and every failure is a BadInput that names file and line.

The interpreter is used, never regorus' virtual machine: that one hides conflicts between rules.
An engine belongs to the thread that made it, its end included. It holds the interpreter lock while it evaluates and can't
be stopped from outside, therefore rules of unknown quality are evaluated in another process first (see probe).
"""

import itertools
import json
import re
import threading
import weakref
from collections.abc import Callable
from typing import Any

import msgspec
import regorus

from kubernaut.adapters.rego.policyset import PolicySet
from kubernaut.domain.errors import BadInput

DECISION = "data.kubernaut.approval.decision"
ENVIRONMENT = "data.kubernaut.environment.environment"
SETTINGS_PROBLEMS = "data.kubernaut.settings.problems"

_PLACE = re.compile(r"-->\s*(?P<file>.+?):(?P<line>\d+):(?P<column>\d+)")
_MESSAGE = re.compile(r"^error: (?P<message>.*)$", re.MULTILINE)


class _Home(threading.local):
    """The engines of one thread. Rules are often let go by the garbage collector, which comes in any thread, and an engine that
    ends in a strange one is an error: so the engine stays here, and ends when its own thread next makes or closes one."""

    def __init__(self) -> None:
        self._engines: dict[int, Any] = {}
        self._left: list[int] = []
        self._numbers = itertools.count()

    def keep(self, owner: object, engine: Any) -> Callable[[], object]:
        """Keep an engine for as long as its owner lives; returns what leaves it before."""
        self.sweep()
        number = next(self._numbers)
        self._engines[number] = engine
        # the list itself is handed over, because in the collector's thread `self` would show another one
        leave = weakref.finalize(owner, self._left.append, number)
        leave.atexit = False
        return leave

    def sweep(self) -> None:
        """End the engines whose owners are gone."""
        while self._left:
            del self._engines[self._left.pop()]


_HOME = _Home()


class Rules:
    """One policy set, ready to be asked.

    Raises:
        BadInput: on a syntax error, or data that the engine can't take.
    """

    def __init__(self, policies: PolicySet, *, with_tests: bool = False) -> None:
        self._place = policies.place
        self._thread = threading.get_ident()
        self._engine: Any = regorus.Engine()
        self._leave = _HOME.keep(self, self._engine)
        for path, text in policies.rules + (policies.tests if with_tests else ()):
            self._call(self._engine.add_policy, path, text)
        self._call(self._engine.add_data_json, json.dumps(policies.data))

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages defined, as `data.kubernaut.approval`."""
        return tuple(dict.fromkeys(self._engine.get_packages()))

    def ask(self, rule: str, document: object) -> Any:
        """The value of one rule for one input, or None when it is undefined.

        Args:
            rule: the full path, as `data.kubernaut.approval.decision`.
            document: the input, anything that JSON can express.

        Raises:
            BadInput: the rules failed or contradict each other, or the input is not JSON.
        """
        try:
            text = msgspec.json.encode(document).decode()
        except (TypeError, ValueError, RecursionError, msgspec.MsgspecError) as error:
            raise BadInput("is not a JSON document", field="input") from error
        self._call(self._engine.set_input_json, text)
        return self._call(self._engine.eval_rule, rule)

    def all_of(self, path: str, document: object) -> Any:
        """Evaluate everything below a path for one input: the way to meet every error that hides in a rule.

        Raises:
            BadInput: as for ask.
        """
        self._call(self._engine.set_input_json, msgspec.json.encode(document).decode())
        found = self._call(self._engine.eval_query, path)["result"]
        return found[0]["expressions"][0]["value"] if found else None

    def close(self) -> None:
        """Let the engine go now; questions after this are BadInput."""
        self._engine = _Gone(self._place)
        self._leave()
        _HOME.sweep()

    def _call(self, function: Any, *arguments: Any) -> Any:
        if threading.get_ident() != self._thread:
            raise BadInput("asked from another thread than the one that loaded it", place=self._place)
        try:
            return function(*arguments)
        except BaseException as error:
            # A panic inside the engine arrives as a BaseException of its own; cancellation and exit must pass.
            if isinstance(error, Exception) or type(error).__name__ == "PanicException":
                raise translated(str(error), self._place) from None
            raise


class _Gone:
    """Stands where the engine was."""

    def __init__(self, place: str) -> None:
        self._place = place

    def __getattr__(self, name: str) -> Any:
        raise BadInput("asked after it was closed", place=self._place)


def translated(text: str, place: str) -> BadInput:
    """What the engine says, without its stack trace: the place it names and the sentence after `error:`."""
    text = text.split("Stack backtrace:")[0].strip()
    where, what = _PLACE.search(text), _MESSAGE.search(text)
    message = what["message"].strip() if what else text or "the policy engine failed"
    return BadInput(message, place=f"{where['file']}:{where['line']}" if where else place)
