"""A kubeconfig as kubernetes-asyncio reads it, but with certificates and keys kept in memory.

The library writes what a kubeconfig carries inline, and what an exec plugin gives, into files of the temporary folder, and
removes them when the process ends by itself.

Importing this takes more than a second, because the library's models come along.
"""

from base64 import standard_b64decode
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from kubernetes_asyncio.client import Configuration
from kubernetes_asyncio.config import ConfigException, load_incluster_config
from kubernetes_asyncio.config.dateutil import parse_rfc3339
from kubernetes_asyncio.config.exec_provider import ExecProvider
from kubernetes_asyncio.config.kube_config import FileOrData, KubeConfigLoader, KubeConfigMerger

from .plugin import run_plugin
from .tls import Tls


@dataclass(frozen=True, slots=True)
class Login:
    """How to reach one API server and who we are there.

    Args:
        configuration: kubernetes-asyncio's, for the host, the proxy and the token with its renewal.
        expires_at: when an exec plugin said that its credentials end.
    """

    configuration: Any
    tls: Tls
    expires_at: datetime | None = None

    async def authorization(self) -> str:
        """The header's value, renewed if need be; empty without a token. Files of tokens mostly end with a line.

        Raises: ConfigException for what no header can hold, and whatever the library raises.
        """
        value = str(await self.configuration.get_api_key_with_prefix("BearerToken") or "").strip()
        if not value.isprintable():
            raise ConfigException("the token has a control character in it")
        return value


async def from_file(path: Path, context: str | None) -> Login:
    """The login of a context of a kubeconfig. Raises whatever plugins and the library raise."""
    merged = KubeConfigMerger(str(path))
    loader = _Loader(
        config_dict=merged.config, active_context=context, config_base_path=None, config_persister=merged.save_changes
    )
    configuration = Configuration()
    await loader.load_and_set(configuration)
    return Login(configuration, loader.tls, getattr(loader, "exec_plugin_expiry", None))


def from_pod() -> Login:
    """The login of the service account of the pod that this runs in."""
    configuration = Configuration()
    load_incluster_config(configuration)  # type: ignore[no-untyped-call]  # the library is typed in part
    return Login(configuration, Tls(Path(str(configuration.ssl_ca_cert)).read_bytes()))


class _Loader(KubeConfigLoader):
    host: str
    proxy: str
    tls = Tls()
    _given: tuple[bytes, bytes] | None = None
    """Certificate and key of an exec plugin."""
    _cluster: Any
    _user: Any

    async def load_from_exec_plugin(self) -> bool:
        """A token, a client certificate, or both.

        Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#input-and-output-formats
        """
        status = await run_plugin(ExecProvider(self._user["exec"]))
        if status.get("expirationTimestamp"):
            self.exec_plugin_expiry = parse_rfc3339(status["expirationTimestamp"])
        if status.get("token"):
            self.token = f"Bearer {status['token']}"
        if status.get("clientCertificateData"):
            if not status.get("clientKeyData"):
                raise ConfigException("exec: the plugin gave a client certificate, but not its key (clientKeyData)")
            self._given = (status["clientCertificateData"].encode(), status["clientKeyData"].encode())
        elif not status.get("token"):
            raise ConfigException("exec: the plugin gave neither token nor clientCertificateData")
        return True

    def _load_cluster_info(self) -> None:
        cluster, user = self._cluster, self._user
        self.host = str(cluster["server"]).rstrip("/")
        if "proxy-url" in cluster:
            self.proxy = cluster["proxy-url"]
        if not self.host.startswith("https"):
            return
        certificate, key = self._given or (self._pem(user, "client-certificate"), self._pem(user, "client-key"))
        self.tls = Tls(
            self._pem(cluster, "certificate-authority"),
            certificate,
            key,
            verify=not cluster.safe_get("insecure-skip-tls-verify"),
            server_name=cluster.safe_get("tls-server-name"),
        )

    def _pem(self, section: Any, key: str) -> bytes:
        """The value of `KEY-data`, or the content of the file that `KEY` names; empty when there is neither."""
        if section is None:
            return b""
        data = FileOrData(section, key, file_base_path=self._get_base_path(section.path)).as_data()
        return standard_b64decode(data) if data else b""
