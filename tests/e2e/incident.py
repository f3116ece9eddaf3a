"""An incident in a world, the daemon that deals with it, and the engineer who watches, votes and merges."""

import asyncio
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from kubernaut.actions.workloads import RESTARTED_AT
from kubernaut.adapters.store import SqliteStore
from kubernaut.clock import SystemClock
from kubernaut.lab.genuine import GenuineWorld
from kubernaut.lab.house import Client, Daemon
from kubernaut.lab.parts.audit import Write
from kubernaut.lab.simulated import SimulatedWorld
from kubernaut.sim.scenarios import Scenario, scenario

Document = dict[str, Any]
World = GenuineWorld | SimulatedWorld
ENOUGH_S = 90.0
QUICK: Mapping[str, float] = {"stability_s": 2.0, "verify_poll_s": 0.3, "merge_poll_s": 0.5, "sync_poll_s": 0.3}


class Incidents:
    """What one test does with a world.

    Args:
        world: where the incidents happen.
        folder: where daemons keep their state.
        begun: scenarios that were broken in this world before.
    """

    def __init__(self, world: World, folder: Path, begun: set[int] | None = None) -> None:
        self.world = world
        self.folder = folder
        self.begun = set() if begun is None else begun
        self.daemons: list[Daemon] = []
        self.clients: list[Client] = []

    async def daemon(
        self, *, user: str = "kubernaut", times: Mapping[str, float] | None = None, repositories: bool = True,
        start: bool = True, extra: Mapping[str, Any] | None = None, kubeconfig: Path | None = None,
    ) -> Daemon:  # fmt: skip
        """A genuine daemon process that acts as `user` in the cluster; alerts are the only signals it gets."""
        known = self.world.repositories if repositories else {}
        daemon = Daemon(
            self.folder / f"d{len(self.daemons)}", kubeconfig=kubeconfig or self.world.kubeconfig_of(user),
            forge_root=self.world.forge_root, repositories=known, times={**QUICK, **(times or {})},
            extra={"watch": {"enabled": False}, **(extra or {})},
        )  # fmt: skip
        self.daemons.append(daemon)
        if start:
            await daemon.start()
        return daemon

    async def broken(self, number: int) -> Scenario:
        """A scenario, deployed and broken; one that is broken already stays as it is."""
        chosen = scenario(number)
        if number not in self.begun:
            self.begun.add(number)
            await self.world.deploy(chosen)
            await self.world.break_(chosen)
        return chosen

    async def fired(self, chosen: Scenario, daemon: Daemon) -> "Engineer":
        """The alert is raised; returns when a remediation is there, with the engineer who watches it."""
        await self.world.fire(chosen, daemon.gateway_url, daemon.token)
        return await self.engineer(daemon)

    async def engineer(self, daemon: Daemon) -> "Engineer":
        """Somebody in front of this daemon's only remediation."""
        client = daemon.client()
        self.clients.append(client)
        engineer = Engineer(client, daemon)
        await engineer.begun()
        return engineer

    async def chain_holds(self) -> bool:
        """Stops the daemons; whether the journals that they leave are gapless and unchanged, and not empty."""
        await self.end()
        for daemon in self.daemons:
            store = await SqliteStore.open(daemon.state_dir / "kubernaut.db", SystemClock())
            try:
                if await store.verify_journal() is not None or not await store.last_seq():
                    return False
            finally:
                await store.close()
        return True

    async def end(self) -> None:
        """Ends alerts, clients and daemons."""
        await self.world.end_watches()
        for client in self.clients:
            await client.close()
        for daemon in self.daemons:
            await daemon.stop()

    async def pause(self) -> None:
        """A moment, for whoever looks again and again."""
        await asyncio.sleep(0.05)

    def mutations(self, since: int = 0, user: str = "kubernaut") -> list[Write]:
        """What was written to the genuine cluster: no dry runs and no access reviews, which store nothing."""
        assert isinstance(self.world, GenuineWorld)
        writes = [w for w in self.world.control_plane.writes(user) if not w.dry_run]
        return [w for w in writes if w.resource != "selfsubjectaccessreviews"][since:]


