"""The text tells a stranger everything, and nothing in it that came from a cluster is more than text."""

import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from gitops_world import CONFIG, DEPLOYMENT, config, image, memory

from kubernaut.domain.analysis import ActionProposal, Analysis, Evidence, Finding
from kubernaut.domain.proposals import ChangeProposal, FileChange, Ownership
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import SignalSource, SignalSummary
from kubernaut.domain.values import Severity
from kubernaut.gitops.live import live_equals
from kubernaut.gitops.text import branch_name, pull_request_text, remediation_of, unified

AT = datetime(2026, 11, 20, tzinfo=UTC)
HOSTILE = "x <script>alert(1)</script> @org/team fixes #12 https://evil.example/a [c](http://e) `x` | y\n# Head ![i](u) \x1b[31m"


def remediation(text: str = "The container was killed at its limit") -> Remediation:
    evidence = (Evidence("pod/checkout-1", "status.reason", text), Evidence("pod/x", "env", "password=hunter22"))
    finding = Finding(DEPLOYMENT, "OOMKilled", text, 0.95, evidence, permanent=memory(), alternatives=(text,))
    signal = SignalSummary("KubePodCrashLooping", SignalSource.ALERTMANAGER, Severity.CRITICAL, "o", AT, AT)
    return Remediation(
        "rr-2a3b4c", "f", DEPLOYMENT, signal, AT, environment="production", analysis=Analysis((finding,))
    )


def proposal(action: ActionProposal, obstacle: str = "", **more: Any) -> ChangeProposal:
    app = ResourceRef("prod", "Application", "shop", "argocd")
    ownership = Ownership("argocd", app, "u", "main", "app", obstacle=obstacle)
    return ChangeProposal(ownership, action.target, action.action, action.parameters, **more)


CHANGE = (FileChange("app/d.yaml", "a\nb\n", "a\nc\n", 2),)


def test_it_says_what_a_reviewer_needs() -> None:
    title, body = pull_request_text(remediation(), proposal(memory()), CHANGE, ("Other overlays change too.",))
    assert title == "Set memory limit of shop/checkout (app) from 128Mi to 256Mi"
    for part in (
        "`KubePodCrashLooping` fired for `shop/checkout` in cluster `prod` (production, critical, P2)",
        "## Cause: OOMKilled", "Confidence 95%", "| `pod/checkout-1` | `status.reason` |", "`app/d.yaml:2`",
        "Note: Other overlays change too.", "## Risk", "**Low.**", "git revert -m 1", "| Incident | `rr-2a3b4c` |",
        "| Affected services | `shop/checkout` |", "| Applied by | Argo CD `argocd/shop` |", "kubernaut describe rr rr-2a3b4c",
    ):  # fmt: skip
        assert part in body


def test_secrets_stay_out() -> None:
    assert "hunter22" not in pull_request_text(remediation(), proposal(memory()), CHANGE)[1]


def test_cluster_text_is_text() -> None:
    title, body = pull_request_text(remediation(HOSTILE), proposal(memory(new="256Mi @all")), CHANGE, (HOSTILE,))
    outside = "".join(part for line in body.splitlines() for part in _outside_code(line))
    for mark in ("<script", "@org", "#12", "https:", "http:", "![i]", "[c](", "\x1b", "@all"):
        assert mark not in outside
    assert "@all" not in title
    assert "\x1b" not in body
    heads = [line for line in body.splitlines() if line.startswith("#")]
    assert heads == ["## Cause: OOMKilled", "## Evidence", "## Change", "## Risk", "## Rollback", "## Change request"]
    rows = [line for line in body.splitlines() if line.startswith("| ") and "pod/checkout-1" in line]
    assert len(rows) == 1
    assert rows[0].replace("\\|", "").count("|") == 4


def _outside_code(line: str) -> list[str]:
    """The pieces of a line that no code span holds: spans end at a run of backticks as long as the one that began them."""
    return re.sub(r"(?<![`\\])(`+)(?!`)(.*?)(?<!`)\1(?!`)", " ", line).splitlines()


def test_urgency_leads() -> None:
    title, body = pull_request_text(remediation(), proposal(image("a:2", "a:1"), urgent=True), CHANGE)
    assert title == "Urgent: Set image of shop/checkout (app) to a:1"
    assert body.startswith("**Users are hurt until this is merged")
    assert pull_request_text(remediation(), proposal(config("URL", "a", "b")), CHANGE)[0] == (
        "Fix key URL of ConfigMap shop/checkout-config"
    )


def test_a_caution_is_told() -> None:
    assert (
        "follows the tag v1" in pull_request_text(remediation(), proposal(memory(), "it follows the tag v1"), CHANGE)[1]
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\nb\nc\n", "a\nx\nc\n"),
        ("a\nb", "a\nc"),
        ("a", "a\n"),
        ("a\r\nb\r\n", "a\r\nc\r\n"),
        ("", "new\n"),
        ("a\x0cb\n", "a\x0cc\n"),
    ],
)
def test_the_unified_diff_is_one_that_git_applies(before: str, after: str, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True, timeout=30)
    if before:
        (tmp_path / "f.yaml").write_bytes(before.encode())
    patch = unified([FileChange("f.yaml", before, after)])
    patch = (
        patch.replace("diff --git a/f.yaml b/f.yaml\n", "diff --git a/f.yaml b/f.yaml\nnew file mode 100644\n")
        if not before
        else patch
    )
    done = subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=patch.encode(), capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr.decode()
    assert (tmp_path / "f.yaml").read_bytes() == after.encode()


def test_branches_name_their_remediation() -> None:
    assert branch_name("rr-2a3b4c") == "kubernaut/rr-2a3b4c"
    assert remediation_of("kubernaut/rr-2a3b4c") == "rr-2a3b4c"
    assert [remediation_of(name) for name in ("main", "kubernaut/x", "rr-2a3b4c", "feature/kubernaut/rr-2a3b4c")] == [
        ""
    ] * 4


def test_live_equals_git_by_meaning() -> None:
    container = {"name": "app", "image": "a:1", "resources": {"limits": {"memory": "268435456"}}}
    live = {
        "kind": "Deployment",
        "metadata": {"name": "checkout"},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }
    assert live_equals(live, "update-resources", memory().parameters)
    assert not live_equals(live, "update-resources", memory(new="255Mi").parameters)
    assert not live_equals(live, "update-resources", memory(field="requests.memory").parameters)
    assert live_equals(live, "update-image", image("a:2", "a:1").parameters)
    assert not live_equals(live, "update-image", image("a:2", "a:1", "other").parameters)
    assert not live_equals(live, "restart-deployment", {"to": "x"})
    data = {"kind": "ConfigMap", "metadata": {"name": CONFIG.name}, "data": {"K": ""}}
    assert live_equals(data, "update-configmap", config("K", "a", "").parameters)
    assert not live_equals({**data, "data": None}, "update-configmap", config("K", "a", "").parameters)
