"""A change can reach the base without its branch: squashed, rebased, cherry-picked or brought along in another commit.

Two signs count. A commit on the base makes the very change that the pull request makes (git's patch-id, the pull
request's files alone), or merging the branch would change nothing any more because the base has all of it.
"""

from collections.abc import Iterable

from .git import Git

_COMMITS = 500
"""How many of the base's newest commits are looked at."""

_STEPS = 30


async def paths(git: Git, fork: str, head: str) -> frozenset[str]:
    """The files that differ between two commits."""
    answer = await git.run("diff-tree", "-r", "-z", "--name-only", "--no-renames", fork, head)
    return frozenset(part.decode("utf-8", "surrogateescape") for part in answer.stdout.split(b"\0") if part)


async def landed(git: Git, fork: str, head: str, base: str, touched: Iterable[str]) -> str:
    """The commit that brought the change to `base` without the branch; empty when it is not there.

    Args:
        fork: where the branch was cut; head: its last commit; base: the base branch's last commit.
        touched: the files that the branch changes.
    """
    files = sorted(touched)
    if not files:
        return ""
    found = await _by_patch(git, fork, head, base, files)
    return found or await _by_content(git, fork, head, base, files)


async def _by_patch(git: Git, fork: str, head: str, base: str, files: list[str]) -> str:
    """The newest commit of the base that makes the branch's change, or the last of several that make its commits'."""
    on_base = await _patch_ids(git, f"{fork}..{base}", files, limit=_COMMITS)
    if not on_base:
        return ""
    whole = await git.run("diff-tree", "-p", "-r", "--no-renames", "--no-ext-diff", "--no-textconv", fork, head)
    squashed = (await git.run("patch-id", "--stable", stdin=whole.stdout)).text.split()
    if squashed and squashed[0] in on_base:
        return on_base[squashed[0]]
    ours = await _patch_ids(git, f"{base}..{head}", files, limit=_COMMITS)
    if ours and all(patch in on_base for patch in ours):
        newest = {on_base[patch] for patch in ours}
        order = (await git.run("rev-list", "--topo-order", f"{fork}..{base}", "--", *files)).text.splitlines()
        return next((commit for commit in order if commit in newest), "")
    return ""


async def _patch_ids(git: Git, commits: str, files: list[str], limit: int) -> dict[str, str]:
    """Patch-id → the newest commit with it."""
    log = await git.run(
        "log", f"--max-count={limit}", "--no-merges", "--format=commit %H", "--patch", "--no-color",
        "--no-ext-diff", "--no-textconv", "--no-renames", "--no-notes", commits, "--", *files,
    )  # fmt: skip
    if not log.stdout:
        return {}
    pairs = (line.split() for line in (await git.run("patch-id", "--stable", stdin=log.stdout)).text.splitlines())
    found: dict[str, str] = {}
    for patch, commit in pairs:
        found.setdefault(patch, commit)
    return found


async def _by_content(git: Git, fork: str, head: str, base: str, files: list[str]) -> str:
    """The first commit on the base's own line from which on merging the branch would change nothing."""
    if not await _has_all(git, base, head):
        return ""
    answer = await git.run("rev-list", "--first-parent", "--reverse", f"{fork}..{base}", "--", *files)
    for commit in answer.text.splitlines()[:_STEPS]:
        if await _has_all(git, commit, head):
            return commit
    return base


async def _has_all(git: Git, base: str, head: str) -> bool:
    answer = await git.run("merge-tree", "--write-tree", base, head, allow=(0, 1, 128))
    if answer.status:  # 128: a rewritten base has no commit in common with the branch
        return False
    tree = (await git.run("rev-parse", "--verify", f"{base}^{{tree}}")).text
    return answer.text.splitlines()[0] == tree


async def exists(git: Git, commit: str) -> bool:
    """Whether the commit's object is still there: what no branch holds may have been cleaned away."""
    answer = await git.run("cat-file", "--batch-check", stdin=f"{commit}\n".encode())
    return " commit " in answer.text


async def authors(git: Git, fork: str, head: str, ours: str) -> tuple[str, ...]:
    """Names and the local part of the addresses of those who committed between two commits, small letters; `ours` left out."""
    answer = await git.run("log", "--format=%an%x00%ae%x00%cn%x00%ce", f"{fork}..{head}")
    found: set[str] = set()
    for entry in answer.text.splitlines():
        parts = entry.split("\0")
        for name, address in zip(parts[0::2], parts[1::2], strict=False):
            if address != ours:
                found |= {name.casefold(), address.partition("@")[0].casefold()}
    return tuple(sorted(found - {""}))
