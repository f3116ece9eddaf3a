"""The permanent fix: who owns the object in Git, what is to change there, and what became of the pull request."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .approvals import Role, Verdict
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


class CheckState(StrEnum):
    """What a check says of a commit."""

    SUCCESS = "success"
    PENDING = "pending"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Check:
    """What somebody found out about a commit, as policy's word on it.

    Args:
        summary: one sentence for people.
        commit: what was looked at; empty means the first one.
    """

    name: str
    state: CheckState
    summary: str
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """One person's word on one commit of a pull request, with what the person was then.

    Args:
        groups, role: as the person's transport told; whether the word counts is judged by them.
    """

    reviewer: str
    verdict: Verdict
    commit: str
    at: datetime
    reason: str = ""
    groups: tuple[str, ...] = ()
    role: Role | None = None


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """All that a forge needs to open a pull request; the branch is named after the remediation, so asking twice opens one.

    Args:
        checks: what is said of the first commit; posted with the pull request.
    """

    repo_url: str
    base: str
    branch: str
    base_commit: str
    files: tuple[FileChange, ...]
    title: str
    body: str
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()


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
        base_head: the commit that the base branch ended at when it was looked at; empty when unknown.
        authors: names, small letters, of the people who committed to the branch besides kubernaut.
        check_runs: the newest word of each check; about an older commit it says nothing any more, see `checks`.
        reviews: every person's newest word on each commit, oldest first.
        comments: what was said beside that, as `kubernaut: closed because …`, oldest first.
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
    base_head: str = ""
    authors: tuple[str, ...] = ()
    check_runs: tuple[Check, ...] = ()
    reviews: tuple[Review, ...] = ()
    comments: tuple[str, ...] = ()

    @property
    def checks(self) -> dict[str, str]:
        """Name → `success`, `pending` or `failure` for the present commit."""
        return {c.name: c.state if c.commit in ("", self.head_commit) else CheckState.PENDING for c in self.check_runs}

    @property
    def approvals(self) -> tuple[str, ...]:
        """Who approved the present commit."""
        return tuple(r.reviewer for r in self.reviews if r.verdict is Verdict.APPROVE and r.commit == self.head_commit)


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
