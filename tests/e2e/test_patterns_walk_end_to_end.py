"""From an alert of a genuine Alertmanager to a genuine change, for each pattern and each scenario that exists."""

from datetime import datetime

import pytest

from .incident import Document, Engineer, Incidents, changed_lines, git, restarts

pytestmark = [pytest.mark.genuine, pytest.mark.asyncio(loop_scope="session")]


async def test_restart_now_and_the_fix_through_git(incidents: Incidents) -> None:
    scenario = await incidents.broken(1)
    before = len(incidents.mutations())
    engineer = await incidents.fired(scenario, await incidents.daemon())
    pull = await engineer.proposed()
    repository = incidents.world.forge_root / "fleet.git"
    assert pull["state"] == "open"
    assert pull["branch"] in git(repository, "branch", "--list", pull["branch"])
    removed, added = changed_lines(repository, pull["base"], pull["branch"])
    assert removed.strip("-").strip() == "memory: 128Mi   # was 256Mi, see FIN-212"
    assert added.strip("+").strip() == "memory: 256Mi   # was 256Mi, see FIN-212"
    await _mitigated(engineer)
    assert not await incidents.world.mended(scenario), "the limit must not change before the merge"
    await engineer.merge(pull)
    document = await engineer.ended()
    assert (document["phase"], document["pattern"]) == ("Completed", "B")
    assert [(t["kind"], t["phase"]) for t in document["tracks"]] == [
        ("imperative", "Completed"), ("gitops", "Completed"),
    ]  # fmt: skip
    writes = incidents.mutations(before)
    assert [(w.verb, w.resource, w.name) for w in writes] == [
        ("patch", "deployments", "checkout"), ("patch", "applications", "checkout"),
    ]  # fmt: skip
    assert len(await restarts(incidents.world, scenario)) == 1
    assert await incidents.world.mended(scenario)
    await _ran_in_parallel(engineer)
    _assert_shape(document)
    assert await incidents.chain_holds()


def _assert_shape(document: Document) -> None:
    """The documented JSON of a remediation: at least these fields, and times in RFC 3339, UTC."""
    wanted = {
        "": "id phase cluster environment severity priority signal target analysis decision tracks timeline",
        "signal": "name source count first_seen last_seen",
        "target": "kind namespace name",
        "analysis": "cause failure_class confidence evidence root_cause_target",
        "decision": "approval_type auto_approve reason rule",
    }
    for section, fields in wanted.items():
        assert set(fields.split()) <= set(document[section] if section else document)
    imperative, gitops = document["tracks"]
    assert {"kind", "phase", "plan", "approval_id", "started", "ended"} <= set(imperative)
    assert {"kind", "phase", "proposal", "started", "ended"} <= set(gitops)
    assert {"object", "field", "value", "time"} <= set(document["analysis"]["evidence"][0])
    for moment in (document["signal"]["first_seen"], imperative["started"], gitops["ended"]):
        assert datetime.fromisoformat(moment).tzinfo is not None
        assert moment.endswith("Z")
    assert [e["seq"] for e in document["timeline"]] == sorted(e["seq"] for e in document["timeline"])


async def _mitigated(engineer: Engineer) -> None:
    async def completed() -> bool:
        return bool((await engineer.track("imperative"))["phase"] == "Completed")

    await engineer.until(completed, "finished mitigation")


async def _ran_in_parallel(engineer: Engineer) -> None:
    """The pull request was open before the mitigation had ended, and the restart was written before the merge."""
    said = {(e["kind"], e["track"], e["message"].split()[0]): e["time"] for e in await engineer.journal()}
    opened = said["pull-request", "gitops", "opened"]
    assert opened < said["verification", "imperative", "verified:"]
    assert said["mutation", "imperative", "restarted"] < said["verification", "gitops", "verified:"]


@pytest.mark.parametrize(
    ("number", "lines"),
    [
        (
            5,
            [
                "-          image: registry.shop.example/catalog/catalog:2.16.0   # set by the release pipeline",
                "+          image: registry.shop.example/catalog/catalog:2.15.0   # set by the release pipeline",
            ],
        ),
        (6, ["-  PAYMENT_TIMEOUT: 2 minutes ", "+  PAYMENT_TIMEOUT: 30s"]),
    ],
)
async def test_only_git_can_help(incidents: Incidents, number: int, lines: list[str]) -> None:
    scenario = await incidents.broken(number)
    before = len(incidents.mutations())
    engineer = await incidents.fired(scenario, await incidents.daemon())
    pull = await engineer.proposed()
    repository = incidents.world.forge_root / "fleet.git"
    changed = changed_lines(repository, pull["base"], pull["branch"])
    assert len(changed) == 2
    assert changed[0].startswith(lines[0])
    assert changed[1].startswith(lines[1])
    assert not await incidents.world.mended(scenario)
    await engineer.merge(pull)
    document = await engineer.ended()
    assert (document["phase"], document["pattern"]) == ("Completed", "C")
    assert [(t["kind"], t["phase"]) for t in document["tracks"]] == [("gitops", "Completed")]
    assert {w.resource for w in incidents.mutations(before)} == {"applications"}
    assert "urgent" in pull["labels"]
    assert await incidents.world.mended(scenario)
    assert await incidents.chain_holds()


async def test_a_drain_waits_for_a_person(incidents: Incidents) -> None:
    scenario = await incidents.broken(11)
    before = len(incidents.mutations())
    engineer = await incidents.fired(scenario, await incidents.daemon())
    approval = await engineer.asked()
    assert (approval["action"], approval["target"]["name"]) == ("drain-node", "media-1")
    assert approval["confirm"] == "media-1"
    assert approval["blast_radius"]["pods"] > 0
    assert incidents.mutations(before) == []
    await engineer.vote(approval)
    document = await engineer.ended()
    assert (document["phase"], document["pattern"]) == ("Completed", "D")
    writes = incidents.mutations(before)
    assert [(w.verb, w.resource, w.name) for w in writes[:1]] == [("patch", "nodes", "media-1")]
    evicted = {w.name for w in writes[1:] if w.status < 300}
    assert {(w.verb, w.resource) for w in writes[1:]} == {("create", "pods/eviction")}
    assert len(evicted) == approval["blast_radius"]["pods"]
    assert await incidents.world.mended(scenario)


@pytest.mark.parametrize(
    ("number", "resource", "verb"),
    [
        (3, "nodes", "patch"),
        (4, "pods", "delete"),
        (2, "deployments", "patch"),
    ],
)
async def test_a_mitigation_runs_alone(incidents: Incidents, number: int, resource: str, verb: str) -> None:
    scenario = await incidents.broken(number)
    before = len(incidents.mutations())
    engineer = await incidents.fired(scenario, await incidents.daemon())
    document = await engineer.ended()
    assert (document["phase"], document["pattern"]) == ("Completed", "A")
    assert document["signal"]["source"] == "alertmanager"
    assert [(t["kind"], t["phase"]) for t in document["tracks"]] == [("imperative", "Completed")]
    assert [s["action"] for s in document["tracks"][0]["plan"]["steps"]] == [scenario.immediate]
    writes = incidents.mutations(before)
    assert [(w.verb, w.resource, w.status) for w in writes] == [(verb, resource, 200)]
    assert await incidents.world.mended(scenario)
    assert len(await restarts(incidents.world, scenario)) == (resource == "deployments")
    assert await incidents.chain_holds()
