"""Ten thousand remediations that wait for people: how much memory, how much idle CPU, how long until ready after a restart."""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kubernaut.adapters.store import SqliteStore
from kubernaut.clock import SystemClock
from kubernaut.domain.analysis import ActionProposal, Analysis, Evidence, Finding
from kubernaut.domain.approvals import Approval
from kubernaut.domain.assessment import AssessmentPhase
from kubernaut.domain.journal import JournalDraft
from kubernaut.domain.plans import Plan, Step
from kubernaut.domain.policy import Decision
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import SignalSource, SignalSummary, fingerprint
from kubernaut.domain.tracks import ImperativePhase, ImperativeTrack
from kubernaut.domain.values import Severity
from kubernaut.lab.house import Daemon
from kubernaut.lab.simulated import SimulatedWorld
from kubernaut.ports import Change

WAITING = 10_000
_BATCH = 500


async def bench_waiting(seconds: float) -> dict[str, float]:
    """Measure a daemon on a database with 10,000 open questions.

    Returns:
        `restart_ready_s_10k_waiting` (start of the process to `/readyz` 200), `rss_mb_10k_waiting`,
        `idle_cpu_percent_10k_waiting` (of one core), and the same of an empty daemon as `…_empty`.
    """
    figures: dict[str, float] = {}
    for label, count in (("empty", 0), ("10k_waiting", WAITING)):
        async with _daemon() as daemon:
            await fill(daemon.state_dir / "kubernaut.db", count)
            began = time.perf_counter()
            await daemon.start(60.0)
            figures[f"restart_ready_s_{label}"] = round(time.perf_counter() - began, 2)
            try:
                await asyncio.sleep(2.0)
                cpu, at = _cpu_s(daemon.pid), time.perf_counter()
                await asyncio.sleep(seconds)
                used = (_cpu_s(daemon.pid) - cpu) / (time.perf_counter() - at) * 100
                figures[f"idle_cpu_percent_{label}"] = round(used, 2)
                figures[f"rss_mb_{label}"] = round(_rss_mb(daemon.pid), 1)
            finally:
                await daemon.stop()
    return figures


@asynccontextmanager
async def _daemon() -> AsyncIterator[Daemon]:
    """A daemon that watches a simulated cluster, configured but not started."""
    with tempfile.TemporaryDirectory(prefix="kubernaut-bench-") as name:
        folder = Path(name)
        async with SimulatedWorld(folder / "world", forge_root=folder / "forge") as world:
            daemon = Daemon(folder / "daemon", kubeconfig=world.kubeconfig)
            daemon.write()
            daemon.state_dir.mkdir(parents=True)
            yield daemon


async def fill(path: Path, count: int) -> None:
    """A database with so many drains that wait for an approval."""
    store = await SqliteStore.open(path, SystemClock())
    try:
        for start in range(0, count, _BATCH):
            await asyncio.gather(*(store.commit(waiting(n)) for n in range(start, min(count, start + _BATCH))))
    finally:
        await store.close()


def waiting(number: int) -> Change:
    """One remediation in AwaitingApproval, with analysis, plan and question."""
    now, id_ = datetime.now(UTC), f"rr-{number:06}"
    node = ResourceRef("prod-eu", "Node", f"n{number}")
    fact = Evidence(f"node/n{number}", "status.conditions[ReadonlyFilesystem]", "True", now)
    finding = Finding(
        node, "NodeHardwareFailing", f"Node n{number} is failing: ReadonlyFilesystem.", 0.97, (fact,) * 6,
        ActionProposal("drain-node", node),
    )  # fmt: skip
    decision = Decision.fail_closed("Medium risk in production: a person decides.")
    plan = Plan((Step("drain", "drain-node", node, expected={"uid": f"uid-{number}"}),))
    expires = now + timedelta(hours=6)
    approval = Approval(
        f"ap-{number:06}", id_, f"{id_}-k8s", plan.hash, "drain-node", node, "production", finding.cause,
        {"pods": 15, "percent_of_workload": 30, "nodes": 1, "workloads": 9}, ("15 evictions accepted",), "uncordon",
        "medium_risk_in_production", decision.reason, now, expires,
    )  # fmt: skip
    track = ImperativeTrack(
        f"{id_}-k8s", id_, ImperativePhase.AWAITING_APPROVAL, decision, plan, now, now, expires, approval_id=approval.id
    )
    signal = SignalSummary("KubeNodeNotReady", SignalSource.ALERTMANAGER, Severity.CRITICAL, id_, now, now)
    remediation = Remediation(
        id_, fingerprint(node, "NodeNotReady"), node, signal, now, "NodeNotReady", AssessmentPhase.DECIDED,
        environment="production", analysis=Analysis((finding,)), decision=decision,
    )  # fmt: skip
    note = JournalDraft(now, "approval", f"asks: drain-node n{number}?", remediation_id=id_)
    return Change(remediation, (track,), (approval,), (note,))


def _cpu_s(pid: int | None) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_mb(pid: int | None) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 2**20
