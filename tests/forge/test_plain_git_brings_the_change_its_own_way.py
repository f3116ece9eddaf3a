"""People squash, rebase and cherry-pick in a clone; that the change has landed is seen from the base alone."""

import asyncio
from dataclasses import replace

import pytest
from forge_world import MANIFEST, PATH, URL, Colleague, StillClock, memory_request

from kubernaut.adapters.forge.local import LocalForge
from kubernaut.domain.errors import Conflict
from kubernaut.domain.proposals import FileChange, PullRequest, PullRequestState

BRANCH = "kubernaut/rr-2a3b4c"
MERGED, OPEN, CLOSED = PullRequestState.MERGED, PullRequestState.OPEN, PullRequestState.CLOSED


@pytest.fixture
async def pull(forge: LocalForge, colleague: Colleague) -> PullRequest:
    return await forge.propose(memory_request(colleague.tip()))


def on_main(colleague: Colleague) -> None:
    colleague.git("fetch", "-q", "--prune")
    colleague.git("checkout", "-q", "-B", "main", "origin/main")


def squash(colleague: Colleague, message: str = "Raise the limit (#1)", **more: str) -> str:
    """As people do it: one commit on main, with other work in it if wanted."""
    on_main(colleague)
    colleague.git("merge", "-q", "--squash", f"origin/{BRANCH}")
    for path, text in more.items():
        (colleague.clone / path).write_text(text)
    colleague.git("add", "-A")
    colleague.git("commit", "-q", "-m", message)
    colleague.git("push", "-q", "origin", "main")
    return colleague.git("rev-parse", "HEAD")


def drop(colleague: Colleague) -> None:
    colleague.git("push", "-q", "origin", "--delete", BRANCH)


async def seen(forge: LocalForge) -> tuple[PullRequestState, str]:
    pull = await forge.pull_request(URL, 1)
    return pull.state, pull.merge_commit


async def test_a_squash_is_a_merge(forge: LocalForge, colleague: Colleague, pull: PullRequest) -> None:
    commit = squash(colleague)
    colleague.commit({"later.txt": "x\n"}, "Later")
    assert await seen(forge) == (MERGED, commit)
    found = await forge.pull_request(URL, 1)
    assert found.merged_by == "Ada"
    assert await forge.contains(URL, "main", found.merge_commit)
    assert [change.after for change in await forge.diff(URL, 1)] == [MANIFEST.replace("128Mi", "256Mi")]


async def test_a_squash_with_other_work_in_it_and_the_branch_gone(
    forge: LocalForge, colleague: Colleague, pull: PullRequest
) -> None:
    commit = squash(colleague, **{"README.md": "# More\n"})
    drop(colleague)
    colleague.git("gc", "-q", "--prune=now", folder=colleague.bare)
    assert await seen(forge) == (MERGED, commit)
    assert [change.path for change in await forge.diff(URL, 1)] == [PATH]


async def test_a_cherry_pick_onto_a_moved_base(forge: LocalForge, colleague: Colleague, pull: PullRequest) -> None:
    colleague.commit({PATH: MANIFEST.replace("replicas: 3", "replicas: 5")}, "More of it")
    colleague.git("fetch", "-q")
    colleague.git("cherry-pick", f"origin/{BRANCH}")
    colleague.git("push", "-q", "origin", "main")
    drop(colleague)
    assert await seen(forge) == (MERGED, colleague.tip())


async def test_a_rebase_of_several_commits(forge: LocalForge, colleague: Colleague, pull: PullRequest) -> None:
    colleague.commit({"notes.txt": "one\n"}, "Notes", branch=BRANCH)
    assert (await seen(forge))[0] is OPEN
    colleague.commit({"other.txt": "x\n"}, "Elsewhere")
    colleague.git("checkout", "-q", "-B", "rebased", f"origin/{BRANCH}")
    colleague.git("rebase", "-q", "origin/main")
    colleague.git("push", "-q", "origin", "rebased:main")
    drop(colleague)
    assert await seen(forge) == (MERGED, colleague.tip())


async def test_a_branch_rebased_before_its_merge(forge: LocalForge, colleague: Colleague, pull: PullRequest) -> None:
    colleague.commit({"other.txt": "x\n"}, "Elsewhere")
    colleague.git("checkout", "-q", "-B", BRANCH, f"origin/{BRANCH}")
    colleague.git("rebase", "-q", "origin/main")
    colleague.git("push", "-q", "--force", "origin", BRANCH)
    assert (await forge.pull_request(URL, 1)).head_commit == colleague.tip(BRANCH)
    colleague.git("push", "-q", "origin", f"{BRANCH}:main")
    assert await seen(forge) == (MERGED, colleague.tip())


