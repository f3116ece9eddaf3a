"""What the pipeline needs from outside, as Protocols: adapters fill them, tests and the simulator can, too.

Reader and writer are separate on purpose: only the executor holds a `ClusterWriter`, so nothing else can change a cluster.
Every call that crosses a network raises only errors of `domain.errors`; deadlines are set by the caller with
`asyncio.timeout`.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from kubernaut.domain.analysis import Finding
from kubernaut.domain.approvals import Approval, ApprovalPhase
from kubernaut.domain.facts import Commit, Object, Snapshot
from kubernaut.domain.journal import JournalDraft, JournalEntry
from kubernaut.domain.policy import Decision
from kubernaut.domain.proposals import ChangeRequest, Check, FileChange, PullRequest, Review
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import Signal
from kubernaut.domain.tracks import Track


class Clock(Protocol):
    """Time, so that tests can hold it still."""

    def now(self) -> datetime:
        """The present moment, timezone-aware UTC."""
        ...


# ---------------------------------------------------------------------------------------------------- the cluster


@dataclass(frozen=True, slots=True)
class ClusterHealth:
    """How well a cluster is known. state: `LIVE` (watch fresh), `STALE` (watch silent), `DOWN` (no answer)."""

    name: str
    state: str
    watch_age_s: float
    reason: str = ""
    server_version: str = ""


class ClusterReader(Protocol):
    """Reads of one cluster. Answers come from the watch cache when it is synced and fresh, unless `live` is asked for."""

    name: str

    def health(self) -> ClusterHealth:
        """How well the cluster is known now; never waits."""
        ...

    def cached(self, kind: str, namespace: str, name: str) -> Object | None:
        """One object from the watch cache, or None; never waits, never asks the server."""
        ...

    async def get(self, kind: str, namespace: str, name: str, *, live: bool = False) -> Object | None:
        """One object; None if it does not exist. Raises Temporary, Refused (RBAC), Permanent."""
        ...

    async def list(
        self, kind: str, namespace: str = "", *, labels: str = "", fields: str = "", live: bool = False
    ) -> Sequence[Object]:
        """Objects of a kind: of a namespace or, with the empty one, of the whole cluster. Selectors as in the API."""
        ...

    async def owned(self, kind: str, owner_uid: str, namespace: str) -> Sequence[Object]:
        """Objects of `kind` whose controller has this uid (an index of the watch cache)."""
        ...

    async def logs(
        self, namespace: str, pod: str, container: str, *, previous: bool = False, tail_lines: int = 100
    ) -> str:
        """A log tail, at most 256 KiB. NotFound if there is none, Temporary if the kubelet does not answer."""
        ...

    async def allowed(self, verb: str, kind: str, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """Why kubernaut may not do this (SelfSubjectAccessReview); empty when it may."""
        ...


class ClusterWriter(Protocol):
    """Writes to one cluster, field manager `kubernaut`.

    Raises: Conflict (409: changed meanwhile, uid or resourceVersion differ), NotFound, Refused (403, 422),
    Temporary (429 with its delay, 503 before anything was done, connection refused), Unknown (the reply was lost).
    """

    async def patch(
        self, ref: ResourceRef, patch: Mapping[str, Any], *, expected: Mapping[str, str], dry_run: bool = False
    ) -> Object:
        """Merge patch; lists are merged by key where the kind knows how. `expected` {"uid","resourceVersion"} must hold."""
        ...

    async def delete(
        self, ref: ResourceRef, *, expected: Mapping[str, str], dry_run: bool = False, grace_s: int | None = None
    ) -> None:
        """Delete, with uid (and, if given, resourceVersion) as preconditions."""
        ...

    async def evict(self, ref: ResourceRef, *, expected: Mapping[str, str], dry_run: bool = False) -> None:
        """Evict a pod through the Eviction API; a budget's refusal is Temporary."""
        ...


class Cluster(ClusterReader, ClusterWriter, Protocol):
    """Both sides of one cluster, as the daemon builds it; the pipeline hands out one side at a time."""


# ------------------------------------------------------------------------------------------------------ the forge


