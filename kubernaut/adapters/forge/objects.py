"""Reading a bare repository: refs, trees, texts, history. Nothing here writes."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from kubernaut.domain.errors import NotFound, Permanent
from kubernaut.domain.facts import Commit
from kubernaut.domain.proposals import FileChange

from . import names, reasons
from .git import Git

FILE_LIMIT_BYTES = 1024 * 1024
"""Larger files are no manifests; they are skipped."""

TOTAL_LIMIT_BYTES = 64 * 1024 * 1024
FILES_LIMIT = 20_000
_DIFF_LIMIT_CHARS = 64 * 1024
_REGULAR = ("100644", "100755")


@dataclass(frozen=True, slots=True)
class Blob:
    """A regular file in a tree."""

    path: str
    mode: str
    sha: str
    size_bytes: int


async def heads(git: Git) -> dict[str, str]:
    """Branch → the commit that it points to."""
    answer = await git.run("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads/")
    pairs = (line.split(" ", 1) for line in answer.text.splitlines())
    return {name.removeprefix("refs/heads/"): sha for sha, name in pairs}


async def default_branch(git: Git) -> str:
    """The branch that HEAD names, whether it has commits or not."""
    return (await git.run("symbolic-ref", "--short", "HEAD")).text


async def resolve(git: Git, revision: str) -> str:
    """The commit that a branch, tag or full or short object name stands for; HEAD and the empty name are the default.

    Raises:
        NotFound: nothing has this name.
    """
    if revision in ("", "HEAD"):
        asked = ["HEAD"]
    else:
        name = names.revision(revision).removeprefix("refs/heads/").removeprefix("refs/tags/")
        asked = [f"refs/heads/{name}", f"refs/tags/{name}"]
        asked += [name] if 7 <= len(name) <= 64 and not set(name) - set("0123456789abcdef") else []
    answer = await git.run("cat-file", "--batch-check", stdin="".join(f"{a}^{{commit}}\n" for a in asked).encode())
    for line in answer.text.splitlines():
        sha, _, kind = line.partition(" ")
        if kind.startswith("commit "):
            return sha
    if revision in ("", "HEAD"):
        raise NotFound(await reasons.no_head(git))
    raise NotFound(f"no branch, tag or commit {revision!r} in {git.directory}")


async def blobs(git: Git, commit: str, paths: Sequence[str] = (), *, recursive: bool = True) -> list[Blob]:
    """Regular files of a commit, below `paths` or everywhere; symbolic links and submodules are not among them.

    Raises:
        Permanent: the repository lacks one of them.
    """
    options = ["-r"] if recursive else []
    answer = await git.run("ls-tree", "-z", "-l", "--full-tree", *options, commit, "--", *paths)
    found = []
    for entry in answer.stdout.split(b"\0"):
        if not entry:
            continue
        facts, _, path = entry.partition(b"\t")
        mode, kind, sha, size = facts.decode().split()
        if kind != "blob" or mode not in _REGULAR:
            continue
        if not size.isdecimal():  # git says BAD
            raise _lacking(git, sha)
        if int(size) <= FILE_LIMIT_BYTES:
            found.append(Blob(path.decode("utf-8", "surrogateescape"), mode, sha, int(size)))
    return found


async def texts(git: Git, shas: Iterable[str]) -> dict[str, str]:
    """Blob → its text; blobs that aren't UTF-8 text are left out. Raises Permanent when the repository lacks one."""
    wanted = list(dict.fromkeys(shas))
    if not wanted:
        return {}
    data = (await git.run("cat-file", "--batch", "--buffer", stdin="".join(f"{s}\n" for s in wanted).encode())).stdout
    found: dict[str, str] = {}
    at = 0
    for sha in wanted:
        end = data.index(b"\n", at)
        _, kind, *sizes = data[at:end].split()
        if kind != b"blob":
            raise _lacking(git, sha)
        size = int(sizes[0])
        body = data[end + 1 : end + 1 + size]
        at = end + 2 + size
        text = as_text(body)
        if text is not None:
            found[sha] = text
    return found


def _lacking(git: Git, sha: str) -> Permanent:
    return Permanent(f"{git.directory} lacks {sha[:12]}: it is damaged, or a partial clone, and has to be a whole one")


def as_text(body: bytes) -> str | None:
    """The text of a file, or None when it is binary."""
    if b"\0" in body[:8000]:
        return None
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return None


