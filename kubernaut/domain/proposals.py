"""The permanent fix: who owns the object in Git, what is to change there, and what became of the pull request."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from .resources import ResourceRef


@dataclass(frozen=True, slots=True)
class Ownership:
    """Where an object's truth lives.

    Args:
        controller: `argocd` or `flux`.
        application: the Application or Kustomization that applies it.
        repo_url: as the controller spells it.
        revision: the branch (tag, commit) that it follows.
        path: folder inside the repository, without leading or trailing slash.
        deployed: the commit that is applied now; empty when unknown.
        changeable: whether a pull request can change it.
        obstacle: why not, in one sentence; or a caution when it can.
    """

    controller: str
    application: ResourceRef
    repo_url: str
    revision: str
    path: str
    deployed: str = ""
    changeable: bool = True
    obstacle: str = ""


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file before and after. `line` is the first changed line, counted from 1."""

    path: str
    before: str
    after: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """All that a forge needs to open a pull request; the branch is named after the remediation, so asking twice opens one."""

    repo_url: str
    base: str
    branch: str
    base_commit: str
    files: tuple[FileChange, ...]
    title: str
    body: str
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()


class PullRequestState(StrEnum):
    """As forges call it."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request as the forge tells it.

    Args:
        repository: the forge's short name of the repository, as `shop`.
        merge_commit: the commit on the base branch that contains the change; empty until merged.
        checks: name → `success`, `pending` or `failure`.
        approvals: who approved it in the forge.
    """

    number: int
    repository: str
    repo_url: str
    branch: str
    base: str
    state: PullRequestState
    title: str
    body: str
    url: str
    head_commit: str
    created_at: datetime
    updated_at: datetime
    merge_commit: str = ""
    author: str = "kubernaut"
    merged_by: str = ""
    labels: tuple[str, ...] = ()
    checks: dict[str, str] = field(default_factory=dict)
    approvals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeProposal:
    """The GitOps track's side of a remediation.

    Args:
        action: the declarative action that the edit carries out.
        parameters: its parameters, `from` and `to` included.
        expect: field path of the live object → value that it must have once Git has reached the cluster.
    """

    ownership: Ownership
    target: ResourceRef
    action: str
    parameters: dict[str, object]
    files: tuple[FileChange, ...] = ()
    title: str = ""
    body: str = ""
    branch: str = ""
    base_commit: str = ""
    pull_request: PullRequest | None = None
    urgent: bool = False
