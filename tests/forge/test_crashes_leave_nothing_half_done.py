"""Whatever moment the daemon dies at, the next one finishes: one branch, one pull request, one merge."""

import asyncio
import os
import sys
import textwrap
from contextlib import suppress
from pathlib import Path

import pytest
from forge_world import MANIFEST, PATH, URL, Colleague, StillClock, memory_request

from kubernaut.adapters.forge import objects, writing
from kubernaut.adapters.forge.local import LocalForge
from kubernaut.domain.errors import Permanent, Temporary
from kubernaut.domain.proposals import PullRequestState


async def test_a_branch_without_a_record_is_adopted(forge: LocalForge, colleague: Colleague, clock: StillClock) -> None:
    request = memory_request(colleague.tip())
    git = forge._repository(URL).git
    head = await writing.commit(git, request, colleague.tip(), clock.now())
    pull = await forge.propose(request)
    assert (pull.number, pull.head_commit) == (1, head)
    assert [change.path for change in await forge.diff(URL, 1)] == [PATH]


async def test_a_branch_that_holds_something_else_is_not_taken(forge: LocalForge, colleague: Colleague) -> None:
    start = colleague.tip()
    colleague.commit({"mine.txt": "mine\n"}, branch="kubernaut/rr-2a3b4c")
    with pytest.raises(Permanent, match="holds another change"):
        await forge.propose(memory_request(start))
    assert list(await forge.pull_requests()) == []


async def test_an_older_form_of_the_own_change_is_cut_anew(
    forge: LocalForge, colleague: Colleague, clock: StillClock
) -> None:
    start = colleague.tip()
    await writing.commit(forge._repository(URL).git, memory_request(start), start, clock.now())
    text = MANIFEST.replace("replicas: 3", "replicas: 4")
    colleague.commit({PATH: text}, "Scale")
    pull = await forge.propose(memory_request(colleague.tip(), before=text))
    (change,) = await forge.diff(URL, pull.number)
    assert (change.before, change.after) == (text, text.replace("128Mi", "256Mi"))
    assert (await forge.merge(URL, pull.number, "ada", pull.head_commit)).state is PullRequestState.MERGED


async def test_a_merge_without_a_record_is_seen_with_its_author(
    forge: LocalForge, root: Path, colleague: Colleague, clock: StillClock
) -> None:
    pull = await forge.propose(memory_request(colleague.tip()))
    assert await writing.merge(forge._repository(URL).git, pull, "ada", clock.now())
    merge = colleague.tip()
    fresh = LocalForge(root, {URL: "shop"}, clock)
    again = await fresh.merge(URL, 1, "ada", pull.head_commit)
    assert (again.state, again.merge_commit, again.merged_by) == (PullRequestState.MERGED, merge, "ada")
    assert colleague.tip() == merge


async def test_a_half_written_record_is_no_pull_request(forge: LocalForge, root: Path, colleague: Colleague) -> None:
    folder = root / "pulls" / "shop"
    folder.mkdir(parents=True)
    (folder / ".draft-abc").write_text('{"pull": {"num')
    assert (await forge.propose(memory_request(colleague.tip()))).number == 1
    assert sorted(path.name for path in folder.iterdir() if path.suffix == ".json") == ["1.json"]


async def test_a_lock_left_by_a_killed_git_is_removed_after_a_while(
    forge: LocalForge, root: Path, colleague: Colleague
) -> None:
    pull = await forge.propose(memory_request(colleague.tip()))
    lock = root / "shop.git" / "refs" / "heads" / "main.lock"
    lock.touch()
    os.utime(lock, (1, 1))
    with pytest.raises(Temporary, match="another process writes"):
        await forge.merge(URL, 1, "ada", pull.head_commit)
    assert (await forge.merge(URL, 1, "ada", pull.head_commit)).state is PullRequestState.MERGED


_VICTIM = """
    import asyncio, sys
    from datetime import UTC, datetime
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    from forge_world import URL, memory_request
    from kubernaut.adapters.forge.local import LocalForge

    class Now:
        def now(self):
            return datetime.now(UTC)

    async def main():
        forge = LocalForge(Path({root!r}), {{URL: "shop"}}, Now())
        print("ready", flush=True)
        pull = await forge.propose(memory_request({start!r}))
        print("proposed", flush=True)
        await forge.merge(URL, pull.number, "ada", pull.head_commit)
        print("merged", flush=True)

    asyncio.run(main())
"""


@pytest.mark.parametrize("delay_ms", [0, 3, 6, 9, 12, 15, 18, 22, 26, 30, 36, 42, 50, 60])
async def test_kill_at_any_moment(delay_ms: int, root: Path, colleague: Colleague, clock: StillClock) -> None:
    start = colleague.tip()
    code = textwrap.dedent(_VICTIM.format(tests=str(Path(__file__).parent), root=str(root), start=start))
    victim = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    assert victim.stdout is not None
    assert await victim.stdout.readline() == b"ready\n"
    await asyncio.sleep(delay_ms / 1000)
    with suppress(ProcessLookupError):
        victim.kill()
    await victim.communicate()
    await asyncio.sleep(0.1)  # a git that was running ends by itself: its pipe is gone

    forge = LocalForge(root, {URL: "shop"}, clock)
    pull = await forge.propose(memory_request(start))
    merged = await forge.merge(URL, pull.number, "ada", pull.head_commit)
    assert merged.state is PullRequestState.MERGED
    assert [p.number for p in await forge.pull_requests()] == [1]
    assert colleague.git("rev-list", "--count", "--merges", "main", folder=colleague.bare) == "1"
    assert "memory: 256Mi" in colleague.show(f"main:{PATH}")
    assert set(await objects.heads(forge._repository(URL).git)) == {"main", "kubernaut/rr-2a3b4c"}
    colleague.git("fsck", folder=colleague.bare)
