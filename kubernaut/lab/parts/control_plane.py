"""A genuine Kubernetes control plane: etcd, API server, controller manager, scheduler. No kubelet.

Nodes are objects that somebody keeps fresh and pods change their status only when somebody writes it; the stand-in for
the kubelet in `kubernaut.sim` is that somebody. Ready in about four seconds, 500 MB.
"""

import asyncio
import os
import secrets
import ssl
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from kubernaut.domain.errors import Permanent
from kubernaut.lab.parts.audit import POLICY, Write, read_writes
from kubernaut.lab.parts.catalogue import Parts
from kubernaut.lab.parts.http import answers, request
from kubernaut.lab.parts.process import PortTaken, Process, free_port, output
from kubernaut.lab.parts.server import Server

_MASTERS = "system:masters"
_PORT_ATTEMPTS = 10


class ControlPlane(Server):
    """One cluster, on ports and in a folder of its own.

    The users `admin` (may do everything), `kubernaut`, `viewer` and `outsider` have tokens; all but admin may do only
    what RBAC grants them, and to begin with that is: `viewer` is bound to the ClusterRole `view`, the others to nothing.

    Args:
        parts: where the binaries are.
        users: further users, each with the groups it is in.
        node_grace_s: how long a node's heartbeat may be missing before the node counts as lost. Kubernetes has 50.
    """

    what = "control-plane"

    def __init__(
        self, parts: Parts, *, users: Mapping[str, tuple[str, ...]] | None = None, node_grace_s: int = 40
    ) -> None:
        super().__init__()
        self._parts = parts
        self._node_grace_s = node_grace_s
        self._users: dict[str, tuple[str, ...]] = {
            "admin": (_MASTERS,),
            "system:kube-controller-manager": (_MASTERS,),
            "system:kube-scheduler": (),
            "kubernaut": (),
            "viewer": (),
            "outsider": (),
            **(users or {}),
        }
        self._tokens = {user: secrets.token_hex(16) for user in self._users}
        self._port = 0
        self._etcd = ""

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._port}"

    @property
    def ca_file(self) -> Path:
        return self.folder / "certs" / "apiserver.crt"

    def token(self, user: str = "admin") -> str:
        return self._tokens[user]

    def kubeconfig(self, path: Path | None = None, user: str = "admin", *, context: str = "genuine") -> Path:
        """Writes a kubeconfig for `user`, readable by its owner only, and returns where."""
        path = path or self.folder / f"kubeconfig-{user.replace(':', '-')}"
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": context,
            "clusters": [{"name": context, "cluster": {"server": self.url, "certificate-authority-data": self._ca()}}],
            "users": [{"name": user, "user": {"token": self.token(user)}}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": user}}],
        }
        with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            yaml.safe_dump(content, file)
        return path

    def _ca(self) -> str:
        return b64encode(self.ca_file.read_bytes()).decode()

    async def _launch(self) -> None:
        self._port = free_port()
        self._write_credentials()
        etcd_port, peer_port = free_port(), free_port()
        self._etcd = f"http://127.0.0.1:{etcd_port}"
        self._run("etcd", self._etcd_arguments(peer_port))
        self._run("kube-apiserver", self._api_server_arguments())  # it waits for etcd by itself
        await self.until("kube-apiserver", self.ready)
        for name, arguments in (
            ("kube-controller-manager", self._controller_manager_arguments()),
            ("kube-scheduler", ["--kube-api-qps=200", "--kube-api-burst=400"]),
        ):
            kubeconfig = self.kubeconfig(user=f"system:{name}")
            self._run(name, [f"--kubeconfig={kubeconfig}", "--leader-elect=false", "--secure-port=0", *arguments])
        await self.grant("viewer", "view")
        await self.until("kube-controller-manager", self._default_account_exists)

    def _run(self, name: str, arguments: list[str]) -> Process:
        return self.run(name, [self._parts.path("control-plane", name), *arguments])

    def _write_credentials(self) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        (self.folder / "service-accounts.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        lines = [f'{self._tokens[user]},{user},{user},"{",".join(groups)}"\n' for user, groups in self._users.items()]
        (self.folder / "tokens.csv").write_text("".join(lines))
        (self.folder / "audit-policy.yaml").write_text(POLICY)

    def _etcd_arguments(self, peer_port: int) -> list[str]:
        peer = f"http://127.0.0.1:{peer_port}"
        return [
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={self._etcd}",
            f"--advertise-client-urls={self._etcd}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",  # its data doesn't outlive the test
            "--log-level=warn",
        ]

    def _api_server_arguments(self) -> list[str]:
        key = self.folder / "service-accounts.pem"
        return [
            f"--etcd-servers={self._etcd}",
            f"--secure-port={self._port}",
            "--bind-address=127.0.0.1",
            f"--cert-dir={self.folder / 'certs'}",
            f"--token-auth-file={self.folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--allow-privileged=true",
            "--disable-admission-plugins=ServiceAccount",
            "--endpoint-reconciler-type=none",  # a loopback address is no valid endpoint
            "--kubelet-preferred-address-types=InternalIP",
            "--profiling=false",
            f"--audit-policy-file={self.folder / 'audit-policy.yaml'}",
            f"--audit-log-path={self.folder / 'audit.log'}",
        ]

    def _controller_manager_arguments(self) -> list[str]:
        return [
            f"--service-account-private-key-file={self.folder / 'service-accounts.pem'}",
            f"--root-ca-file={self.ca_file}",
            f"--node-monitor-grace-period={self._node_grace_s}s",
            "--node-monitor-period=1s",
            "--horizontal-pod-autoscaler-sync-period=5s",
            "--kube-api-qps=200",  # by default it writes 20 objects a second, and a test waits for it
            "--kube-api-burst=400",
        ]

    async def ready(self) -> bool:
        """Whether the API server says that it is ready."""
        return self.ca_file.is_file() and await answers(f"{self.url}/readyz", token=self.token(), ca=self.ssl())

    async def _default_account_exists(self) -> bool:
        """The controller manager made it: its controllers run."""
        return await answers(
            f"{self.url}/api/v1/namespaces/default/serviceaccounts/default", token=self.token(), ca=self.ssl()
        )

    def ssl(self) -> ssl.SSLContext:
        """Trusts this API server and nobody else."""
        return ssl.create_default_context(cafile=str(self.ca_file))

    async def grant(self, user: str, cluster_role: str) -> None:
        """Binds a user to a ClusterRole in the whole cluster."""
        name = f"{user}-{cluster_role}".replace(":", "-")
        group = "rbac.authorization.k8s.io"
        body = {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": cluster_role},
            "subjects": [{"kind": "User", "apiGroup": group, "name": user}],
        }
        status, answer = await self.request("POST", f"/apis/{group}/v1/clusterrolebindings", body)
        if status not in (201, 409):
            raise Permanent(f"could not bind {user} to {cluster_role}: {status} {answer.decode(errors='replace')}")

    async def request(self, method: str, path: str, body: object = None, *, user: str = "admin") -> tuple[int, bytes]:
        """One request to the API server as `user`: status and body. A PATCH is a merge patch."""
        return await request(method, self.url + path, body=body, token=self.token(user), ca=self.ssl())

    async def get(self, path: str) -> dict[str, Any]:
        """An object or list by its path, as `/apis/apps/v1/namespaces/shop/deployments/web`.

        Raises:
            Permanent: it isn't there, or the API server doesn't answer.
        """
        status, body = await self.request("GET", path)
        if status != 200:
            raise Permanent(f"GET {path}: {status} {body.decode(errors='replace')}")
        return msgspec.json.decode(body, type=dict[str, Any])

    def writes(self, user: str = "kubernaut") -> list[Write]:
        """What `user` has written since the start, dry runs and refused writes too, as the audit log tells."""
        return read_writes(self.folder / "audit.log", user)

    async def kubectl(
        self,
        *arguments: str,
        input: str | None = None,
        user: str = "admin",
        timeout_s: float = 60.0,
    ) -> str:
        """Runs genuine kubectl and returns what it prints.

        Raises:
            Permanent: kubectl ended with an error; the message is kubectl's.
        """
        command: list[str | Path] = [
            self._parts.path("control-plane", "kubectl"),
            "--kubeconfig",
            self.kubeconfig(user=user),
            *arguments,
        ]
        env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.folder)}
        return await output(command, text=input or "", env=env, timeout_s=timeout_s)

    def stop_api_server(self) -> None:
        """Takes the API server away; etcd keeps all objects."""
        self.processes["kube-apiserver"].stop()

    async def start_api_server(self) -> None:
        """Brings it back on the same port with the same certificate; returns when it is ready."""
        for attempt in range(_PORT_ATTEMPTS):
            self.processes["kube-apiserver"].start()
            try:
                await self.until("kube-apiserver", self.ready)
                return
            except PortTaken:  # by connections of the one that was killed, for a few seconds
                if attempt == _PORT_ATTEMPTS - 1:
                    raise
                await asyncio.sleep(1)
