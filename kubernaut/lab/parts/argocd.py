"""A genuine Argo CD without its user interface: application controller, repository server and Redis. 320 MB."""

import asyncio
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from kubernaut.domain.errors import Permanent
from kubernaut.lab.parts.catalogue import Parts
from kubernaut.lab.parts.control_plane import ControlPlane
from kubernaut.lab.parts.http import answers
from kubernaut.lab.parts.process import free_port, listens
from kubernaut.lab.parts.server import Server
from kubernaut.sim.argocd.definition import APPLICATIONS, NAMESPACE, application

_APPLICATIONS = APPLICATIONS.format(namespace=NAMESPACE)


class ArgoCD(Server):
    """One Argo CD that syncs into the control plane it is given.

    All but the controller's port for metrics listens on loopback only; Argo CD has no option for that one.

    Its namespace, resource definitions, configuration and the project `default` are created in the cluster and stay
    there when it stops.

    Args:
        parts: where the binaries are; needs argocd, redis and git.
        cluster: a control plane that runs and outlives this.
        resync_s: how often it compares again without being asked.
    """

    what = "argocd"

    def __init__(self, parts: Parts, cluster: ControlPlane, *, resync_s: int = 20) -> None:
        super().__init__()
        self._parts = parts
        self._cluster = cluster
        self._resync_s = resync_s
        self._metrics = 0

    async def _launch(self) -> None:
        await self._install()
        redis, repositories, repositories_metrics, self._metrics = (free_port() for _ in range(4))
        self._run_redis(redis)
        self._run_repository_server(redis, repositories, repositories_metrics)
        await self.until("argocd-repo-server", lambda: listens(repositories))
        self._run_controller(redis, repositories)
        await self.until("argocd-application-controller", self.ready)

    async def ready(self) -> bool:
        """Whether the controller answers."""
        return await answers(f"http://127.0.0.1:{self._metrics}/healthz")

    def _run_redis(self, port: int) -> None:
        options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
        self.run("redis-server", [self._parts.path("redis", "redis-server"), *options])

    def _run_repository_server(self, redis: int, port: int, metrics: int) -> None:
        options = ["--redis", f"127.0.0.1:{redis}", "--port", str(port), "--metrics-port", str(metrics)]
        here = ["--disable-tls", "--address", "127.0.0.1", "--metrics-address", "127.0.0.1", "--loglevel", "warn"]
        self.run("argocd-repo-server", [self._named("argocd-repo-server"), *options, *here], self._environment())

    def _run_controller(self, redis: int, repositories: int) -> None:
        name = "argocd-application-controller"
        options = ["--kubeconfig", str(self._cluster.kubeconfig()), "--namespace", NAMESPACE]
        peers = ["--redis", f"127.0.0.1:{redis}", "--repo-server", f"127.0.0.1:{repositories}"]
        rest = ["--repo-server-plaintext", "--metrics-port", str(self._metrics), "--app-resync", str(self._resync_s)]
        command: list[str | Path] = [
            self._named(name),
            *options,
            *peers,
            *rest,
            "--app-resync-jitter",
            "0",
            "--loglevel",
            "warn",
        ]
        self.run(name, command, self._environment())

    def _named(self, name: str) -> Path:
        """The one binary is a different program by each name."""
        link = self.folder / "bin" / name
        link.parent.mkdir(exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(self._parts.path("argocd", "argocd"))
        return link

    def _environment(self) -> dict[str, str]:
        env = {
            "KUBECONFIG": str(self._cluster.kubeconfig()),
            "ARGOCD_FAKE_IN_CLUSTER": "true",  # what an Application calls "in cluster" is KUBECONFIG's cluster
            "ARGOCD_GPG_ENABLED": "false",
        }
        folders = ("ARGOCD_GNUPGHOME", "ARGOCD_TLS_DATA_PATH", "ARGOCD_SSH_DATA_PATH", "ARGOCD_PLUGINSOCKFILEPATH")
        for variable in folders:
            empty = self.folder / variable.lower()
            empty.mkdir(exist_ok=True)
            env[variable] = str(empty)
        return env

    async def _established(self, definitions: list[Path]) -> None:
        """Waits until the kinds are served; for a moment a new definition has null conditions, on which kubectl stumbles."""
        command = ("wait", "--for=condition=Established", "--timeout=30s", *_files(definitions))
        for _ in range(20):
            try:
                await self._cluster.kubectl(*command)
                return
            except Permanent as error:
                if "conditions accessor" not in str(error):
                    raise
            await asyncio.sleep(0.5)
        await self._cluster.kubectl(*command)

    async def _install(self) -> None:
        kubectl = self._cluster.kubectl
        manifests = self._parts.path("argocd", "manifests")
        definitions = sorted((manifests / "crds").glob("*-crd.yaml"))
        configuration = [
            path for path in sorted((manifests / "base" / "config").glob("*.yaml")) if path.stem != "kustomization"
        ]
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        await self._apply(namespace)
        await kubectl("apply", "--server-side", "--force-conflicts", *_files(definitions))
        await kubectl("apply", "--server-side", "--force-conflicts", "-n", NAMESPACE, *_files(configuration))
        await self._established(definitions)
        await self._apply(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "argocd-secret", "namespace": NAMESPACE},
                "stringData": {"server.secretkey": secrets.token_hex(16)},  # without it every Application stays Unknown
            },
            {
                "apiVersion": "argoproj.io/v1alpha1",
                "kind": "AppProject",
                "metadata": {"name": "default", "namespace": NAMESPACE},
                "spec": {
                    "sourceRepos": ["*"],
                    "destinations": [{"namespace": "*", "server": "*"}],
                    "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
                },
            },
        )

    async def _apply(self, *objects: Mapping[str, object]) -> None:
        text = msgspec.json.encode({"apiVersion": "v1", "kind": "List", "items": objects}).decode()
        await self._cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", input=text)

    async def create_application(
        self,
        name: str,
        repo_url: str,
        path: str,
        namespace: str,
        *,
        revision: str = "main",
        self_heal: bool = True,
        prune: bool = True,
    ) -> None:
        """Creates or changes an Application that syncs by itself.

        Args:
            name: its name in the namespace `argocd`.
            repo_url: a repository, as `GitDaemon.url` gives it.
            path: the folder of manifests in it.
            namespace: where the objects go; made when missing.
            revision: the branch it follows.
            self_heal: whether live edits of Git's fields are undone.
            prune: whether objects that leave Git leave the cluster.
        """
        await self._apply(
            application(name, repo_url, path, namespace, revision=revision, self_heal=self_heal, prune=prune)
        )

    async def application(self, name: str) -> dict[str, Any]:
        """The Application as it is now."""
        return await self._cluster.get(f"{_APPLICATIONS}/{name}")

    async def delete_application(self, name: str) -> None:
        """Deletes the Application and leaves what it deployed."""
        await self._cluster.kubectl("delete", "application.argoproj.io", name, "-n", NAMESPACE, "--ignore-not-found")

    async def refresh(self, name: str) -> None:
        """Asks for a comparison with Git now, as kubernaut does after a merge."""
        await self._cluster.kubectl(
            "annotate", "application.argoproj.io", name, "-n", NAMESPACE, "--overwrite",
            "argocd.argoproj.io/refresh=normal",
        )  # fmt: skip

    async def synced(self, name: str, revision: str = "", within_s: float = 60.0) -> dict[str, Any]:
        """Waits until the Application is Synced, at `revision` when one is given, and returns it.

        Raises:
            Permanent: it wasn't in time; the message has its state.
        """
        deadline = time.monotonic() + within_s
        while True:
            application = await self.application(name)
            state = msgspec.convert(application, _Application).status
            if state.sync.status == "Synced" and state.sync.revision.startswith(revision):
                return application
            if time.monotonic() > deadline:
                said = "; ".join(condition.message for condition in state.conditions)
                raise Permanent(
                    f"Application {name} is not synced after {within_s:g} s: {state.sync} {said}\n{self.tail()}"
                )
            await asyncio.sleep(0.1)

    def tail(self) -> str:
        """The ends of its servers' logs."""
        return "\n".join(f"{name}: {process.tail(5)}" for name, process in self.processes.items())


class _Sync(msgspec.Struct):
    status: str = ""
    revision: str = ""


class _Condition(msgspec.Struct):
    message: str = ""


class _Status(msgspec.Struct):
    sync: _Sync = msgspec.field(default_factory=_Sync)
    conditions: list[_Condition] = []


class _Application(msgspec.Struct):
    status: _Status = msgspec.field(default_factory=_Status)


def _files(paths: list[Path]) -> list[str]:
    return [argument for path in paths for argument in ("-f", str(path))]
