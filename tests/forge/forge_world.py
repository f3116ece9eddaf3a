"""What the forge's tests stand on: a manifest, a still clock, and a colleague who pushes with plain git."""

import os
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kubernaut.domain.proposals import ChangeRequest, FileChange

URL = "git://127.0.0.1:9418/shop.git"
PATH = "apps/checkout/deployment.yaml"
MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: checkout, namespace: shop}
spec:
  replicas: 3
  template:
    spec:
      containers:
        - name: app
          image: registry.example/checkout:1.4.2
          resources:
            limits:
              memory: 128Mi # measured in May
              cpu: 500m
"""


@dataclass
class StillClock:
    """Time that moves only when told to."""

    at: datetime = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def tick(self, seconds: float = 60) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Colleague:
    """Somebody with a clone, who commits and pushes with plain git."""

    bare: Path
    clone: Path
    environment: dict[str, str] = field(
        default_factory=lambda: {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@shop.example",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@shop.example",
        }
    )

    def git(self, *arguments: str, folder: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder or self.clone,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.rstrip("\n")

    def commit(self, files: dict[str, str], message: str = "Work", branch: str = "main") -> str:
        """Commit to a branch and push it; returns the commit."""
        self.git("fetch", "-q", "origin")
        known = f"origin/{branch}" in self.git("branch", "-r", "--format=%(refname:short)").splitlines()
        self.git("checkout", "-q", "-B", branch, *([f"origin/{branch}"] if known else []))
        for path, text in files.items():
            target = self.clone / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.encode())
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        self.git("push", "-q", "origin", branch)
        return self.git("rev-parse", "HEAD")

    def show(self, name: str) -> str:
        """A file or commit as the bare repository has it."""
        return self.git("show", name, folder=self.bare)

    def tip(self, branch: str = "main") -> str:
        return self.git("rev-parse", f"refs/heads/{branch}", folder=self.bare)


def make_bare(path: Path) -> None:
    subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", str(path)], check=True, timeout=30)


def memory_request(
    base_commit: str, *, branch: str = "kubernaut/rr-2a3b4c", to: str = "256Mi", before: str = MANIFEST
) -> ChangeRequest:
    """Raise the memory limit of the shop's checkout."""
    after = before.replace("memory: 128Mi", f"memory: {to}")
    return ChangeRequest(
        URL, "main", branch, base_commit, (FileChange(PATH, before, after, 13),),
        title=f"Raise the memory limit of shop/checkout to {to}", body="It was killed for memory.",
        labels=("kubernaut", "severity/critical"), reviewers=("ada",),
    )  # fmt: skip
