"""After the merge Flux is asked to look at Git now, and believed only when commit and value are there."""

import asyncio
import secrets
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from flux_world import Flux

from kubernaut.adapters.forge.local import LocalForge
from kubernaut.adapters.kubernetes import KubernetesCluster
from kubernaut.adapters.rego.engine import RegoPolicyEngine
from kubernaut.adapters.rego.shipped import shipped_policies
from kubernaut.adapters.store import SqliteStore
from kubernaut.clock import SystemClock
from kubernaut.diagnosis.analyst import RulesAnalyst
from kubernaut.domain.analysis import ActionProposal, Analysis, Finding
from kubernaut.domain.approvals import Principal, Role
from kubernaut.domain.assessment import AssessmentPhase
from kubernaut.domain.policy import ApprovalType, Decision
from kubernaut.domain.proposals import ChangeProposal
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import SignalSource, SignalSummary
from kubernaut.domain.tracks import GitOpsPhase, GitOpsTrack
from kubernaut.domain.values import Severity
from kubernaut.pipeline.outside import Limits, Outside
from kubernaut.pipeline.ownership import ownership_of
from kubernaut.pipeline.pulls import PullDesk
from kubernaut.pipeline.runner import Runner
from kubernaut.ports import Change
from kubernaut.sim.cluster import SimulatedCluster

RBAC = Path(__file__).parents[2] / "config" / "rbac" / "kubernaut.yaml"
URL = "ssh://git@git.example/fleet.git"
ID = "rr-2a3b4c"
SIA = Principal("sia", (), Role.SENIOR)
CONFIG_MAPS = "/api/v1/namespaces/{}/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/{}/deployments"
LIMITS = Limits(stability_s=0.2, verify_poll_s=0.1, merge_poll_s=0.1, sync_poll_s=0.1)
WAITS = Decision(ApprovalType.GIT_PR_REQUIRED, False, True, False, "Git.", "gitops_managed", 1, (), (), False)


def rules() -> list[dict[str, Any]]:
    role = next(d for d in yaml.safe_load_all(RBAC.read_text("utf-8")) if d["kind"] == "ClusterRole")
    return list(role["rules"])


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@shop.example"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True, timeout=30
    )
    return done.stdout.strip()


def manifest(namespace: str, value: str, name: str = "settings") -> dict[str, Any]:
    labels = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": namespace}
    meta = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"URL": value}}


