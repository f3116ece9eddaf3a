"""Why something is not in a repository, in a sentence that says what to do; asked only when it was looked for in vain."""

from .git import Git


async def no_head(git: Git) -> str:
    """HEAD leads to no commit: the repository is empty, or HEAD names a branch that nobody pushed."""
    named = (await git.run("symbolic-ref", "--short", "HEAD", allow=(0, 1, 128))).text
    answer = await git.run("for-each-ref", "--format=%(refname:short)", "--count=5", "refs/heads/")
    branches = answer.text.splitlines()
    if not branches:
        return f"{git.directory} has no commits yet: push a branch first"
    return (
        f"HEAD of {git.directory} names {named or 'nothing'}, which has no commits; it has {', '.join(branches)}: "
        f"`git symbolic-ref HEAD refs/heads/{branches[0]}` in it mends that"
    )


async def no_base(git: Git, base: str, head: str) -> str:
    """The base is no branch. Args: head: the branch that HEAD names."""
    asked = f"refs/tags/{base}^{{commit}}\n{base}^{{commit}}\n"
    lines = (await git.run("cat-file", "--batch-check", stdin=asked.encode())).text.splitlines()
    kinds = ("tag", "commit")
    what = next((kind for kind, line in zip(kinds, lines, strict=False) if " commit " in line), "")
    if what:
        return f"{base} is a {what} of {git.directory}, no branch: a pull request would not deploy until it is moved"
    if base == head:
        return f"no branch {base!r} in {git.directory}: {await no_head(git)}"
    return f"no branch {base!r} in {git.directory}"


async def no_folder(git: Git, commit: str, folder: str) -> str:
    """A folder without files: it is not there, or a part of its path is a link or a submodule."""
    parts = folder.split("/") if folder else []
    for at in range(1, len(parts) + 1):
        path = "/".join(parts[:at])
        answer = await git.run("ls-tree", "-z", "--full-tree", commit, "--", path)
        facts = answer.stdout.decode("utf-8", "replace").partition("\t")[0].split()
        if facts[:1] == ["120000"]:
            to = (await git.run("cat-file", "blob", facts[2])).text[:200]
            return f"{path!r} is a symbolic link to {to!r}, which is not followed: name the folder itself as the path"
        if facts[:1] == ["160000"]:
            return f"{path!r} is a submodule: its files are in another repository, name that one"
    return f"no folder {folder or '/'!r} with files in {git.directory} at {commit[:12]}"
