"""Writing to a bare repository without a work tree: a commit on a new branch, and a merge by compare-and-swap."""

from datetime import datetime

from kubernaut.domain.errors import BadInput, Conflict, Permanent, Temporary
from kubernaut.domain.proposals import ChangeRequest, PullRequest

from . import names, objects
from .git import IDENTITY, Git

_MERGED_BY = "Merged-by: "


async def commit(git: Git, request: ChangeRequest, parent: str, at: datetime) -> str:
    """Cut the branch from `parent` with one commit that makes the change.

    `git fast-import` writes blobs, trees, commit and ref in one process, and the ref last: killed at any moment it leaves
    either no branch or the whole one.

    Returns:
        The new commit.
    """
    modes = await _modes(git, request, parent)
    who = f"{IDENTITY[0]} <{IDENTITY[1]}> {int(at.timestamp())} +0000"
    message = f"{request.title}\n\n{request.body}".strip().encode() + b"\n"
    ref = f"refs/heads/{request.branch}"
    stream = [
        b"feature done\n",
        f"commit {ref}\nmark :1\nauthor {who}\ncommitter {who}\n".encode(),
        b"data %d\n%s\n" % (len(message), message),
        f"from {parent}\n".encode(),
    ]
    for change in request.files:
        body = change.after.encode()
        stream.append(f"M {modes[change.path]} inline {_quoted(change.path)}\n".encode())
        stream.append(b"data %d\n%s\n" % (len(body), body))
    stream.append(b"get-mark :1\ndone\n")
    answer = await git.run("fast-import", "--quiet", "--done", "--date-format=raw", stdin=b"".join(stream))
    return answer.text.split()[0]


async def adopt(git: Git, request: ChangeRequest, base: str, head: str) -> str:
    """Recognise a branch that an earlier attempt left behind.

    Returns:
        The commit that it was cut from; empty when it held an older form of the change and was removed: cut it anew.

    Raises:
        Permanent: the branch holds somebody else's work, so it is not ours to use.
    """
    fork = await objects.fork_point(git, base, head)
    found = {change.path: change.after for change in await objects.diff(git, fork, head)} if fork else {}
    if found == {change.path: change.after for change in request.files}:
        return fork
    made = (await git.run("show", "--no-patch", "--format=%P%n%ae%n%ce", head)).text.splitlines()
    if made != [fork, IDENTITY[1], IDENTITY[1]]:
        raise Permanent(
            f"the branch {request.branch} exists in {git.directory} and holds another change: rename or delete it"
        )
    await git.run("update-ref", "-d", f"refs/heads/{request.branch}", head)
    return ""


async def merge(git: Git, pull: PullRequest, by: str, at: datetime) -> bool:
    """Merge the branch into its base; False when the base moved meanwhile and nothing was done.

    Raises:
        Conflict: both sides changed the same lines.
    """
    base = await objects.resolve(git, pull.base)
    if not await objects.fork_point(git, base, pull.head_commit):
        raise Conflict(
            f"{pull.base} was rewritten and has nothing in common with {pull.repository}#{pull.number} any more: "
            "close it and let kubernaut propose again from the present state"
        )
    answer = await git.run("merge-tree", "--write-tree", "--name-only", base, pull.head_commit, allow=(0, 1))
    tree, *rest = answer.text.splitlines()
    if answer.status == 1:
        conflicted = ", ".join(line for line in rest[: rest.index("")] if line) if "" in rest else ""
        raise Conflict(
            f"{pull.base} changed {conflicted or 'the same lines'} since {pull.repository}#{pull.number} was opened: "
            "close it and let kubernaut propose again from the present state"
        )
    who = " ".join(by.split()) or "unknown"
    agreed = "".join(f"Approved-by: {' '.join(name.split())}\n" for name in pull.approvals)
    message = f"Merge {pull.repository}#{pull.number}: {pull.title}\n\n{agreed}{_MERGED_BY}{who}\n"
    date = f"{int(at.timestamp())} +0000"
    merged = await git.run(
        "commit-tree", tree, "-p", base, "-p", pull.head_commit,
        stdin=message.encode(), environment={"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date},
    )  # fmt: skip
    moved = await git.run("update-ref", f"refs/heads/{pull.base}", merged.text, base, allow=(0, 1, 128))
    if moved.status == 0:
        return True
    if await objects.resolve(git, pull.base) == base:
        raise Temporary(f"{pull.base} of {pull.repository} could not be moved: {' '.join(moved.stderr.split())[:200]}")
    return False


async def merged_by(git: Git, commit_name: str) -> str:
    """Who merged: the trailer of our own merges, else the committer."""
    text = (await git.run("show", "--no-patch", "--format=%cn%n%B", commit_name)).text
    committer, *lines = text.splitlines()
    ours = [line.removeprefix(_MERGED_BY) for line in lines if line.startswith(_MERGED_BY)]
    return ours[-1] if ours and committer == IDENTITY[0] else committer


async def _modes(git: Git, request: ChangeRequest, parent: str) -> dict[str, str]:
    """Path → file mode in `parent`, after holding each file against the text that the change was made from."""
    if not request.files or all(change.before == change.after for change in request.files):
        raise BadInput("a pull request without a change", field="files")
    paths = [names.file(change.path) for change in request.files]
    if len(set(paths)) != len(paths):
        raise BadInput("a file is named twice", field="files")
    present = {blob.path: blob for blob in await objects.blobs(git, parent, paths)}
    modes = {}
    for change in request.files:
        blob = present.get(change.path)
        same = blob.sha == objects.object_name(change.before, parent) if blob else not change.before
        if not same:
            raise Conflict(f"{change.path} on {request.base} is not what the change was made from: read it again")
        modes[change.path] = blob.mode if blob else "100644"
    return modes


def _quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
