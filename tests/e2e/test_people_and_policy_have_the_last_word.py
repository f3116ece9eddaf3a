"""What people and policy refuse is not done, and nothing else either: every write passes a proxy that counts."""

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from crash.swallowing import SwallowingProxy

from kubernaut.domain.errors import Permanent
from kubernaut.lab.alerting import Firing, Webhook
from kubernaut.lab.house import Daemon
from kubernaut.lab.simulated import SimulatedWorld
from kubernaut.sim.scenarios import scenario as the_scenario

from .incident import Engineer, Incidents, git, restarts

POLICIES = Path(__file__).parents[2] / "policies"
APPLICATION = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/checkout"
CHECKOUT = "/apis/apps/v1/namespaces/shop/deployments/checkout"


class Counted(Incidents):
    """Incidents in a simulated world behind a proxy that sees every write."""

    proxy: SwallowingProxy

    async def daemon(self, **options: Any) -> Daemon:
        """As before, with the proxy in between."""
        return await super().daemon(kubeconfig=self.proxy.kubeconfig(self.folder / "proxied"), **options)

    @property
    def written(self) -> list[str]:
        """Paths of the writes that were sent, in order."""
        return [path for _, path in self.proxy.writes]


@pytest.fixture
async def counted(tmp_path: Path) -> AsyncIterator[Counted]:
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(SimulatedWorld(tmp_path / "w", timescale=0.05))
        incidents = Counted(world, tmp_path)
        proxy = SwallowingProxy(world.kubeconfig_of("kubernaut"), lambda *_: False)
        incidents.proxy = await stack.enter_async_context(proxy)
        stack.push_async_callback(incidents.end)
        yield incidents


async def messages(engineer: Engineer) -> str:
    """All that the journal says of the remediation."""
    return "\n".join(e["message"] for e in await engineer.journal())


async def test_a_rejected_drain_touches_nothing(counted: Counted) -> None:
    engineer = await counted.fired(await counted.broken(11), await counted.daemon())
    await engineer.vote(await engineer.asked(), "reject", "the batch must finish first")
    document = await engineer.ended()
    assert (document["phase"], document["pattern"]) == ("Rejected", "D")
    assert "the batch must finish first" in document["tracks"][0]["reason"]
    assert counted.written == []


async def test_a_drain_that_nobody_decides_on_touches_nothing(counted: Counted) -> None:
    engineer = await counted.fired(await counted.broken(11), await counted.daemon(times={"approval_ttl_s": 1.5}))
    approval = await engineer.asked()
    document = await engineer.ended()
    assert document["phase"] == "TimedOut"
    assert document["needs_you"]
    with pytest.raises(Permanent, match=r"^409: .* already expired"):
        await engineer.vote(approval)
    assert counted.written == []


async def test_only_whoever_may_vote_votes(counted: Counted) -> None:
    scenario = await counted.broken(11)
    daemon = await counted.daemon()
    engineer = await counted.fired(scenario, daemon)
    approval = await engineer.asked()
    with pytest.raises(Permanent, match=r"^400: type 'media-1'"):
        await engineer.vote({**approval, "confirm": "y"})
    with pytest.raises(Permanent, match=r"^409: the plan changed"):
        await engineer.vote({**approval, "plan_hash": "0" * 64})
    with pytest.raises(Permanent, match=r"^403: production is read-only"):
        await engineer.vote(approval, reason="")
    me = _roles_in(daemon)["admin"]
    for roles, refusal in (({"viewer": me}, "has no role approver"), ({}, "has no role approver")):
        await _with_roles(daemon, roles)
        async with daemon.client() as client:
            with pytest.raises(Permanent, match=f"^403: .*{refusal}"):
                await Engineer(client, daemon).vote(approval)
    assert counted.written == []
    await _with_roles(daemon, {"approver": me})
    async with daemon.client() as client:
        voted = await Engineer(client, daemon).vote(approval)
    assert voted["phase"] == "Approved"


def _roles_in(daemon: Daemon) -> dict[str, Any]:
    roles: dict[str, Any] = yaml.safe_load(daemon.config.read_text("utf-8"))["roles"]
    return roles


async def _with_roles(daemon: Daemon, roles: dict[str, Any]) -> None:
    """Start the daemon again on the same state with other roles in its configuration."""
    await daemon.stop()
    daemon._extra["roles"] = roles
    await daemon.start()


async def test_a_merge_in_production_needs_a_senior(counted: Counted) -> None:
    scenario = await counted.broken(1)
    daemon = await counted.daemon()
    engineer = await counted.fired(scenario, daemon)
    pull = await engineer.proposed()
    assert pull["required_role"] == "senior"
    me = _roles_in(daemon)["admin"]
    await _with_roles(daemon, {"approver": me})
    async with daemon.client() as client:
        with pytest.raises(Permanent, match=r"^403: .* needs the role senior"):
            await Engineer(client, daemon).merge(pull)
    await _with_roles(daemon, {"senior": me})
    async with daemon.client() as client:
        assert (await Engineer(client, daemon).merge(pull))["state"] == "merged"