def workload(config_map: str) -> dict[str, Any]:
    container = {"name": "app", "image": "x", "envFrom": [{"configMapRef": {"name": config_map}}]}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container]}}
    spec = {"replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


@pytest.fixture(params=["simulated", pytest.param("genuine", marks=pytest.mark.genuine)])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Flux, Callable[[str], Path]]]:
    """An API server, and kubeconfigs for its users."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        name = f"t-{secrets.token_hex(4)}"
        if request.param == "simulated":
            cluster = SimulatedCluster()
            await cluster.start()
            stack.push_async_callback(cluster.stop)
            tls = ssl.create_default_context(cadata=cluster.ca_pem)
            flux = Flux(cluster.url, tls, cluster.token, session, name)
            kubeconfig = lambda user: cluster.write_kubeconfig(tmp_path / user, user)  # noqa: E731
        else:
            plane = request.getfixturevalue("control_plane")
            flux = Flux(plane.url, plane.ssl(), plane.token, session, name)
            kubeconfig = lambda user: plane.kubeconfig(tmp_path / user, user)  # noqa: E731
        await flux.done("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        yield flux, kubeconfig


class Fix:
    """A fix of one ConfigMap key on its way through a repository that Flux follows."""

    def __init__(self, flux: Flux, folder: Path, *, generated: bool) -> None:
        self.flux = flux
        self.generated = generated
        self.work = folder / "work"
        self.bare = folder / "forge" / "fleet.git"
        self.clock = SystemClock()
        self.forge = LocalForge(folder / "forge", {URL: "fleet"}, self.clock)
        name = "settings-9267k7dk58" if generated else "settings"
        self.target = ResourceRef("prod", "ConfigMap", name, flux.namespace)
        self.owner = ResourceRef("prod", "Deployment", "web", flux.namespace) if generated else self.target

    async def begin(self, stack: AsyncExitStack, folder: Path, kubeconfig: Path) -> None:
        """Git and cluster agree on the wrong value; the fix is about to be proposed."""
        self.bare.parent.mkdir()
        git(folder, "init", "-q", "--bare", "-b", "main", str(self.bare))
        git(folder, "clone", "-q", str(self.bare), "work")
        wrong = manifest(self.flux.namespace, "http://bad", self.target.name)
        text = yaml.safe_dump(wrong)
        if self.generated:
            text = "configMapGenerator:\n- name: settings\n  literals: [URL=http://bad]\n"
            await self.flux.done("POST", DEPLOYMENTS, workload(self.target.name))
        self.first = self.commit("apps/kustomization.yaml" if self.generated else "apps/settings.yaml", text)
        await self.flux.done("POST", CONFIG_MAPS, wrong)
        await self.flux.follow(URL, "apps")
        await self.flux.status(f"main@sha1:{self.first}")
        self.store = await SqliteStore.open(folder / "kubernaut.db", self.clock)
        stack.push_async_callback(self.store.close)
        cluster = await KubernetesCluster.connect("prod", kubeconfig, None, self.clock)
        stack.push_async_callback(cluster.close)
        await cluster.start()
        policy = await RegoPolicyEngine.load(shipped_policies(), {})
        out = Outside(self.store, {"prod": cluster}, self.forge, policy, RulesAnalyst(), self.clock, LIMITS)
        self.ownership = await ownership_of(out, None, self.target)
        self.runner = Runner(out, 8)
        self.pulls = PullDesk(self.store, self.forge, self.clock, self.runner.nudge)
        await self.store.commit(self._remediation())
        running = asyncio.get_running_loop().create_task(self.runner.run())

        async def stop() -> None:
            self.runner.stop()
            await running

        stack.push_async_callback(stop)

    def _remediation(self) -> Change:
        assert self.ownership is not None
        now = self.clock.now()
        parameters: dict[str, object] = {"key": "URL", "from": "http://bad", "to": "http://good"}
        proposed = ActionProposal("update-configmap", self.target, parameters)
        finding = Finding(self.target, "CrashLoop", "The URL is wrong.", 0.95, permanent=proposed)
        signal = SignalSummary("Odd", SignalSource.ALERTMANAGER, Severity.CRITICAL, "o", now, now)
        proposal = ChangeProposal(self.ownership, self.target, "update-configmap", parameters)
        track = GitOpsTrack(f"{ID}-git", ID, GitOpsPhase.PROPOSING, WAITS, proposal, now, now, now)
        item = Remediation(
            ID, "f", self.owner, signal, now, assessment=AssessmentPhase.DECIDED, environment="staging",
            analysis=Analysis((finding,)), decision=WAITS, gitops=track,
        )  # fmt: skip
        return Change(item, (track,))

    def commit(self, path: str, text: str) -> str:
        git(self.work, "pull", "-q", "--ff-only", "origin", "main") if (self.work / "apps").exists() else None
        (self.work / path).parent.mkdir(exist_ok=True)
        (self.work / path).write_text(text)
        git(self.work, "add", ".")
        git(self.work, "commit", "-q", "-m", "Work")
        git(self.work, "push", "-q", "origin", "HEAD:main")
        return git(self.work, "rev-parse", "HEAD")

    async def track(self, holds: Callable[[GitOpsTrack], Any]) -> GitOpsTrack:
        """The track as soon as something is true of it."""
        for _ in range(600):
            item = await self.store.remediation(ID)
            assert item is not None
            assert item.gitops is not None
            if holds(item.gitops):
                return item.gitops
            if item.gitops.ended:
                break
            await asyncio.sleep(0.1)
        raise AssertionError((item.gitops.phase, item.gitops.reason))

    async def merged(self) -> str:
        await self.track(lambda track: track.phase == "AwaitingMerge")
        pull = await self.pulls.find("fleet", 1)
        assert pull.checks == {"kubernaut/policy": "success"}
        return (await self.pulls.merge("fleet", 1, SIA, pull.head_commit, "")).merge_commit

    async def applied(self, value: str) -> None:
        """What the kustomize-controller applies."""
        if not self.generated:
            await self.flux.done("PATCH", f"{CONFIG_MAPS}/settings", {"data": {"URL": value}})
            return
        name = "settings-h26h52ffh8"
        await self.flux.done("POST", CONFIG_MAPS, manifest(self.flux.namespace, value, name))
        await self.flux.done("PATCH", f"{DEPLOYMENTS}/web", workload(name))
        await self.flux.done("DELETE", f"{CONFIG_MAPS}/{self.target.name}")


@pytest.fixture
async def begun(tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    async with AsyncExitStack() as stack:

        async def begin(
            server: tuple[Flux, Callable[[str], Path]],
            granted: list[dict[str, Any]],
            user: str,
            generated: bool = False,
        ) -> Fix:
            flux, kubeconfig = server
            role = f"{flux.namespace}-role"
            await flux.define(granted, role, user)
            stack.push_async_callback(flux.undefine, role)
            fix = Fix(flux, tmp_path, generated=generated)
            await fix.begin(stack, tmp_path, kubeconfig(user))
            return fix

        yield begin


async def test_flux_is_asked_and_its_word_is_checked(server: Any, begun: Callable[..., Any]) -> None:
    fix: Fix = await begun(server, rules(), "kubernaut")
    assert fix.ownership is not None
    assert (fix.ownership.controller, fix.ownership.repo_url, fix.ownership.path) == ("flux", URL, "apps")
    assert fix.ownership.deployed == fix.first
    merge = await fix.merged()
    await fix.track(lambda track: track.asked_at)
    asked = await fix.flux.requests()
    assert set(asked) == {"gitrepositories", "kustomizations"}
    await fix.track(lambda track: "waiting for flux to sync apps" in track.reason)

    await fix.flux.status(f"main@sha1:{merge}", ready="False", message="kustomize build failed:\nno such file")
    await fix.track(lambda track: "it says: kustomize build failed: no such file" in track.reason)

    later = fix.commit("apps/other.yaml", "# nothing\n")
    assert later != merge
    await fix.flux.status(f"main@sha1:{later}", handled=asked["kustomizations"])
    await fix.track(lambda track: "does not have the value of Git yet" in track.reason)

    await fix.applied("http://good")
    done = await fix.track(lambda track: track.ended)
    assert (done.phase, done.effectiveness) == (GitOpsPhase.COMPLETED, 1.0)
    told = "\n".join(entry.message for entry in await fix.store.journal(0, 1000, ID))
    assert "asked Flux for a fetch of fleet; asked Flux for a reconciliation of apps" in told


async def test_where_flux_may_not_be_asked_its_own_pace_is_waited_for(server: Any, begun: Callable[..., Any]) -> None:
    granted = [rule for rule in rules() if "fluxcd" not in rule["apiGroups"][0] or "patch" not in rule["verbs"]]
    fix: Fix = await begun(server, granted, "outsider")
    merge = await fix.merged()
    await fix.track(lambda track: track.asked_at)
    told = "\n".join(entry.message for entry in await fix.store.journal(0, 1000, ID))
    assert "could not ask Flux for a fetch of fleet" in told
    assert "could not ask Flux for a reconciliation of apps" in told
    assert await fix.flux.requests() == {}
    await fix.flux.done(
        "PATCH", "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/{}/kustomizations/apps", {"spec": {"suspend": True}}
    )
    await fix.track(lambda track: "it is suspended" in track.reason)
    await fix.applied("http://good")
    await fix.flux.status(f"main@sha1:{merge}")
    assert (await fix.track(lambda track: track.ended)).phase is GitOpsPhase.COMPLETED


async def test_a_generated_config_map_is_found_under_its_new_name(server: Any, begun: Callable[..., Any]) -> None:
    fix: Fix = await begun(server, rules(), "kubernaut", generated=True)
    merge = await fix.merged()
    await fix.flux.status(f"main@sha1:{merge}")
    await fix.track(lambda track: "does not have the value of Git yet" in track.reason)
    await fix.applied("http://good")
    await fix.track(lambda track: track.phase is GitOpsPhase.VERIFYING)
