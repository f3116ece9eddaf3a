"""Colleagues push, merge, delete and rewrite with plain git, and the forge sees what they did."""

import asyncio
import contextlib
from pathlib import Path

import pytest
from forge_world import MANIFEST, PATH, URL, Colleague, StillClock, make_bare, memory_request

from kubernaut.adapters.forge.local import LocalForge
from kubernaut.domain.errors import BadInput, Conflict, NotFound, Refused, Temporary
from kubernaut.domain.proposals import FileChange, PullRequestState

BRANCH = "kubernaut/rr-2a3b4c"


async def test_a_merge_pushed_by_hand_is_noticed(forge: LocalForge, colleague: Colleague) -> None:
    await forge.propose(memory_request(colleague.tip()))
    colleague.commit({"other.txt": "x\n"}, "Elsewhere")
    colleague.git("fetch", "-q")
    colleague.git("merge", "-q", "--no-ff", "-m", "By hand", f"origin/{BRANCH}")
    merge = colleague.git("rev-parse", "HEAD")
    colleague.git("push", "-q", "origin", "main")
    colleague.commit({"later.txt": "x\n"}, "Later")
    pull = await forge.pull_request(URL, 1)
    assert (pull.state, pull.merge_commit, pull.merged_by) == (PullRequestState.MERGED, merge, "Ada")
    assert [change.path for change in await forge.diff(URL, 1)] == [PATH]


async def test_a_fast_forward_is_a_merge_too(forge: LocalForge, colleague: Colleague) -> None:
    pull = await forge.propose(memory_request(colleague.tip()))
    colleague.git("fetch", "-q")
    colleague.git("push", "-q", "origin", f"origin/{BRANCH}:main")
    seen = await forge.pull_request(URL, 1)
    assert (seen.state, seen.merge_commit) == (PullRequestState.MERGED, pull.head_commit)


async def test_a_deleted_branch_is_a_closed_pull_request(forge: LocalForge, colleague: Colleague) -> None:
    await forge.propose(memory_request(colleague.tip()))
    colleague.git("push", "-q", "origin", "--delete", BRANCH)
    assert (await forge.pull_request(URL, 1)).state is PullRequestState.CLOSED


async def test_somebody_else_s_commit_on_the_branch_needs_a_new_look(forge: LocalForge, colleague: Colleague) -> None:
    pull = await forge.propose(memory_request(colleague.tip()))
    head = colleague.commit({"extra.txt": "x\n"}, branch=BRANCH)
    with pytest.raises(Conflict, match="look at the new diff"):
        await forge.merge(URL, 1, "ada", pull.head_commit)
    assert (await forge.pull_request(URL, 1)).head_commit == head
    assert (await forge.merge(URL, 1, "ada", head)).state is PullRequestState.MERGED


async def test_the_base_may_move_elsewhere_but_not_on_the_same_line(forge: LocalForge, colleague: Colleague) -> None:
    one = await forge.propose(memory_request(colleague.tip()))
    two = await forge.propose(memory_request(colleague.tip(), branch="kubernaut/rr-zzzzzz", to="512Mi"))
    colleague.commit({"other.txt": "x\n"}, "Elsewhere")
    assert (await forge.merge(URL, one.number, "ada", one.head_commit)).state is PullRequestState.MERGED
    before = colleague.tip()
    with pytest.raises(Conflict, match=f"main changed {PATH} since shop#2"):
        await forge.merge(URL, two.number, "ada", two.head_commit)
    assert colleague.tip() == before


async def test_a_change_made_from_an_old_text_is_refused(forge: LocalForge, colleague: Colleague) -> None:
    request = memory_request(colleague.tip())
    colleague.commit({PATH: MANIFEST.replace("replicas: 3", "replicas: 4")})
    with pytest.raises(Conflict, match="not what the change was made from"):
        await forge.propose(request)
    assert BRANCH not in await forge.heads(URL)


async def test_ten_proposals_at_once_on_one_repository(forge: LocalForge, colleague: Colleague) -> None:
    start = colleague.tip()
    requests = [
        memory_request(start, branch=f"kubernaut/rr-aaaaa{c}", to=f"{i}Gi") for i, c in enumerate("bcdefghijk", 1)
    ]
    pulls = await asyncio.gather(*(forge.propose(request) for request in requests for _ in range(2)))
    assert sorted({pull.number for pull in pulls}) == list(range(1, 11))
    heads = await forge.heads(URL)
    assert {pull.branch: pull.head_commit for pull in pulls} == {b: s for b, s in heads.items() if b != "main"}
    merged = await asyncio.gather(
        *(forge.merge(URL, 1, f"person-{n}", pulls[0].head_commit) for n in range(5)), return_exceptions=True
    )
    assert {getattr(pull, "merge_commit", pull) for pull in merged} == {colleague.tip()}


async def test_two_forges_on_one_root_never_share_a_number(
    root: Path, forge: LocalForge, colleague: Colleague, clock: StillClock
) -> None:
    other = LocalForge(root, {URL: "shop"}, clock)
    start = colleague.tip()
    requests = [memory_request(start, branch=f"kubernaut/rr-aaaaa{c}", to=f"{i}Gi") for i, c in enumerate("bcdefg", 1)]
    pulls = await asyncio.gather(*((forge, other)[i % 2].propose(r) for i, r in enumerate(requests)))
    assert sorted(pull.number for pull in pulls) == [1, 2, 3, 4, 5, 6]
    assert len(await forge.pull_requests()) == 6