async def test_a_yes_to_a_plan_that_changed_is_asked_for_again(counted: Counted) -> None:
    engineer = await counted.fired(await counted.broken(1), await counted.daemon(extra={"freeze": True}))
    first = await engineer.asked()
    assert (first["action"], first["role"]) == ("restart-deployment", "senior")
    await counted.world.outside.api.patch(CHECKOUT, {"spec": {"revisionHistoryLimit": 7}})
    await engineer.vote(first)
    second = await engineer.asked()
    assert second["id"] != first["id"]
    assert second["plan_hash"] != first["plan_hash"]
    assert not [path for path in counted.written if path == CHECKOUT]
    await engineer.vote(second)
    await engineer.merge(await engineer.proposed())
    assert (await engineer.ended())["phase"] == "Completed"
    assert len([path for path in counted.written if path == CHECKOUT]) == 1


async def test_a_node_that_was_made_anew_is_another_node(counted: Counted) -> None:
    scenario = await counted.broken(11)
    engineer = await counted.fired(scenario, await counted.daemon())
    approval = await engineer.asked()
    api = counted.world.outside.api
    node = await api.get("/api/v1/nodes/media-1")
    await api.delete("/api/v1/nodes/media-1")
    kept = {k: v for k, v in node["metadata"].items() if k in ("name", "labels")}
    await api.create("/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": kept, "spec": {}})
    await engineer.vote(approval)
    document = await engineer.ended()
    assert document["phase"] == "Escalated"
    assert "deleted and made anew" in document["tracks"][0]["reason"]
    assert counted.written == []


async def test_policy_says_no(counted: Counted, tmp_path: Path) -> None:
    policies = tmp_path / "policies"
    shutil.copytree(POLICIES, policies)
    rules = policies / "approval.rego"
    text = rules.read_text("utf-8")
    no = 'decision := denied("closed", "Nothing is touched during the audit.") if {\n\tinput.action.name\n}'
    closed = f"{no} else := incomplete if {{"
    assert "decision := incomplete if {" in text
    rules.write_text(text.replace("decision := incomplete if {", closed), "utf-8")
    daemon = await counted.daemon(extra={"policies": {"dir": str(policies)}})
    engineer = await counted.fired(await counted.broken(1), daemon)
    document = await engineer.ended()
    assert (document["phase"], document["tracks"]) == ("Rejected", [])
    assert document["decision"]["rule"] == "closed"
    assert "Nothing is touched during the audit." in document["reason"]
    assert (counted.written, git(counted.world.forge_root / "fleet.git", "branch", "--list", "kubernaut/*")) == ([], "")


async def test_an_alert_about_nothing_is_told_plainly(counted: Counted) -> None:
    await counted.world.deploy(the_scenario(1))
    daemon = await counted.daemon()
    labels = {"alertname": "KubeDeploymentReplicasMismatch", "namespace": "shop", "deployment": "nope"}
    await Webhook(f"{daemon.gateway_url}/v1/alertmanager", daemon.token).post(
        Firing({**labels, "severity": "warning"}, {}, datetime.now(UTC)).payload()
    )
    document = await (await counted.engineer(daemon)).ended()
    assert document["phase"] == "Escalated"
    assert document["reason"].startswith("the target does not exist: shop/deployment/nope does not exist")
    assert counted.written == []


async def test_without_an_owner_in_git_there_is_only_the_mitigation(counted: Counted) -> None:
    scenario = await counted.broken(1)
    api = counted.world.outside.api
    await api.delete(APPLICATION)
    await api.patch(CHECKOUT, {"metadata": {"annotations": {"argocd.argoproj.io/tracking-id": None}}})
    engineer = await counted.fired(scenario, await counted.daemon())
    document = await engineer.ended()
    assert (document["phase"], document["pattern"]) == ("Completed", "A")
    assert "no GitOps controller owns the object" in await messages(engineer)
    assert counted.written == [CHECKOUT]


async def test_a_closed_pull_request_is_a_no(counted: Counted) -> None:
    engineer = await counted.fired(await counted.broken(6), await counted.daemon())
    pull = await engineer.proposed()
    await engineer.client.post(
        f"/v1/pulls/{pull['repository']}/{pull['number']}/close", {"reason": "we fix it ourselves"}
    )
    document = await engineer.ended()
    assert [(t["kind"], t["phase"]) for t in document["tracks"]] == [("gitops", "Closed")]
    assert document["phase"] == "Rejected"
    assert counted.written == []


async def test_a_merge_by_plain_git_is_seen(counted: Counted, tmp_path: Path) -> None:
    scenario = await counted.broken(1)
    engineer = await counted.fired(scenario, await counted.daemon())
    pull = await engineer.proposed()
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(counted.world.forge_root / "fleet.git"), str(clone))
    someone = ("-c", "user.name=Ana", "-c", "user.email=ana@shop.example")
    git(clone, *someone, "merge", "-q", "--no-ff", "-m", "Merge it by hand", f"origin/{pull['branch']}")
    git(clone, "push", "-q", "origin", pull["base"])
    document = await engineer.ended()
    assert document["phase"] == "Completed"
    assert "PR#1 was merged" in await messages(engineer)
    assert await counted.world.mended(scenario)
    assert len(await restarts(counted.world, scenario)) == 1