class Forge(Protocol):
    """Git repositories and their pull requests. Raises NotFound, Temporary, Refused, Conflict, Permanent."""

    def serves(self, repo_url: str) -> bool:
        """Whether this forge has the repository that a GitOps controller calls `repo_url`."""
        ...

    async def files(self, repo_url: str, revision: str, path: str) -> tuple[str, Mapping[str, str]]:
        """The commit that `revision` names now, and all text files below `path`: repository path → text."""
        ...

    async def commits(self, repo_url: str, revision: str, path: str, limit: int = 20) -> Sequence[Commit]:
        """The newest commits that touched `path`, newest first, each with its unified diff."""
        ...

    async def propose(self, request: ChangeRequest) -> PullRequest:
        """Open the pull request, or return the one that is there for this branch. Never opens two."""
        ...

    def url_of(self, repository: str) -> str:
        """The URL of a repository by its short name, as `shop`."""
        ...

    async def pull_request(self, repo_url: str, number: int) -> PullRequest:
        """One pull request as it stands now."""
        ...

    async def pull_requests(self) -> Sequence[PullRequest]:
        """All pull requests that kubernaut knows, newest first."""
        ...

    async def diff(self, repo_url: str, number: int) -> Sequence[FileChange]:
        """The files that a pull request changes, before and after."""
        ...

    async def merge(self, repo_url: str, number: int, by: str, expected_head: str) -> PullRequest:
        """Merge; Conflict if the head is not the expected one or the base no longer takes it. Merging twice merges once."""
        ...

    async def close(self, repo_url: str, number: int, by: str, comment: str = "") -> PullRequest:
        """Close without merging; the comment stays with the pull request."""
        ...

    async def review(self, repo_url: str, number: int, review: Review) -> PullRequest:
        """Keep a person's word on a commit; Conflict if the branch ends at another one now."""
        ...

    async def check(self, repo_url: str, number: int, check: Check) -> PullRequest:
        """Post what a check says; it takes the place of what the check of that name said before."""
        ...

    async def of_branch(self, repo_url: str, branch: str) -> PullRequest | None:
        """The pull request of a branch as it stands now; None if it has none."""
        ...

    async def contains(self, repo_url: str, revision: str, commit: str) -> bool:
        """Whether `commit` is an ancestor of `revision` (or is it)."""
        ...


# ----------------------------------------------------------------------------------------------- policy, analysis


class PolicyEngine(Protocol):
    """Rego. Never raises from `decide`: whatever goes wrong is a decision that a person is needed."""

    @property
    def revision(self) -> str:
        """Digest of the loaded rules."""
        ...

    async def decide(self, document: Mapping[str, Any]) -> Decision:
        """Policy's word on one action; the input's shape is `domain.policy.PolicyInput`."""
        ...

    async def environment(
        self, namespace: str, namespace_labels: Mapping[str, str], cluster_labels: Mapping[str, str]
    ) -> str:
        """production, staging, test, development or unknown."""
        ...


class Analyst(Protocol):
    """Finds causes in facts."""

    name: str

    async def analyse(self, snapshot: Snapshot) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
        """Findings, best first, and one line for each thing that was looked at."""
        ...


# ------------------------------------------------------------------------------------------------------ the store


