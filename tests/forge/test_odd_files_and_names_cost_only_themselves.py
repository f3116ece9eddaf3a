"""What lies beside the records, a broken record, an odd name, a commit from nowhere: told, and nothing else stops for it."""

import subprocess
import tracemalloc
from pathlib import Path

import pytest
from forge_world import PATH, URL, Colleague, StillClock, make_bare, memory_request

from kubernaut.adapters.forge.git import Git
from kubernaut.adapters.forge.local import LocalForge
from kubernaut.domain.errors import BadInput, KubernautError, Permanent, Temporary

OTHER = "git://127.0.0.1:9418/other.git"


@pytest.mark.parametrize("name", ["2-old.json", "3 (copy).json", "1e3.json"])
async def test_a_copy_beside_the_records_is_no_record(
    forge: LocalForge, root: Path, colleague: Colleague, name: str
) -> None:
    pull = await forge.propose(memory_request(colleague.tip()))
    records = root / "pulls" / "shop"
    (records / name).write_bytes((records / "1.json").read_bytes())
    assert [p.number for p in await forge.pull_requests()] == [pull.number]
    second = await forge.propose(memory_request(colleague.tip(), branch="kubernaut/rr-222222"))
    assert second.number == 2


async def test_a_broken_record_stops_its_own_repository_alone_and_is_named(
    root: Path, colleague: Colleague, clock: StillClock
) -> None:
    make_bare(root / "other.git")
    forge = LocalForge(root, {URL: "shop", OTHER: "other"}, clock)
    await forge.propose(memory_request(colleague.tip()))
    (root / "pulls" / "other").mkdir()
    (root / "pulls" / "other" / "1.json").write_text("{half")
    assert [p.repository for p in await forge.pull_requests()] == ["shop"]
    with pytest.raises(Temporary, match=r"other/1\.json is not a pull request of this forge.*move it"):
        await forge.of_branch(OTHER, "kubernaut/rr-2a3b4c")


@pytest.mark.parametrize("url", ["https://[::1", "https://[x]/shop", "http://[", "ssh://git@[fe80::1/shop.git"])
def test_what_is_no_url_is_served_by_nobody(forge: LocalForge, url: str) -> None:
    assert not forge.serves(url)


@pytest.mark.parametrize("revision", ["main\n", "v1\nmain"])
async def test_a_line_break_is_no_part_of_a_revision(forge: LocalForge, revision: str) -> None:
    with pytest.raises(BadInput, match="is no branch, tag or commit"):
        await forge.files(URL, revision, "")


def test_two_repositories_for_one_url_are_refused(tmp_path: Path, clock: StillClock) -> None:
    with pytest.raises(BadInput, match=r"git\.example/org/shop is there twice, in two spellings"):
        LocalForge(tmp_path, {"git@git.example:org/shop.git": "a", "https://git.example/org/shop": "b"}, clock)


async def test_a_repository_that_is_a_file_is_told(tmp_path: Path, clock: StillClock) -> None:
    (tmp_path / "shop.git").write_text("no folder")
    forge = LocalForge(tmp_path, {URL: "shop"}, clock)
    with pytest.raises(KubernautError, match=r"no Git repository in .*shop\.git"):
        await forge.heads(URL)


def _written(colleague: Colleague, commit: str) -> str:
    """A commit as it is, whatever git thinks of it."""
    command = ["git", "hash-object", "-t", "commit", "-w", "--literally", "--stdin"]
    return subprocess.run(
        command, cwd=colleague.bare, input=commit, capture_output=True, text=True, check=True, timeout=30
    ).stdout.strip()


async def test_a_commit_with_a_date_that_no_calendar_has_is_left_out(forge: LocalForge, colleague: Colleague) -> None:
    parent = colleague.tip()
    tree = colleague.git("rev-parse", "main:", folder=colleague.bare)
    text = f"tree {tree}\nparent {parent}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1700000000 +9999\n\nodd\n"
    made = _written(colleague, text)
    colleague.git("update-ref", "refs/heads/main", made, folder=colleague.bare)
    assert [c.subject for c in await forge.commits(URL, "main", "")] == ["Start the shop"]


async def test_a_partial_clone_says_that_it_is_one(root: Path, colleague: Colleague, clock: StillClock) -> None:
    blob = colleague.git("rev-parse", f"main:{PATH}", folder=colleague.bare)
    (colleague.bare / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(Permanent, match=rf"lacks {blob[:12]}.*partial clone"):
        await LocalForge(root, {URL: "shop"}, clock).files(URL, "main", "apps")


async def test_too_much_is_refused_before_it_is_read(forge: LocalForge, colleague: Colleague) -> None:
    """What is counted after reading it all has filled the memory by then."""
    one = "x" * (1024 * 1024 - 8)
    colleague.commit({f"big/{n}.yaml": f"{one}{n:06}" for n in range(70)})
    with pytest.raises(Permanent, match="more than 67108864 bytes: name a smaller folder"):
        await forge.files(URL, "main", "big")


async def test_git_that_prints_without_end_is_ended_and_its_words_are_not_kept(
    root: Path, colleague: Colleague
) -> None:
    colleague.commit({"huge.txt": "x" * 64 * 1024 * 1024})
    tracemalloc.start()
    try:
        with pytest.raises(Permanent, match="printed more than 1000000 bytes"):
            await Git(root / "shop.git", limit_bytes=1_000_000).run("cat-file", "blob", "main:huge.txt")
        assert tracemalloc.get_traced_memory()[1] < 16 * 1024 * 1024
    finally:
        tracemalloc.stop()


async def test_a_folder_of_records_that_can_not_be_used_is_told(
    root: Path, colleague: Colleague, forge: LocalForge
) -> None:
    (root / "pulls").write_text("a file stands in the way")
    with pytest.raises(Temporary, match=r"pulls/shop can't be used: Not a directory; .* look at its disk"):
        await forge.propose(memory_request(colleague.tip()))


async def test_large_folders_of_many_commits_are_not_all_kept_in_memory(
    forge: LocalForge, colleague: Colleague
) -> None:
    colleague.commit({f"big/{n}.yaml": f"{n:02}" + "x" * (1024 * 1024 - 2) for n in range(30)})
    tracemalloc.start()
    try:
        for number in range(5):
            commit = colleague.commit({"big/new.yaml": f"a: {number}\n"})
            found, files = await forge.files(URL, "main", "big")
            assert (found, files["big/new.yaml"]) == (commit, f"a: {number}\n")
            del files
        assert tracemalloc.get_traced_memory()[0] < 100 * 1024 * 1024
    finally:
        tracemalloc.stop()
