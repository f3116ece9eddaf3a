"""Every action passes through here: one decision from Rego, or a person decides.

Evaluations run in the event loop's own thread: they take some tens of microseconds, and the engine holds the
interpreter lock, so that a thread would add its hand-overs and take nothing off the loop. What keeps a wild policy from
standing in the loop is the probe, in another process, before a set is taken; an answer that came late is not used.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import structlog

from kubernaut.adapters.rego.policyset import PolicySet
from kubernaut.adapters.rego.probe import Fault, probe
from kubernaut.adapters.rego.rules import DECISION, ENVIRONMENT, Rules
from kubernaut.domain.errors import BadInput
from kubernaut.domain.policy import ENVIRONMENTS, FAIL_CLOSED, Decision

LATE_S = 0.5
PROBE_LIMIT_S = 20.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reload:
    """What a reload came to: the revision in force now, whether it is a new one, and what was wrong with the files."""

    revision: str
    changed: bool
    faults: tuple[Fault, ...] = ()


def decided(rules: Rules, document: object, late_s: float = LATE_S) -> Decision:
    """One decision of the rules, or a person decides and the reason says what went wrong."""
    started = time.thread_time()
    try:
        answer = rules.ask(DECISION, document)
    except BadInput as error:
        return Decision.fail_closed(f"The policy failed ({error}), so a person decides.")
    took_s = time.thread_time() - started
    if took_s > late_s:
        return Decision.fail_closed(f"The policy took {took_s:.1f} s to answer, so a person decides.")
    return Decision.from_document(answer)


class RegoPolicyEngine:
    """The PolicyEngine port over regorus. Belongs to the thread that loaded it; other threads get fail-closed answers.

    Args:
        late_s: a decision that took more than this, in seconds of computing, is not used; a busy machine doesn't count.
    """

    def __init__(
        self, directory: Path, overrides: Mapping[str, Any], policies: PolicySet, *, late_s: float, probe_limit_s: float
    ) -> None:
        self._directory = directory
        self._overrides = overrides
        self._late_s = late_s
        self._probe_limit_s = probe_limit_s
        self._rules = Rules(policies)
        self.revision = policies.revision

    @classmethod
    async def load(
        cls,
        directory: Path,
        data_overrides: Mapping[str, Any] | None = None,
        *,
        late_s: float = LATE_S,
        probe_limit_s: float = PROBE_LIMIT_S,
    ) -> Self:
        """Read, probe and take the policies of a directory.

        Args:
            data_overrides: laid over `settings` of data.json, as `{"confidence": {"alone_above": 0.95}}`.

        Raises:
            BadInput: the set is unfit to decide; names file and line of the first fault.
            Temporary: it can't be examined now.
        """
        overrides = data_overrides or {}
        policies = await asyncio.to_thread(PolicySet.read, directory, overrides)
        faults = await probe(policies, probe_limit_s)
        if faults:
            more = f" (`kubernaut policy check {directory}` lists {len(faults) - 1} more)" if len(faults) > 1 else ""
            raise BadInput(faults[0].message + more, place=faults[0].place)
        return cls(directory, overrides, policies, late_s=late_s, probe_limit_s=probe_limit_s)

    async def reload(self) -> Reload:
        """Take the directory's present content, or keep the last good set and say what is wrong with the new one.

        Raises:
            Temporary: it can't be examined now; what was in force stays.
        """
        try:
            policies = await asyncio.to_thread(PolicySet.read, self._directory, self._overrides)
            if policies.revision == self.revision:
                return Reload(self.revision, changed=False)
            faults = await probe(policies, self._probe_limit_s)
            if faults:
                return self._kept(tuple(faults))
            rules = Rules(policies)
        except BadInput as error:
            return self._kept((Fault(error.place, error.message),))
        self._rules.close()
        self._rules, self.revision = rules, policies.revision
        log.info("policies reloaded", revision=self.revision)
        return Reload(self.revision, changed=True)

    def _kept(self, faults: tuple[Fault, ...]) -> Reload:
        log.error(
            "policies kept, the new ones are unfit", revision=self.revision, faults=[str(fault) for fault in faults]
        )
        return Reload(self.revision, changed=False, faults=faults)

    def close(self) -> None:
        """Let the rules go, in the thread that loaded them; decisions fail closed from now on."""
        self._rules.close()

    async def decide(self, document: Mapping[str, Any]) -> Decision:
        """Decide about one action; see `kubernaut.domain.policy.PolicyInput`. Never raises for what a policy does."""
        decision = decided(self._rules, document, self._late_s)
        if decision.rule == FAIL_CLOSED:
            log.warning("policy failed closed", revision=self.revision, reason=decision.reason)
        return decision

    async def environment(
        self, namespace: str, namespace_labels: Mapping[str, str], cluster_labels: Mapping[str, str]
    ) -> str:
        """The class of a namespace's environment; "unknown", which counts as production, whenever the policy can't tell."""
        document = {
            "namespace": namespace,
            "namespace_labels": dict(namespace_labels),
            "cluster_labels": dict(cluster_labels),
        }
        try:
            answer = self._rules.ask(ENVIRONMENT, document)
        except BadInput as error:
            log.warning("policy failed", revision=self.revision, place=error.place, fault=error.message)
            return "unknown"
        return answer if isinstance(answer, str) and answer in ENVIRONMENTS else "unknown"
