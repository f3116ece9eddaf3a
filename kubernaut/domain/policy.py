"""A policy decision is either complete and free of contradictions, or a person decides.

Policies are written by others, in another language, and are edited while the daemon runs. `Decision.from_document` is the
only door through which their answers come in; whatever is missing, misspelt or contradictory there becomes an approval
by a person, never an action that runs alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NotRequired, Self, TypedDict

MAX_APPROVERS = 20
FAIL_CLOSED = "fail-closed"
ENVIRONMENTS = frozenset({"production", "staging", "test", "development", "unknown"})


class ApprovalType(StrEnum):
    """Who decides, in the words of the decision contract."""

    REGO_AUTO_APPROVED = "rego-auto-approved"
    GIT_PR_REQUIRED = "git-pr-required"
    MANUAL = "manual-approval-required"
    SENIOR = "senior-approval-required"
    DENIED = "denied"


class ActionInput(TypedDict):
    """What would be done."""

    name: str
    risk: Literal["low", "medium", "high"]
    kind: Literal["imperative", "declarative"]
    reversible: bool


class TargetInput(TypedDict):
    """What it would be done to; `namespace` is empty for objects without one, `gitops_managed` means that Git owns it."""

    cluster: str
    kind: str
    namespace: str
    name: str
    gitops_managed: bool
    labels: Mapping[str, str]


class AnalysisInput(TypedDict):
    """Why; `confidence` is 0 to 1, and 1 for what a person asked for."""

    failure_class: str
    confidence: float


class BlastRadiusInput(TypedDict):
    """How much is touched at once: whole numbers, 0 to 1,000,000; the percentage is the most affected workload's."""

    pods: int
    percent_of_workload: int
    nodes: int
    workloads: int


class ActiveInput(TypedDict):
    """What runs already: drains in the target node's pool, this one not counted; and the share of that pool which would be out
    of service once the action is done, in percent, 0 for what takes no node out."""

    drains_in_pool: int
    percent_of_pool_out: int


class HistoryInput(TypedDict):
    """What was done: changes of the target's top owner in the last hour."""

    changes_last_hour_for_owner: int


class PolicyInput(TypedDict):
    """The document a policy sees as `input`; fields are only ever added. `now` is RFC 3339, for policies of one's own."""

    action: ActionInput
    target: TargetInput
    environment: Literal["production", "staging", "test", "development", "unknown"]
    severity: str
    priority: str
    analysis: AnalysisInput
    track: Literal["imperative", "gitops"]
    blast_radius: BlastRadiusInput
    requester: str
    active: ActiveInput
    history: HistoryInput
    freeze: bool
    now: NotRequired[str]


@dataclass(frozen=True, slots=True)
class Decision:
    """Exactly one of `auto_approve`, `require_approval` and `deny` is true, and `approval_type` agrees with it.

    Args:
        reason: one sentence for the person who has to understand it.
        rule: the name of the rule that decided.
        min_approvers: how many people must agree; 0 unless `require_approval`.
        approver_groups: roles or groups, a voter is in one of them; empty means whoever may approve at all.
        violations: the safety limits that would be exceeded, a sentence each.
        four_eyes: the requester may not vote.
    """

    approval_type: ApprovalType
    auto_approve: bool
    require_approval: bool
    deny: bool
    reason: str
    rule: str
    min_approvers: int
    approver_groups: tuple[str, ...]
    violations: tuple[str, ...]
    four_eyes: bool

    @classmethod
    def fail_closed(cls, reason: str) -> Self:
        """A person decides, because the policy did not: `reason` says what went wrong with it."""
        return cls(
            approval_type=ApprovalType.MANUAL,
            auto_approve=False,
            require_approval=True,
            deny=False,
            reason=reason,
            rule=FAIL_CLOSED,
            min_approvers=1,
            approver_groups=(),
            violations=(),
            four_eyes=True,
        )

    @classmethod
    def from_document(cls, document: object) -> Self:
        """Take what a policy answered, or fail closed and name everything that is wrong with it."""
        if document is None:
            return cls.fail_closed("The policy left this undecided, so a person decides.")
        if not isinstance(document, Mapping):
            return cls.fail_closed(
                f"The policy answered with {_json_name(document)} instead of an object; a person decides."
            )
        faults = contract_faults(document)
        if faults:
            return cls.fail_closed(f"The policy's decision can't be used ({'; '.join(faults)}), so a person decides.")
        return cls(
            approval_type=ApprovalType(document["approval_type"]),
            auto_approve=document["auto_approve"],
            require_approval=document["require_approval"],
            deny=document["deny"],
            reason=document["reason"],
            rule=document["rule"],
            min_approvers=document["min_approvers"],
            approver_groups=tuple(document["approver_groups"]),
            violations=tuple(document["violations"]),
            four_eyes=document["four_eyes"],
        )

    def to_document(self) -> dict[str, object]:
        """The decision as the plain JSON object that the contract describes."""
        return {
            "approval_type": self.approval_type.value,
            "auto_approve": self.auto_approve,
            "require_approval": self.require_approval,
            "deny": self.deny,
            "reason": self.reason,
            "rule": self.rule,
            "min_approvers": self.min_approvers,
            "approver_groups": list(self.approver_groups),
            "violations": list(self.violations),
            "four_eyes": self.four_eyes,
        }


def contract_faults(document: Mapping[object, object]) -> list[str]:
    """Everything that keeps a document from being a decision, in words; empty when it is one.

    Shape comes first: contradictions are looked for only among values of the right types.
    """
    missing = [field for field in _SHAPE if field not in document]
    faults = [f"missing: {', '.join(missing)}"] if missing else []
    for field, (fits, wanted) in _SHAPE.items():
        if field in document and not fits(document[field]):
            faults.append(f"{field} must be {wanted}")
    return faults or _contradictions(document)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_texts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(_is_text(item) for item in value)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_APPROVERS


def _is_approval_type(value: object) -> bool:
    return isinstance(value, str) and value in _APPROVAL_TYPES


_APPROVAL_TYPES = frozenset(kind.value for kind in ApprovalType)
_SHAPE: dict[str, tuple[Callable[[object], bool], str]] = {
    "approval_type": (_is_approval_type, "one of " + ", ".join(ApprovalType)),
    "auto_approve": (_is_flag, "true or false"),
    "require_approval": (_is_flag, "true or false"),
    "deny": (_is_flag, "true or false"),
    "reason": (_is_text, "a sentence"),
    "rule": (_is_text, "the rule's name"),
    "min_approvers": (_is_count, f"a whole number from 0 to {MAX_APPROVERS}"),
    "approver_groups": (_is_texts, "a list of names"),
    "violations": (_is_texts, "a list of sentences"),
    "four_eyes": (_is_flag, "true or false"),
}


def _contradictions(document: Mapping[object, object]) -> list[str]:
    kind = ApprovalType(str(document["approval_type"]))
    auto, ask, deny = document["auto_approve"], document["require_approval"], document["deny"]
    faults = []
    if [auto, ask, deny].count(True) != 1:
        faults.append("exactly one of auto_approve, require_approval and deny must be true")
    if auto is not (kind is ApprovalType.REGO_AUTO_APPROVED) or deny is not (kind is ApprovalType.DENIED):
        faults.append(f"approval_type {kind.value} contradicts auto_approve, require_approval and deny")
    if auto and document["violations"]:
        faults.append("auto_approve in spite of violations")
    if bool(ask) is not bool(document["min_approvers"]):
        faults.append("min_approvers must be at least 1 with require_approval, and 0 without")
    return faults


def _json_name(value: object) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list", tuple: "a list"}
    return names.get(type(value), "something else")
