"""The embedded forge: bare repositories on this machine, real git, pull requests without a server.

A pull request is a branch and a record. The branch comes first, so that a crash in between leaves a branch that the next
attempt recognises and finishes. A merge is a ref moved by compare-and-swap; what people do with plain git is read from
the refs again at each look, see `looking`.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import structlog

from kubernaut.domain.errors import BadInput, Conflict, KubernautError, NotFound, Refused
from kubernaut.domain.facts import Commit
from kubernaut.domain.proposals import ChangeRequest, Check, FileChange, PullRequest, PullRequestState, Review
from kubernaut.ports import Clock

from . import names, objects, reasons, urls, writing
from .git import Git
from .looking import Repository, kept, look
from .records import Record, Records
from .refs import Branches

log = structlog.get_logger()
MERGE_ATTEMPTS = 5
"""How often a merge is tried anew because somebody pushed to the base meanwhile."""

_CACHED_CHARS = objects.TOTAL_LIMIT_BYTES
"""Of all listings that are kept together: as much as one alone may have."""


class LocalForge:
    """`ports.Forge` on bare repositories.

    Args:
        root: folder of the forge; records of pull requests live in its `pulls` folder.
        repositories: URL as GitOps controllers spell it → name of a bare repository below `root` (with or without
            `.git`), or an absolute path. One repository may have several URLs.
        clock: for dates of commits and records.

    Raises:
        BadInput: two different repositories share a short name or a URL, or a name leaves the root.
    """

    def __init__(self, root: Path, repositories: Mapping[str, str], clock: Clock) -> None:
        self._clock = clock
        self._by_url: dict[str, Repository] = {}
        self._listings: dict[tuple[str, str, str], dict[str, str]] = {}
        by_path: dict[Path, Repository] = {}
        for url, where in repositories.items():
            path = _directory(root, where)
            name = path.name.removesuffix(".git")
            git = Git(path)
            if path not in by_path:
                if any(other.name == name for other in by_path.values()):
                    raise BadInput(f"two repositories are called {name!r}", field="forge.repositories")
                by_path[path] = Repository(name, url, git, Branches(git), Records(root.absolute() / "pulls" / name))
            address = urls.canonical(url)
            first = self._by_url.setdefault(address, by_path[path])
            if first is not by_path[path]:
                twice = f"{address} is there twice, in two spellings, and leads to {first.name!r} and to {name!r}"
                raise BadInput(twice, field="forge.repositories")
        self._all = tuple(by_path.values())

    # -------------------------------------------------------------------------------------------------- reading

    def serves(self, repo_url: str) -> bool:
        """Whether this forge has the repository that a GitOps controller calls `repo_url`."""
        return urls.canonical(repo_url) in self._by_url

    def url_of(self, repository: str) -> str:
        """The URL of a repository by its short name, as `shop`. Raises NotFound."""
        for known in self._all:
            if known.name == repository:
                return known.url
        raise NotFound(f"no repository {repository!r} in this forge; it has {', '.join(r.name for r in self._all)}")

    async def heads(self, repo_url: str) -> dict[str, str]:
        """Branch → commit. A few `stat` calls while nothing moved: cheap enough to poll."""
        return await self._repository(repo_url).branches.tips()

    async def default_branch(self, repo_url: str) -> str:
        """The branch that HEAD names."""
        return await objects.default_branch(self._repository(repo_url).git)

    async def files(self, repo_url: str, revision: str, path: str) -> tuple[str, Mapping[str, str]]:
        """The commit that `revision` names now, and all text files below `path`: repository path → text.

        `HEAD` and the empty revision mean the default branch. Symbolic links, submodules, binaries and files over 1 MiB
        are left out.
        """
        repository = self._repository(repo_url)
        folder = names.folder(path)
        commit = await objects.resolve(repository.git, revision)
        key = (repository.name, commit, folder)
        if key not in self._listings:
            listing = await objects.files(repository.git, commit, folder)
            self._listings[key] = listing
            while len(self._listings) > 1 and sum(map(_size, self._listings.values())) > _CACHED_CHARS:
                self._listings.pop(next(iter(self._listings)))
            return commit, dict(listing)
        return commit, dict(self._listings[key])

    async def commits(self, repo_url: str, revision: str, path: str, limit: int = 20) -> Sequence[Commit]:
        """The newest commits that touched `path`, newest first, each with its unified diff."""
        git = self._repository(repo_url).git
        return await objects.commits(git, await objects.resolve(git, revision), path, limit)

    async def contains(self, repo_url: str, revision: str, commit: str) -> bool:
        """Whether `commit` is an ancestor of `revision` (or is it)."""
        git = self._repository(repo_url).git
        return await objects.contains(git, await objects.resolve(git, revision), await objects.resolve(git, commit))

    async def pull_request(self, repo_url: str, number: int) -> PullRequest:
        """One pull request as it stands now: merged too when its branch reached the base by a plain push."""
        repository = self._repository(repo_url)
        record = self._record(repository, number)
        if record.pull.state is not PullRequestState.OPEN:
            return record.pull
        return await self._look(repository, record, await repository.branches.tips())

    async def of_branch(self, repo_url: str, branch: str) -> PullRequest | None:
        """The pull request of a branch as it stands now; None if it has none."""
        record = self._repository(repo_url).records.of_branch(branch)
        return await self.pull_request(repo_url, record.pull.number) if record else None

    async def pull_requests(self) -> Sequence[PullRequest]:
        """All pull requests of all repositories, newest first; a repository that can't be read keeps no other back.

        Raises:
            Temporary, Permanent: none of them can be read.
        """
        found: list[PullRequest] = []
        lost: list[KubernautError] = []
        for repository in self._all:
            try:
                found += await self._pulls_of(repository)
            except KubernautError as error:
                log.warning(
                    "the pull requests of a repository can't be read", repository=repository.name, error=str(error)
                )
                lost.append(error)
        if lost and len(lost) == len(self._all):
            raise lost[0]
        return sorted(found, key=lambda pull: (pull.created_at, pull.number), reverse=True)

    async def _pulls_of(self, repository: Repository) -> list[PullRequest]:
        records = repository.records.all()
        is_open = any(record.pull.state is PullRequestState.OPEN for record in records)
        tips = await repository.branches.tips() if is_open else {}
        return [
            await self._look(repository, record, tips) if record.pull.state is PullRequestState.OPEN else record.pull
            for record in records
        ]

    async def diff(self, repo_url: str, number: int) -> Sequence[FileChange]:
        """The files that a pull request changes, before and after."""
        repository = self._repository(repo_url)
        record = self._record(repository, number)
        pull = await self.pull_request(repo_url, number)
        fork = record.fork
        if pull.state is PullRequestState.OPEN:
            fork = await objects.fork_point(repository.git, f"refs/heads/{pull.base}", pull.head_commit) or fork
        return await objects.diff(repository.git, fork, pull.head_commit)

    # -------------------------------------------------------------------------------------------------- writing

    async def propose(self, request: ChangeRequest) -> PullRequest:
        """Open the pull request, or return the one that is there for this branch. Never opens two.

        The base `HEAD` (or an empty one) is the default branch.

        Raises:
            NotFound: no such repository, or the base has no commits.
            Conflict: a file is no longer what the change was made from: read it again.
            Permanent: the branch holds somebody else's work.
            BadInput: the request changes nothing, or names no proper file or branch.
        """
        repository = self._repository(request.repo_url)
        branch = names.revision(request.branch)
        is_default = request.base in ("", "HEAD")
        base = await objects.default_branch(repository.git) if is_default else names.revision(request.base)
        async with self._turn(repository):
            known = repository.records.of_branch(branch)
            if known is not None:
                return await self.pull_request(request.repo_url, known.pull.number)
            tips = await repository.branches.tips()
            if base not in tips:
                head = await objects.default_branch(repository.git)
                raise NotFound(await reasons.no_base(repository.git, base, head))
            now = self._clock.now()
            head, fork = tips.get(branch, ""), ""
            if head:
                fork = await writing.adopt(repository.git, request, tips[base], head)
            if not fork:
                fork = tips[base]
                head = await writing.commit(repository.git, request, fork, now)
            await kept(repository.git, branch, head)
            pull = PullRequest(
                number=0, repository=repository.name, repo_url=request.repo_url, branch=branch, base=base,
                state=PullRequestState.OPEN, title=request.title, body=request.body, head_commit=head,
                url=f"{repository.git.directory.as_uri()}#{branch}", created_at=now, updated_at=now,
                labels=request.labels, base_head=tips[base],
                check_runs=tuple(replace(check, commit=head) for check in request.checks),
            )  # fmt: skip
            paths = tuple(sorted(change.path for change in request.files))
            return repository.records.add(Record(pull, fork, request.reviewers, paths=paths)).pull

    async def merge(self, repo_url: str, number: int, by: str, expected_head: str) -> PullRequest:
        """Merge with a merge commit. Merging twice merges once.

        Raises:
            Conflict: the branch moved since `expected_head`, or the base changed the same lines.
            Refused: the pull request was closed.
        """
        repository = self._repository(repo_url)
        async with self._turn(repository):
            for _ in range(MERGE_ATTEMPTS):
                pull = await self.pull_request(repo_url, number)
                if pull.state is PullRequestState.MERGED:
                    return pull
                if pull.state is PullRequestState.CLOSED:
                    raise Refused(f"{repository.name}#{number} was closed without merging")
                _same_head(pull, expected_head)
                if await writing.merge(repository.git, pull, by, self._clock.now()):
                    return await self.pull_request(repo_url, number)
            raise Conflict(f"{pull.base} of {repository.name} moves too fast to merge {repository.name}#{number}")

    async def review(self, repo_url: str, number: int, review: Review) -> PullRequest:
        """Keep a person's word on a commit; it takes the place of what they said of the same commit before.

        Raises:
            Conflict: the branch ends at another commit now. Refused: the pull request is not open.
        """
        repository = self._repository(repo_url)
        async with self._turn(repository):
            pull = await self.pull_request(repo_url, number)
            if pull.state is not PullRequestState.OPEN:
                raise Refused(f"{repository.name}#{number} is {pull.state} already")
            _same_head(pull, review.commit)
            others = [r for r in pull.reviews if (r.reviewer, r.commit) != (review.reviewer, review.commit)]
            return self._remember(repository, number, reviews=(*others, review))

    async def check(self, repo_url: str, number: int, check: Check) -> PullRequest:
        """Post what a check says; it takes the place of what the check of that name said before."""
        repository = self._repository(repo_url)
        async with self._turn(repository):
            pull = await self.pull_request(repo_url, number)
            others = [c for c in pull.check_runs if c.name != check.name]
            return self._remember(repository, number, check_runs=(*others, check))

    async def close(self, repo_url: str, number: int, by: str, comment: str = "") -> PullRequest:
        """Close without merging and say why; the branch stays. Raises Refused when it is merged already."""
        repository = self._repository(repo_url)
        async with self._turn(repository):
            pull = await self.pull_request(repo_url, number)
            if pull.state is PullRequestState.MERGED:
                raise Refused(f"{repository.name}#{number} is merged already")
            if pull.state is PullRequestState.CLOSED:
                return pull
            said = (f"{by}: {comment}",) if comment else ()
            return self._remember(
                repository, number, state=PullRequestState.CLOSED, merged_by="", comments=(*pull.comments, *said)
            )

    # ------------------------------------------------------------------------------------------------- internals

    def _repository(self, repo_url: str) -> Repository:
        found = self._by_url.get(urls.canonical(repo_url))
        if found is None:
            raise NotFound(f"the local forge has no repository {repo_url}: add it to forge.repositories")
        return found

    @asynccontextmanager
    async def _turn(self, repository: Repository) -> AsyncIterator[None]:
        """One writer a repository at a time, so that a branch and its record are made by the same hand."""
        async with repository.turn:
            yield

    def _record(self, repository: Repository, number: int) -> Record:
        record = repository.records.get(number)
        if record is None:
            raise NotFound(f"no pull request {repository.name}#{number}")
        return record

    def _remember(
        self, repository: Repository, number: int, paths: Sequence[str] | None = None, **changes: object
    ) -> PullRequest:
        record = self._record(repository, number)
        pull = replace(record.pull, updated_at=self._clock.now(), **changes)  # type: ignore[arg-type]
        changed = replace(record, pull=pull, paths=record.paths if paths is None else tuple(paths))
        return repository.records.put(changed).pull

    async def _look(self, repository: Repository, record: Record, tips: Mapping[str, str]) -> PullRequest:
        """An open pull request held against the refs, and remembered where it moved on."""
        changes, seen = await look(repository, record, tips)
        pull = self._remember(repository, record.pull.number, seen.paths, **changes) if changes else record.pull
        return replace(pull, base_head=tips.get(pull.base, ""))


def _size(listing: Mapping[str, str]) -> int:
    return sum(map(len, listing.values()))


def _same_head(pull: PullRequest, expected: str) -> None:
    if pull.head_commit != expected:
        raise Conflict(
            f"{pull.repository}#{pull.number} now ends at {pull.head_commit[:12]}, not at {expected[:12]}: "
            "look at the new diff first"
        )


def _directory(root: Path, where: str) -> Path:
    path = Path(where)
    if path.is_absolute():
        return path
    if ".." in path.parts or not path.parts:
        raise BadInput(f"{where!r} leaves the forge's root", field="forge.repositories")
    plain = root.absolute() / path
    return plain if plain.suffix == ".git" or (plain / "HEAD").is_file() else plain.with_name(f"{plain.name}.git")
