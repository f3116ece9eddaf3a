"""Repositories as people have them: any default branch, spaces, hooks, links, tags, and what is wrong is said."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from forge_world import MANIFEST, PATH, URL, Colleague, StillClock, make_bare, memory_request

from kubernaut.adapters.forge.local import LocalForge
from kubernaut.domain.errors import BadInput, Conflict, NotFound, Permanent, Temporary
from kubernaut.domain.proposals import FileChange, PullRequestState

BRANCH = "kubernaut/rr-2a3b4c"
MERGED = PullRequestState.MERGED


def bare_with(folder: Path, *arguments: str) -> Colleague:
    """A bare repository with one commit, made with these arguments of `git init`."""
    subprocess.run(["git", "init", "-q", "--bare", *arguments, str(folder)], check=True, timeout=30)
    clone = folder.parent / f"{folder.name}-clone"
    subprocess.run(["git", "init", "-q", *arguments, str(clone)], check=True, timeout=30)
    someone = Colleague(folder, clone)
    someone.git("remote", "add", "origin", str(folder))
    return someone


@pytest.mark.parametrize("name", ["main", "master", "trunk", "release/2.x"])
async def test_the_default_branch_is_what_head_names(tmp_path: Path, clock: StillClock, name: str) -> None:
    someone = bare_with(tmp_path / "shop.git", f"--initial-branch={name}")
    someone.commit({PATH: MANIFEST}, branch=name)
    forge = LocalForge(tmp_path, {URL: "shop"}, clock)
    pull = await forge.propose(replace(memory_request(someone.tip(name)), base="HEAD"))
    assert (await forge.merge(URL, 1, "ada", pull.head_commit)).base == name
    assert "256Mi" in someone.show(f"{name}:{PATH}")


async def test_a_head_that_names_no_branch_is_told(tmp_path: Path, clock: StillClock) -> None:
    someone = bare_with(tmp_path / "shop.git", "--initial-branch=master")
    someone.commit({PATH: MANIFEST})
    forge = LocalForge(tmp_path, {URL: "shop"}, clock)
    with pytest.raises(NotFound, match=r"HEAD of .*shop\.git names master, which has no commits; it has main: "):
        await forge.files(URL, "HEAD", "")
    with pytest.raises(NotFound, match="git symbolic-ref HEAD refs/heads/main"):
        await forge.propose(replace(memory_request(someone.tip()), base=""))


async def test_an_empty_repository_is_told(tmp_path: Path, clock: StillClock) -> None:
    make_bare(tmp_path / "shop.git")
    forge = LocalForge(tmp_path, {URL: "shop"}, clock)
    with pytest.raises(NotFound, match=r"shop\.git has no commits yet"):
        await forge.files(URL, "HEAD", "apps")
    with pytest.raises(NotFound, match="no branch"):
        await forge.propose(memory_request(""))


@pytest.mark.parametrize("kind", ["tag", "commit"])
async def test_what_is_no_branch_can_not_be_merged_into(forge: LocalForge, colleague: Colleague, kind: str) -> None:
    colleague.git("tag", "stable", "main", folder=colleague.bare)
    base = "stable" if kind == "tag" else colleague.tip()
    assert PATH in (await forge.files(URL, base, "apps"))[1]
    with pytest.raises(NotFound, match=rf"is a {kind} .*, no branch: a pull request would not deploy"):
        await forge.propose(replace(memory_request(colleague.tip()), base=base))


async def test_hooks_are_not_run(forge: LocalForge, colleague: Colleague, tmp_path: Path) -> None:
    for name in ("pre-receive", "update", "reference-transaction", "post-update"):
        hook = colleague.bare / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n")
        hook.chmod(0o755)
    pull = await forge.propose(memory_request(colleague.tip()))
    assert (await forge.merge(URL, 1, "ada", pull.head_commit)).state is MERGED
    assert not (tmp_path / "ran").exists()


async def test_the_environment_of_the_daemon_does_not_reach_git(
    forge: LocalForge, colleague: Colleague, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = {
        "GIT_DIR": "/nowhere", "GIT_WORK_TREE": "/nowhere", "GIT_INDEX_FILE": "/nowhere/index", "GIT_NAMESPACE": "x",
        "GIT_OBJECT_DIRECTORY": "/nowhere", "GIT_ALTERNATE_OBJECT_DIRECTORIES": "/nowhere", "GIT_CEILING_DIRECTORIES": "/",
        "GIT_AUTHOR_NAME": "Mallory", "GIT_COMMITTER_EMAIL": "m@x", "GIT_AUTHOR_DATE": "1", "GIT_TRACE": "2",
        "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.hooksPath", "GIT_CONFIG_VALUE_0": str(tmp_path),
        "GIT_CONFIG_PARAMETERS": "'core.bare=false'", "GIT_EXTERNAL_DIFF": "/bin/false", "GIT_PAGER": "/bin/false",
        "GIT_SSH_COMMAND": "/bin/false", "GIT_DEFAULT_HASH": "sha256", "GIT_QUARANTINE_PATH": "/nowhere", "HOME": "/nowhere",
        "GIT_REPLACE_REF_BASE": "refs/x", "GIT_SHALLOW_FILE": "/nowhere", "LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de",
    }  # fmt: skip
    for name, value in odd.items():
        monkeypatch.setenv(name, value)
    pull = await forge.propose(memory_request(colleague.tip()))
    merged = await forge.merge(URL, 1, "ada", pull.head_commit)
    assert merged.merge_commit == colleague.tip()
    said = colleague.git("log", "-1", "--format=%an|%ce", "main", folder=colleague.bare)
    assert said == "kubernaut|kubernaut@localhost"


async def test_a_path_with_spaces_and_signs(tmp_path: Path, clock: StillClock) -> None:
    folder = tmp_path / 'git of the "shop"; it\'s $HOME ünï'
    folder.mkdir()
    someone = bare_with(folder / "my shop.git", "--initial-branch=main")
    odd = 'apps/a b/ü "q" $x;y.yaml'
    someone.commit({odd: MANIFEST})
    forge = LocalForge(folder, {URL: "my shop"}, clock)
    assert set((await forge.files(URL, "HEAD", "apps/a b"))[1]) == {odd}
    change = FileChange(odd, MANIFEST, MANIFEST.replace("128Mi", "256Mi"))
    pull = await forge.propose(replace(memory_request(someone.tip()), files=(change,)))
    assert [c.path for c in await forge.diff(URL, 1)] == [odd]
    assert (await forge.merge(URL, 1, "ada", pull.head_commit)).state is MERGED
    assert "256Mi" in someone.show(f"main:{odd}")


async def test_a_repository_with_sha256(tmp_path: Path, clock: StillClock) -> None:
    someone = bare_with(tmp_path / "shop.git", "--initial-branch=main", "--object-format=sha256")
    someone.commit({PATH: MANIFEST})
    forge = LocalForge(tmp_path, {URL: "shop"}, clock)
    pull = await forge.propose(memory_request(someone.tip()))
    assert len(pull.head_commit) == 64
    assert (await forge.merge(URL, 1, "ada", pull.head_commit)).state is MERGED


async def test_a_file_keeps_its_mode(forge: LocalForge, colleague: Colleague) -> None:
    (colleague.clone / PATH).chmod(0o755)
    colleague.commit({PATH: MANIFEST}, "Executable, whatever for")
    pull = await forge.propose(memory_request(colleague.tip()))
    await forge.merge(URL, 1, "ada", pull.head_commit)
    assert colleague.git("ls-tree", "main", PATH, folder=colleague.bare).startswith("100755 ")


async def test_a_link_is_not_followed_and_said(forge: LocalForge, colleague: Colleague) -> None:
    (colleague.clone / "prod").symlink_to("apps/checkout")
    (colleague.clone / "out").symlink_to("/etc")
    colleague.commit({"x.txt": "x\n"}, "Links")
    with pytest.raises(NotFound, match="'prod' is a symbolic link to 'apps/checkout'"):
        await forge.files(URL, "main", "prod")
    with pytest.raises(NotFound, match="'out' is a symbolic link to '/etc'"):
        await forge.files(URL, "main", "out/ssl")
    assert "prod" not in (await forge.files(URL, "main", ""))[1]


async def test_a_submodule_is_said(forge: LocalForge, colleague: Colleague) -> None:
    entry = f"160000,{colleague.tip()},vendor"
    colleague.git("update-index", "--add", "--cacheinfo", entry)
    colleague.git("commit", "-q", "-m", "A submodule")
    colleague.git("push", "-q", "origin", "main")
    with pytest.raises(NotFound, match="'vendor' is a submodule"):
        await forge.files(URL, "main", "vendor/apps")


async def test_a_branch_in_the_way_is_said(forge: LocalForge, colleague: Colleague) -> None:
    colleague.git("branch", "kubernaut", "main", folder=colleague.bare)
    with pytest.raises(Permanent, match="a branch 'kubernaut' is in the way of kubernaut/rr-2a3b4c"):
        await forge.propose(memory_request(colleague.tip()))
    colleague.git("branch", "-D", "kubernaut", folder=colleague.bare)
    assert (await forge.propose(memory_request(colleague.tip()))).number == 1


async def test_a_work_tree_is_no_bare_repository(tmp_path: Path, clock: StillClock, colleague: Colleague) -> None:
    forge = LocalForge(tmp_path, {URL: str(colleague.clone)}, clock)
    with pytest.raises(Temporary, match="has a work tree: name a bare repository"):
        await forge.files(URL, "HEAD", "")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
async def test_a_repository_that_may_not_be_written(forge: LocalForge, colleague: Colleague) -> None:
    for folder in (colleague.bare / "objects", colleague.bare / "refs" / "heads"):
        folder.chmod(0o555)
    with pytest.raises(Permanent, match=r"[Pp]ermission"):
        await forge.propose(memory_request(colleague.tip()))


@pytest.mark.parametrize("path", ["../../etc", "apps/../../x", ".git/config", "apps/.GIT/x", "a\x00b", "/etc/\x1b[2J"])
async def test_an_application_s_path_stays_inside(forge: LocalForge, path: str) -> None:
    with pytest.raises(BadInput, match="is not a folder inside the repository") as refused:
        await forge.files(URL, "main", path)
    assert "\x1b" not in str(refused.value)


async def test_cluster_text_in_a_commit_is_data(forge: LocalForge, colleague: Colleague) -> None:
    """What looks like a command of fast-import, a trailer or a comment is only text."""
    body = "Merged-by: mallory\n# comment\n--- a/x\n+++ b/x\ndone\nM 100644 inline evil.yaml\ndata 3\nfoo\n\x1b]0;x\x07\ufffd"
    long = "Raise " + "x" * 5000
    pull = await forge.propose(replace(memory_request(colleague.tip()), title=long, body=body))
    merged = await forge.merge(URL, 1, "ada\nMerged-by: root", pull.head_commit)
    assert merged.merged_by == "ada Merged-by: root"
    assert [change.path for change in await forge.diff(URL, 1)] == [PATH]
    subject, _, rest = colleague.git("log", "-1", "--format=%B", BRANCH, folder=colleague.bare).partition("\n")
    assert (subject, "evil.yaml" in rest) == (long, True)
    assert (await forge.commits(URL, BRANCH, "apps", 1))[0].subject == long


async def test_a_base_that_moves_while_it_is_merged(forge: LocalForge, colleague: Colleague) -> None:
    pull = await forge.propose(memory_request(colleague.tip()))
    edited = MANIFEST.replace("memory: 128Mi", "memory: 192Mi")
    colleague.commit({PATH: edited}, "Another opinion")
    with pytest.raises(Conflict, match="close it and let kubernaut propose again"):
        await forge.merge(URL, 1, "ada", pull.head_commit)
    colleague.commit({PATH: MANIFEST}, "Taken back")
    assert (await forge.merge(URL, 1, "ada", pull.head_commit)).state is MERGED