async def test_the_same_edit_by_hand_is_the_change_too(
    forge: LocalForge, colleague: Colleague, pull: PullRequest
) -> None:
    edited = MANIFEST.replace("128Mi", "256Mi").replace("replicas: 3", "replicas: 4")
    commit = colleague.commit({PATH: edited}, "Both at once")
    colleague.commit({"later.txt": "x\n"}, "Later")
    assert await seen(forge) == (MERGED, commit)


async def test_landed_and_changed_again_before_anybody_looked(
    forge: LocalForge, colleague: Colleague, pull: PullRequest
) -> None:
    commit = squash(colleague)
    colleague.commit({PATH: MANIFEST.replace("128Mi", "512Mi")}, "Even more")
    assert await seen(forge) == (MERGED, commit)


async def test_another_value_on_the_same_line_is_no_merge(
    forge: LocalForge, colleague: Colleague, pull: PullRequest
) -> None:
    colleague.commit({PATH: MANIFEST.replace("128Mi", "512Mi")}, "Something else")
    assert (await seen(forge))[0] is OPEN
    drop(colleague)
    assert (await seen(forge))[0] is CLOSED


async def test_the_same_lines_in_another_file_are_no_merge(
    forge: LocalForge, colleague: Colleague, pull: PullRequest
) -> None:
    other = "apps/other/deployment.yaml"
    colleague.commit({other: MANIFEST}, "A twin")
    colleague.commit({other: MANIFEST.replace("128Mi", "256Mi")}, "The twin's limit")
    assert (await seen(forge))[0] is OPEN


async def test_half_of_a_change_is_no_merge(forge: LocalForge, colleague: Colleague) -> None:
    colleague.commit({"b.yaml": "limit: 1\n"}, "Second file")
    request = memory_request(colleague.tip())
    both = replace(request, files=(*request.files, FileChange("b.yaml", "limit: 1\n", "limit: 2\n", 1)))
    await forge.propose(both)
    colleague.commit({PATH: request.files[0].after}, "One half")
    assert (await seen(forge))[0] is OPEN
    commit = colleague.commit({"b.yaml": "limit: 2\n"}, "The other half")
    assert await seen(forge) == (MERGED, commit)


async def test_a_branch_set_back_to_the_base_is_closed(
    forge: LocalForge, colleague: Colleague, pull: PullRequest
) -> None:
    colleague.commit({"other.txt": "x\n"}, "Elsewhere")
    colleague.git("push", "-q", "--force", "origin", f"main:{BRANCH}")
    assert (await seen(forge))[0] is CLOSED


async def test_a_base_that_moves_elsewhere_changes_nothing(
    forge: LocalForge, colleague: Colleague, pull: PullRequest, clock: StillClock
) -> None:
    for n in range(3):
        colleague.commit({"other.txt": f"{n}\n"}, "Elsewhere")
        clock.tick()
        looked = await forge.pull_request(URL, 1)
        assert (looked.state, looked.updated_at, looked.base_head) == (OPEN, pull.updated_at, colleague.tip())


async def test_a_rewritten_base_is_borne_with(forge: LocalForge, colleague: Colleague, pull: PullRequest) -> None:
    colleague.commit({"other.txt": "x\n"}, "Elsewhere")
    assert (await seen(forge))[0] is OPEN
    colleague.git("checkout", "-q", "--orphan", "fresh")
    colleague.git("commit", "-q", "-m", "A new beginning")
    colleague.git("push", "-q", "--force", "origin", "fresh:main")
    colleague.git("reflog", "expire", "--expire=now", "--all", folder=colleague.bare)
    colleague.git("gc", "-q", "--prune=now", folder=colleague.bare)
    assert (await seen(forge))[0] is OPEN
    with pytest.raises(Conflict, match="main was rewritten and has nothing in common with shop#1"):
        await forge.merge(URL, 1, "ada", pull.head_commit)
    drop(colleague)
    assert (await seen(forge))[0] is CLOSED


async def test_many_pull_requests_of_one_repository(forge: LocalForge, colleague: Colleague) -> None:
    start = colleague.tip()
    for n, letter in enumerate("bcdef", 1):
        await forge.propose(memory_request(start, branch=f"kubernaut/rr-aaaaa{letter}", to=f"{n}Gi"))
    colleague.git("fetch", "-q")
    colleague.git("cherry-pick", "origin/kubernaut/rr-aaaaad")
    colleague.git("push", "-q", "origin", "main")
    looked = await asyncio.gather(*(forge.pull_request(URL, number) for number in range(1, 6)))
    assert [pull.state for pull in looked] == [OPEN, OPEN, MERGED, OPEN, OPEN]
