"""Who we are and whom we trust, from a kubeconfig or from the pod we run in.

The file is read at once, so that a wrong path or context is a clear error at the start. Credentials themselves (exec
plugins, token files, certificates) are loaded when they are first needed and again whenever the server rejects them,
because both may fail for a while without being wrong.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from kubernaut.domain.errors import BadInput, Temporary
from kubernaut.domain.redaction import redact

if TYPE_CHECKING:
    from .kubeconfig import Login

_EARLY = timedelta(seconds=60)
_SELDOM = timedelta(seconds=30)
_EXEC_S = 30.0


class Credentials:
    """Loads what it takes to log in.

    Args:
        kubeconfig: the file; None for the service account of the pod that this runs in.
        context: which context of the file; None for its current one.
    """

    def __init__(self, kubeconfig: Path | None, context: str | None) -> None:
        self._kubeconfig = kubeconfig
        self._context = context
        self._expires_at: datetime | None = None
        self._loaded_at = datetime.min.replace(tzinfo=UTC)

    def check(self) -> None:
        """Raises BadInput if the file, the context, or what the context names is missing."""
        if self._kubeconfig is None:
            return
        place = str(self._kubeconfig)
        try:
            config = yaml.safe_load(self._kubeconfig.read_text())
        except OSError as e:
            raise BadInput(f"can't read the kubeconfig: {e.strerror}", place=place) from e
        except yaml.YAMLError as e:
            raise BadInput("the kubeconfig is not YAML", place=place) from e
        if not isinstance(config, dict):
            raise BadInput("the kubeconfig is not a mapping", place=place)
        name = self._context or config.get("current-context") or ""
        context = _named(config, "contexts", name, place).get("context") or {}
        cluster = _named(config, "clusters", context.get("cluster", ""), place).get("cluster") or {}
        if not str(cluster.get("server", "")).startswith(("https://", "http://")):
            where = f"clusters[{context.get('cluster')}]"
            raise BadInput("the cluster names no server; expected https://HOST:PORT", field=where, place=place)
        proxy = str(cluster.get("proxy-url") or "")
        if proxy and not proxy.startswith(("https://", "http://")):
            where = f"clusters[{context.get('cluster')}].proxy-url"
            raise BadInput(
                "kubernaut can't use this kind of proxy; expected http://HOST:PORT", field=where, place=place
            )
        if context.get("user"):
            _named(config, "users", context["user"], place)

    @property
    def expired(self) -> bool:
        """Whether an exec plugin said that its token ends about now; at most once in half a minute."""
        now = datetime.now(UTC)
        return self._expires_at is not None and now >= self._expires_at - _EARLY and now >= self._loaded_at + _SELDOM

    async def load(self) -> "Login":
        """A fresh login. Raises Temporary when a plugin or a file does not give what it should."""
        self._loaded_at = datetime.now(UTC)
        try:
            await asyncio.to_thread(_library)
            from . import kubeconfig

            async with asyncio.timeout(_EXEC_S):
                if self._kubeconfig is None:
                    login = kubeconfig.from_pod()
                else:
                    login = await kubeconfig.from_file(self._kubeconfig, self._context)
                await login.authorization()
        except TimeoutError as e:
            raise Temporary(f"can't load the credentials: no answer from the plugin within {_EXEC_S:g} s", 5.0) from e
        except Exception as e:  # plugins and the library raise anything
            raise unusable(e) from e
        self._expires_at = login.expires_at
        return login


def _library() -> None:
    """Imported late and in a thread: the library's models take more than a second to load."""
    from . import kubeconfig  # noqa: F401


def _named(config: dict[str, Any], section: str, name: str, place: str) -> dict[str, Any]:
    entries = [entry for entry in config.get(section) or () if isinstance(entry, dict)]
    for entry in entries:
        if entry.get("name") == name:
            return entry
    known = ", ".join(sorted(str(entry.get("name")) for entry in entries)) or "none"
    raise BadInput(f"no entry named {name!r} (there: {known})", field=section, place=place)


def unusable(e: Exception) -> Temporary:
    """Why there are no credentials now, without what looks like one: plugins and parsers quote what they were given."""
    first_line = redact((str(e).splitlines() or [""])[0])[:200]
    return Temporary(f"can't load the credentials: {type(e).__name__}: {first_line}", 5.0)