@dataclass(frozen=True, slots=True)
class Intake:
    """One signal on its way in, with everything that the store needs to decide where it belongs.

    Args:
        owner: the target resolved as far as the cache knew.
        candidate_id: the id to use if a remediation has to be opened.
        window_s: how long after its end a remediation still takes duplicates, in seconds.
    """

    signal: Signal
    owner: ResourceRef
    fingerprint: str
    candidate_id: str
    received_at: datetime
    window_s: float


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a signal: `outcome` is `opened`, `attached`, `resolved` or `ignored` (then there is no id)."""

    remediation_id: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Change:
    """Everything that one transition writes, in one transaction. Version 0 inserts; any other must match the row."""

    remediation: Remediation | None = None
    tracks: tuple[Track, ...] = ()
    approvals: tuple[Approval, ...] = ()
    journal: tuple[JournalDraft, ...] = ()
    outbox: tuple["OutboxDraft", ...] = ()


@dataclass(frozen=True, slots=True)
class OutboxDraft:
    """A message to the outside that must be sent at least once after the transaction.

    Args:
        channel: who sends it, as `notify`.
        key: idempotency key: a second draft with the same channel and key is dropped.
    """

    channel: str
    key: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """A message that waits to be sent."""

    id: int
    channel: str
    key: str
    payload: dict[str, Any]
    attempt: int


@dataclass(frozen=True, slots=True)
class Due:
    """A row that wants to be looked at.

    Args:
        part: `assessment`, `imperative` or `gitops`.
        look: nothing is to be done, only what was done is to be looked at: it may wait while others have not been acted on.
    """

    remediation_id: str
    part: str
    wake_at: datetime
    look: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """Which remediations to list.

    Args:
        text: fuzzy words that id, target, cluster, signal, cause or phase must contain; a leading `!` inverts a word.
        phases: any of these; empty means all.
        needs_you, faults, active: only such; None means don't care.
        ids: exactly these; empty means all.
        offset, limit: the page; limit at most 500.
    Order: needs-you first, then running, then done; within each the loudest, then the newest.
    """

    text: str = ""
    phases: tuple[str, ...] = ()
    cluster: str = ""
    needs_you: bool | None = None
    faults: bool | None = None
    active: bool | None = None
    ids: tuple[str, ...] = ()
    offset: int = 0
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing and how many there are in all."""

    items: tuple[Remediation, ...]
    total: int


class Store(Protocol):
    """The truth. What a call acknowledged survives kill -9. Raises Conflict (version), Temporary (disk, lock)."""

    async def take(self, intakes: Sequence[Intake]) -> Sequence[Taken]:
        """Persist signals: attach to the active remediation with the fingerprint, or to one that ended within the window,
        or open one. In one transaction; exactly one remediation per active fingerprint, whatever the concurrency."""
        ...

    async def commit(self, change: Change) -> Change:
        """Write a transition; returns the change with the versions that the rows have now."""
        ...

    async def remediation(self, remediation_id: str) -> Remediation | None:
        """One remediation with its tracks, its signal counters current."""
        ...

    async def active(self, fingerprint: str) -> str | None:
        """The id of the remediation that holds the fingerprint now."""
        ...

    async def history(self, owner: ResourceRef, since: datetime, limit: int = 20) -> Sequence[Remediation]:
        """Remediations of one owner, newest first."""
        ...

    async def due(self, now: datetime, limit: int) -> Sequence[Due]:
        """What is to be looked at: by priority, then what can act, then by time; looks count as if they were due later."""
        ...

    async def next_wake(self) -> datetime | None:
        """The earliest `wake_at` of all rows."""
        ...

    async def list(self, query: Query) -> Page:
        """A page of remediations."""
        ...

    async def counts(self) -> Mapping[str, int]:
        """Remediations by phase, and `needs_you`, `active`, `total`."""
        ...

    async def approval(self, approval_id: str) -> Approval | None:
        """One approval with its votes."""
        ...

    async def approvals(self, phase: ApprovalPhase | None = None, remediation_id: str = "") -> Sequence[Approval]:
        """Approvals, those that expire first first."""
        ...

    async def journal(self, after: int, limit: int, remediation_id: str = "") -> Sequence[JournalEntry]:
        """Entries with seq > after, in order."""
        ...

    async def last_seq(self) -> int:
        """The newest entry's seq; 0 when there is none."""
        ...

    def follow(self, after: int) -> AsyncIterator[JournalEntry]:
        """All entries after `after`, then each new one as it is committed; ends when the store closes."""
        ...

    async def outbox(self, now: datetime, limit: int) -> Sequence[OutboxMessage]:
        """Messages that are due."""
        ...

    async def outbox_done(self, message_id: int) -> None:
        """The message was delivered."""
        ...

    async def outbox_retry(self, message_id: int, at: datetime, error: str) -> None:
        """Try again later."""
        ...
