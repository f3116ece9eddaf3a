"""The genuine servers that tests and the demo run: what they are, where their binaries lie, and why one is missing.

Each group of Go tools has its own go.mod under `tests/genuine/`, because their dependencies conflict in one. A folder
of binaries is named by the hash of everything that decides its content, so a changed version can never be mistaken for
the old one and an unchanged one is never built twice.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kubernaut.domain.errors import Permanent

CHECKOUT = Path(__file__).resolve().parents[3]

_KUBERNETES_FLAGS = (
    "-X k8s.io/component-base/version.gitVersion={version} -X k8s.io/component-base/version.gitMajor={major} "
    "-X k8s.io/component-base/version.gitMinor={minor} -X k8s.io/client-go/pkg/version.gitVersion={version}"
)


def cache_folder() -> Path:
    """The one folder on the machine that kubernaut's scripts write to."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kubernaut"


@dataclass(frozen=True, slots=True)
class GoPart:
    """A group of programs built from one go.mod.

    Args:
        name: the folder below `tests/genuine/`.
        module: the Go module whose required version is the part's version.
        binaries: what `go install` calls each program, and what we call it.
        flags: linker flags; `{version}`, `{major}` and `{minor}` are the module's.
        files: folders copied out of the module's source, because running needs them and Go is then gone.
        minutes: how long a cold build takes on two cores, to tell the one who waits.
    """

    name: str
    module: str
    binaries: Mapping[str, str]
    flags: str = ""
    files: tuple[str, ...] = ()
    minutes: float = 1.0

    @property
    def source(self) -> Path:
        return CHECKOUT / "tests" / "genuine" / self.name

    @property
    def version(self) -> str:
        found = re.search(
            rf"^\s*(?:require )?{re.escape(self.module)} (v\S+)", (self.source / "go.mod").read_text(), re.M
        )
        if found is None:
            raise Permanent(f"{self.source}/go.mod requires no version of {self.module}")
        return found[1]

    @property
    def linker_flags(self) -> str:
        version = self.version
        major, minor = version.removeprefix("v").split(".")[:2]
        return f"-s -w {self.flags.format(version=version, major=major, minor=minor)}".strip()

    @property
    def key(self) -> str:
        digest = hashlib.sha256()
        for content in (
            (self.source / "go.mod").read_bytes(),
            (self.source / "go.sum").read_bytes(),
            repr((self.linker_flags, dict(self.binaries), self.files)).encode(),
        ):
            digest.update(hashlib.sha256(content).digest())
        return digest.hexdigest()[:16]

    def folder(self, cache: Path) -> Path:
        return cache / "bin" / f"{self.name}-{self.key}"


GO_PARTS: tuple[GoPart, ...] = (
    GoPart(
        "control-plane",
        "k8s.io/kubernetes",
        {
            "server": "etcd",
            "kube-apiserver": "kube-apiserver",
            "kube-controller-manager": "kube-controller-manager",
            "kube-scheduler": "kube-scheduler",
            "kubectl": "kubectl",
        },
        flags=_KUBERNETES_FLAGS,
        minutes=5,
    ),
    GoPart("opa", "github.com/open-policy-agent/opa", {"opa": "opa"}),
    GoPart(
        "alertmanager",
        "github.com/prometheus/alertmanager",
        {"alertmanager": "alertmanager", "amtool": "amtool"},
    ),
    GoPart(
        "argocd",
        "github.com/argoproj/argo-cd/v3",
        {"cmd": "argocd"},
        files=("manifests/crds", "manifests/base/config"),
        minutes=4,
    ),
)
PART_NAMES = (*(part.name for part in GO_PARTS), "redis", "git")


def redis_folder(cache: Path) -> Path:
    return cache / "bin" / "redis"


def _find_redis(cache: Path) -> Path | str:
    installed = shutil.which("redis-server")
    if installed:
        return Path(installed).parent
    if os.access(redis_folder(cache) / "redis-server", os.X_OK):
        return redis_folder(cache)
    return "redis-server is not on PATH: run `scripts/genuine build redis` (Debian: apt-get install redis-server)"


def _find_git() -> Path | str:
    """The folder that holds git and git-daemon itself: `git daemon` would be a child that outlives its parent."""
    git = shutil.which("git")
    if git is None:
        return "git is not on PATH (Debian: apt-get install git)"
    for folder in (Path("/usr/lib/git-core"), Path("/usr/libexec/git-core"), Path(git).resolve().parent):
        if os.access(folder / "git-daemon", os.X_OK):
            return folder
    return "git has no git-daemon (Fedora: dnf install git-daemon)"


@dataclass(frozen=True, slots=True)
class Parts:
    """Which genuine parts this machine has.

    Args:
        folders: the folder of binaries of each part that is there.
        missing: for each other part, why it isn't and what to do.
    """

    folders: Mapping[str, Path]
    missing: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def find(cls, cache: Path | None = None) -> "Parts":
        """Looks at the cache and at PATH; runs nothing, so it costs a few milliseconds."""
        cache = cache or cache_folder()
        found: dict[str, Path | str] = {part.name: _find_built(part, cache) for part in GO_PARTS}
        found["redis"] = _find_redis(cache)
        found["git"] = _find_git()
        return cls(
            {name: where for name, where in found.items() if isinstance(where, Path)},
            {name: where for name, where in found.items() if isinstance(where, str)},
        )

    def why_missing(self, names: Iterable[str]) -> str | None:
        """One line that tells why the first missing part of `names` is missing; None when all are there."""
        return next((f"{name}: {self.missing[name]}" for name in names if name in self.missing), None)

    def path(self, part: str, name: str) -> Path:
        """Where a program or a folder of the part is.

        Raises:
            Permanent: the part is missing; the message says what to do.
        """
        reason = self.why_missing([part])
        if reason:
            raise Permanent(reason)
        return self.folders[part] / name


def _find_built(part: GoPart, cache: Path) -> Path | str:
    if not (part.source / "go.sum").is_file():
        return f"there is no {part.source}/go.sum: genuine parts are built from a checkout of the project"
    folder = part.folder(cache)
    return folder if folder.is_dir() else f"not built: run `scripts/genuine build {part.name}`"
