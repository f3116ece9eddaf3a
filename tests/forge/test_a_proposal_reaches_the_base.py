"""From a proposal to a merge in a bare repository, read back with plain git."""

from forge_world import MANIFEST, PATH, URL, Colleague, StillClock, memory_request

from kubernaut.adapters.forge.local import LocalForge
from kubernaut.domain.proposals import PullRequestState


async def test_propose_makes_a_branch_with_one_commit_and_leaves_the_base(
    forge: LocalForge, colleague: Colleague
) -> None:
    start = colleague.tip()
    pull = await forge.propose(memory_request(start))
    assert (pull.number, pull.repository, pull.state) == (1, "shop", PullRequestState.OPEN)
    assert colleague.tip() == start
    assert colleague.tip("kubernaut/rr-2a3b4c") == pull.head_commit
    assert colleague.git("rev-list", f"main..{pull.head_commit}", folder=colleague.bare) == pull.head_commit
    assert "memory: 256Mi # measured in May" in colleague.show(f"{pull.head_commit}:{PATH}")
    assert colleague.git("log", "-1", "--format=%an <%ae> %cn|%s", pull.head_commit, folder=colleague.bare) == (
        "kubernaut <kubernaut@localhost> kubernaut|Raise the memory limit of shop/checkout to 256Mi"
    )
    colleague.git("fsck", "--strict", folder=colleague.bare)


async def test_merge_puts_the_change_on_the_base_with_a_merge_commit(
    forge: LocalForge, colleague: Colleague, clock: StillClock
) -> None:
    start = colleague.tip()
    pull = await forge.propose(memory_request(start))
    clock.tick()
    merged = await forge.merge(URL, 1, "ada", pull.head_commit)
    assert merged.state is PullRequestState.MERGED
    assert merged.merge_commit == colleague.tip()
    assert merged.merged_by == "ada"
    assert merged.updated_at == clock.now()
    assert colleague.show(f"main:{PATH}") == MANIFEST.replace("128Mi", "256Mi").rstrip("\n")
    assert await forge.contains(URL, "main", pull.head_commit)
    assert not await forge.contains(URL, start, pull.head_commit)


async def test_the_diff_stays_readable_after_the_merge(forge: LocalForge, colleague: Colleague) -> None:
    pull = await forge.propose(memory_request(colleague.tip()))
    before = await forge.diff(URL, 1)
    await forge.merge(URL, 1, "ada", pull.head_commit)
    assert list(await forge.diff(URL, 1)) == list(before)
    assert [(f.path, f.before, f.line) for f in before] == [(PATH, MANIFEST, 13)]


async def test_a_second_forge_on_the_same_root_knows_everything(
    forge: LocalForge, root: object, colleague: Colleague, clock: StillClock
) -> None:
    pull = await forge.propose(memory_request(colleague.tip()))
    other = LocalForge(root, {URL: "shop"}, clock)  # type: ignore[arg-type]
    assert await other.pull_request(URL, 1) == pull
    assert list(await other.pull_requests()) == [pull]
    assert pull.labels == ("kubernaut", "severity/critical")