async def files(git: Git, commit: str, path: str) -> dict[str, str]:
    """Path → text of all text files below a folder, or of one file.

    Raises:
        NotFound: the folder doesn't exist in this commit.
        Permanent: it holds too much to be a folder of manifests.
    """
    folder = names.folder(path)
    listed = await blobs(git, commit, (folder,) if folder else ())
    if not listed:
        raise NotFound(await reasons.no_folder(git, commit, folder))
    if len(listed) > FILES_LIMIT:
        raise Permanent(f"{folder or '/'} holds {len(listed)} files, more than {FILES_LIMIT}: name a smaller folder")
    if sum(blob.size_bytes for blob in listed) > TOTAL_LIMIT_BYTES:
        raise Permanent(f"{folder or '/'} holds more than {TOTAL_LIMIT_BYTES} bytes: name a smaller folder")
    found = await texts(git, (blob.sha for blob in listed))
    return {blob.path: found[blob.sha] for blob in listed if blob.sha in found and _is_plain(blob.path)}


def _is_plain(path: str) -> bool:
    return not any(ord(char) < 32 or 0xD800 <= ord(char) < 0xE000 for char in path)


async def commits(git: Git, commit: str, path: str, limit: int) -> list[Commit]:
    """The newest commits that touched a folder, newest first, each with its unified diff (cut at 64 Ki characters).

    One whose date is in no calendar is left out.
    """
    folder = names.folder(path)
    answer = await git.run(
        "log", f"--max-count={limit}", "--format=%x01%H%x00%cI%x00%an%x00%s%x00", "--patch", "--no-color",
        "--no-ext-diff", "--no-textconv", "--no-renames", "--no-notes", "--diff-merges=first-parent",
        commit, "--", *((folder,) if folder else ()),
    )  # fmt: skip
    found = []
    for entry in answer.stdout.decode("utf-8", "replace").removeprefix("\x01").split("\n\x01"):
        if entry.count("\0") >= 4:
            sha, at, author, subject, diff = entry.split("\0", 4)
            try:
                when = datetime.fromisoformat(at).astimezone(UTC)
            except (ValueError, OverflowError):
                continue
            found.append(Commit(sha, when, author, subject, diff.strip("\n")[:_DIFF_LIMIT_CHARS]))
    return found


async def contains(git: Git, revision: str, commit: str) -> bool:
    """Whether `commit` is `revision` or an ancestor of it. Both are object names."""
    if revision == commit:
        return True
    return (await git.run("merge-base", "--is-ancestor", commit, revision, allow=(0, 1))).status == 0


async def fork_point(git: Git, one: str, other: str) -> str:
    """The newest commit that both contain; empty when they share none."""
    return (await git.run("merge-base", one, other, allow=(0, 1))).text


async def landed(git: Git, head: str, tip: str) -> str:
    """The first commit on the first-parent line of `tip` that contains `head`: the merge, or `head` after fast-forward."""
    answer = await git.run("rev-list", "--ancestry-path", "--parents", f"{head}..{tip}")
    first_parent = {}
    for line in answer.text.splitlines():
        sha, *parents = line.split()
        first_parent[sha] = parents[0] if parents else ""
    at = tip
    while first_parent.get(at) in first_parent or first_parent.get(at) == head:
        at = first_parent[at]
    return at


async def diff(git: Git, before: str, after: str) -> list[FileChange]:
    """The text files that differ between two commits."""
    answer = await git.run("diff-tree", "-r", "-z", "--no-renames", before, after)
    parts = answer.stdout.split(b"\0")
    changed = []
    for facts, path in zip(parts[0::2], parts[1::2], strict=False):
        modes_and_shas = facts.decode().removeprefix(":").split()
        changed.append((path.decode("utf-8", "replace"), modes_and_shas[2], modes_and_shas[3]))
    found = await texts(git, (sha for _, old, new in changed for sha in (old, new) if sha.strip("0")))
    pairs = ((path, found.get(old, ""), found.get(new, "")) for path, old, new in changed)
    return [FileChange(path, old, new, first_difference(old, new)) for path, old, new in pairs]


def first_difference(before: str, after: str) -> int:
    """The first line, counted from 1, that differs."""
    old, new = before.splitlines(), after.splitlines()
    same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    return same + 1


def object_name(text: str, like: str) -> str:
    """The name that git gives a text as a blob, in the hash of `like`."""
    body = text.encode()
    digest = hashlib.sha256 if len(like) == 64 else hashlib.sha1
    return digest(b"blob %d\0" % len(body) + body, usedforsecurity=False).hexdigest()