async def restarts(world: World, chosen: Scenario) -> list[str]:
    """The moments at which the scenario's Deployment was restarted, as its ReplicaSets remember them."""
    listed = await world.outside.api.get(f"/apis/apps/v1/namespaces/{chosen.namespace}/replicasets")
    mine = [r for r in listed["items"] if any(o["name"] == chosen.app for o in r["metadata"]["ownerReferences"])]
    annotations = [r["spec"]["template"]["metadata"].get("annotations") or {} for r in mine]
    return sorted({a[RESTARTED_AT] for a in annotations if RESTARTED_AT in a})


class Engineer:
    """Looks at the only remediation of a daemon through its API, and acts on it."""

    def __init__(self, client: Client, daemon: Daemon) -> None:
        self.client = client
        self.daemon = daemon
        self.id = ""

    async def begun(self) -> None:
        """Returns when there is a remediation."""

        async def there() -> str:
            items = (await self.client.get("/v1/remediations"))["items"]
            return items[0]["id"] if items else ""

        self.id = await self.until(there, "a remediation")

    async def look(self) -> Document:
        """All of the remediation."""
        return await self.client.get(f"/v1/remediations/{self.id}")

    async def track(self, kind: str) -> Document:
        """One track; empty if there is none."""
        return next((t for t in (await self.look())["tracks"] if t["kind"] == kind), {})

    async def journal(self) -> list[Document]:
        """Everything that was said of it so far."""
        return await self.client.journal(0, self.id)

    async def until(self, holds: Callable[[], Awaitable[Any]], what: str, within_s: float = ENOUGH_S) -> Any:
        """Waits until something is true and returns it; otherwise fails with the daemon's story and log."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if found := await holds():
                return found
            await asyncio.sleep(0.1)
        told = ""
        with suppress(Exception):
            told = "\n".join(f"{e['track']} {e['kind']}: {e['message']}" for e in await self.journal())
        raise AssertionError(f"no {what} within {within_s:g} s\n{told}\n{self.daemon.tail()}")

    async def asked(self) -> Document:
        """The pending approval, once there is one."""

        async def there() -> Document:
            items = (await self.client.get("/v1/approvals", pending="true", remediation=self.id))["items"]
            return items[0] if items else {}

        found: Document = await self.until(there, "approval")
        return found

    async def vote(self, approval: Document, verdict: str = "approve", reason: str = "agreed on the phone") -> Document:
        """One vote on what was seen."""
        body = {"verdict": verdict, "plan_hash": approval["plan_hash"], "reason": reason}
        body |= {"confirm": approval["confirm"]} if verdict == "approve" else {}
        return await self.client.post(f"/v1/approvals/{approval['id']}/vote", body)

    async def proposed(self) -> Document:
        """The open pull request with its files, once there is one."""

        async def there() -> Document | None:
            track = await self.track("gitops")
            return track["proposal"]["pull_request"] if track else None

        pull = await self.until(there, "pull request")
        return await self.client.get(f"/v1/pulls/{pull['repository']}/{pull['number']}")

    async def merge(self, pull: Document) -> Document:
        """Merge what was seen."""
        body = {"expected_head": pull["head_commit"], "reason": "looks right"}
        return await self.client.post(f"/v1/pulls/{pull['repository']}/{pull['number']}/merge", body)

    async def ended(self, within_s: float = ENOUGH_S) -> Document:
        """The remediation at its end."""

        async def over() -> Document:
            document = await self.look()
            return document if document["ended"] else {}

        found: Document = await self.until(over, "end", within_s)
        return found


def git(repository: Path, *arguments: str) -> str:
    """What real git says about a bare repository."""
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout


def changed_lines(repository: Path, base: str, branch: str) -> list[str]:
    """The lines that the branch takes away and adds, with their signs."""
    diff = git(repository, "diff", "--unified=0", f"{base}...{branch}").splitlines()
    return [line for line in diff if line[:1] in "+-" and line[:3] not in ("+++", "---")]
