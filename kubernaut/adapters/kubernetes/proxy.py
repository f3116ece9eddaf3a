"""The proxy on the way to an API server: the kubeconfig's, or the environment's as kubectl takes it.

Asked once for a pool of connections. aiohttp would ask for each request, in a thread, and would also look for a password of the
API server in ~/.netrc, where nobody expects one.
"""

from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where to, and what to say there; no URL: no proxy."""

    url: str | None = None
    headers: dict[str, str] | None = None

    @classmethod
    def towards(cls, server: str, configured: str | None) -> "Proxy":
        """The proxy for a server.

        Args:
            server: URL of the API server.
            configured: `proxy-url` of the kubeconfig; it goes before HTTPS_PROXY, HTTP_PROXY and NO_PROXY.
        """
        target = urlsplit(server)
        url = configured
        if not url and not proxy_bypass(target.hostname or ""):
            url = getproxies().get(target.scheme)
        if not url:
            return cls()
        parts = urlsplit(url)
        if parts.username is None:
            return cls(url)
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers = {"Proxy-Authorization": f"Basic {b64encode(secret.encode()).decode()}"}
        return cls(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(), headers)
