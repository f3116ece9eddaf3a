"""The genuine Argo CD does to an Application what kubernaut's GitOps track counts on."""

import asyncio
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from kubernaut.lab.parts import ArgoCD, ControlPlane, GitDaemon

pytestmark = pytest.mark.genuine

_DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: registry.example/web:1.0
"""


def _git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def _commit(work: Path, content: str) -> str:
    (work / "apps").mkdir(exist_ok=True)
    (work / "apps" / "web.yaml").write_text(content)
    _git(work, "add", ".")
    _git(work, "commit", "-q", "-m", "Change web")
    _git(work, "push", "-q", "origin", "HEAD:main")
    return _git(work, "rev-parse", "HEAD")


@pytest.fixture
def work(git_root: Path, tmp_path: Path, namespace: str) -> Path:
    """A clone of a fresh bare repository named after the namespace."""
    _git(git_root, "init", "-q", "--bare", "-b", "main", f"{namespace}.git")
    _git(tmp_path, "clone", "-q", str(git_root / f"{namespace}.git"), "work")
    return tmp_path / "work"


async def _eventually(cluster: ControlPlane, namespace: str, wanted: dict[str, Any], within_s: float) -> dict[str, Any]:
    """The fields of the Deployment once they are what is wanted, or what they are in the end."""
    deadline = time.monotonic() + within_s
    while True:
        deployment: dict[str, Any] = await cluster.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/web")
        spec = deployment["spec"]
        seen = {"replicas": spec["replicas"], "image": spec["template"]["spec"]["containers"][0]["image"]}
        if seen == wanted or time.monotonic() > deadline:
            return seen
        await asyncio.sleep(0.1)


async def test_syncs_heals_and_brings_a_commit_live_when_asked(
    control_plane: ControlPlane, argocd: ArgoCD, git_daemon: GitDaemon, namespace: str, work: Path
) -> None:
    first = _commit(work, _DEPLOYMENT)
    await argocd.create_application(namespace, git_daemon.url(f"{namespace}.git"), "apps", namespace)
    await argocd.synced(namespace, first)
    before = {"replicas": 2, "image": "registry.example/web:1.0"}
    assert await _eventually(control_plane, namespace, before, 5) == before
    live: dict[str, Any] = await control_plane.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/web")
    tracking = live["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"]
    assert tracking == f"{namespace}:apps/Deployment:{namespace}/web"

    await control_plane.kubectl("scale", "deployment/web", "--replicas=5", "-n", namespace)
    assert await _eventually(control_plane, namespace, before, 30) == before

    second = _commit(work, _DEPLOYMENT.replace("web:1.0", "web:1.1"))
    await argocd.refresh(namespace)
    await argocd.synced(namespace, second, within_s=30)
    after = {"replicas": 2, "image": "registry.example/web:1.1"}
    assert await _eventually(control_plane, namespace, after, 10) == after
    await argocd.delete_application(namespace)