async def test_a_closed_pull_request_can_not_be_merged(forge: LocalForge, colleague: Colleague) -> None:
    pull = await forge.propose(memory_request(colleague.tip()))
    assert (await forge.close(URL, 1, "ada")).state is PullRequestState.CLOSED
    assert (await forge.close(URL, 1, "ada")).state is PullRequestState.CLOSED
    with pytest.raises(Refused, match="closed"):
        await forge.merge(URL, 1, "ada", pull.head_commit)
    assert await forge.propose(memory_request(colleague.tip())) == await forge.pull_request(URL, 1)


async def test_files_leave_out_what_is_no_manifest(forge: LocalForge, colleague: Colleague) -> None:
    (colleague.clone / "apps" / "link.yaml").symlink_to("/etc/passwd")
    (colleague.clone / "apps" / "logo.png").write_bytes(b"\x89PNG\0\0")
    (colleague.clone / "apps" / "huge.yaml").write_text("x" * (1024 * 1024 + 1))
    commit = colleague.commit({"apps/ünï.yaml": "a: ü\n"})
    assert await forge.files(URL, "HEAD", "apps/") == (commit, {PATH: MANIFEST, "apps/ünï.yaml": "a: ü\n"})
    assert set((await forge.files(URL, "main", ""))[1]) == {PATH, "README.md", "apps/ünï.yaml"}
    assert (await forge.files(URL, commit, PATH))[1] == {PATH: MANIFEST}


async def test_commits_come_newest_first_with_their_diffs(forge: LocalForge, colleague: Colleague) -> None:
    colleague.commit({"README.md": "# Other\n"}, "Elsewhere")
    sha = colleague.commit({PATH: MANIFEST.replace("128Mi", "64Mi")}, "Shrink checkout")
    found = await forge.commits(URL, "main", "apps/checkout")
    assert [(c.subject, c.author) for c in found] == [("Shrink checkout", "Ada"), ("Start the shop", "Ada")]
    assert found[0].sha == sha
    assert "-              memory: 128Mi # measured in May\n+              memory: 64Mi" in found[0].diff


@pytest.mark.parametrize("path", ["../secrets", "apps/../../etc", "apps/.git/x", "a\nb"])
async def test_a_path_that_leaves_the_repository_is_refused(path: str, forge: LocalForge, colleague: Colleague) -> None:
    with pytest.raises(BadInput):
        await forge.files(URL, "main", path)
    request = memory_request(colleague.tip())
    bad = FileChange(path, "", "x\n")
    with pytest.raises(BadInput):
        await forge.propose(type(request)(URL, "main", BRANCH, "", (bad,), "t", "b"))
    assert BRANCH not in await forge.heads(URL)


@pytest.mark.parametrize("revision", ["main~1", "--upload-pack=x", "a..b", "main:README.md", "nothing", "@{-1}"])
async def test_a_revision_is_a_name(revision: str, forge: LocalForge) -> None:
    with pytest.raises((BadInput, NotFound)):
        await forge.files(URL, revision, "")


@pytest.mark.parametrize(
    "spelling",
    [
        "git://127.0.0.1/shop",
        "git@127.0.0.1:shop.git",
        "ssh://git@127.0.0.1/shop/",
        "https://127.0.0.1:443/shop.git",
        URL,
    ],
)
def test_spellings_of_one_repository(spelling: str, forge: LocalForge) -> None:
    assert forge.serves(spelling)
    assert not forge.serves("https://127.0.0.1/shop-infra")
    assert not forge.serves("https://127.0.0.1:8443/shop")


async def test_a_missing_repository_says_what_to_do(tmp_path: Path, clock: StillClock) -> None:
    forge = LocalForge(tmp_path, {URL: "gone"}, clock)
    with pytest.raises(Temporary, match="git init --bare"):
        await forge.heads(URL)
    make_bare(tmp_path / "gone.git")
    with pytest.raises(NotFound, match="has no commits yet"):
        await forge.files(URL, "HEAD", "")
    with pytest.raises(NotFound, match=r"forge\.repositories"):
        await forge.files("https://elsewhere/x", "HEAD", "")


async def test_every_push_is_seen_however_fast_it_follows(forge: LocalForge, colleague: Colleague) -> None:
    await forge.heads(URL)
    for n in range(5):
        commit = colleague.commit({"n.txt": f"{n}\n"})
        assert (await forge.heads(URL))["main"] == commit
        assert (await forge.heads(URL))["main"] == commit
    await asyncio.sleep(0.15)
    settled = [await forge.heads(URL) for _ in range(3)]
    colleague.git("update-ref", "refs/heads/new", "main", folder=colleague.bare)
    assert set(await forge.heads(URL)) == {*settled[0], "new"}
    await asyncio.sleep(0.15)
    await forge.heads(URL)
    colleague.git("pack-refs", "--all", folder=colleague.bare)
    assert set(await forge.heads(URL)) == {*settled[0], "new"}
    colleague.git("branch", "-q", "-D", "new", folder=colleague.bare)
    assert await forge.heads(URL) == settled[0]


async def test_a_cancelled_call_ends_its_git(forge: LocalForge, colleague: Colleague) -> None:
    request = memory_request(colleague.tip())
    for delay_ms in (1, 5, 10, 20, 30):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay_ms / 1000):
                await forge.propose(request)
    pull = await forge.propose(request)
    assert (await forge.merge(URL, pull.number, "ada", pull.head_commit)).state is PullRequestState.MERGED
    assert len(await forge.pull_requests()) == 1
