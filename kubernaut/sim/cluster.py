"""A cluster in this process: an API server on a loopback port and the controllers behind it.

It has no kubelet. Pods are scheduled and then stay Pending until somebody writes their status over HTTP, exactly as
on a genuine control plane without nodes of its own.
"""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Mapping
from pathlib import Path

import yaml

from kubernaut.sim.apiserver import bootstrap
from kubernaut.sim.apiserver.access import MASTERS, Authenticator, Authorizer, User
from kubernaut.sim.apiserver.api import Api
from kubernaut.sim.apiserver.certificates import Certificates
from kubernaut.sim.apiserver.clock import Now, utc_now
from kubernaut.sim.apiserver.resources import Catalogue
from kubernaut.sim.apiserver.server import Server
from kubernaut.sim.apiserver.store import Store
from kubernaut.sim.apiserver.tokens import Tokens
from kubernaut.sim.controllers.all import all_controllers
from kubernaut.sim.controllers.definitions import Definitions
from kubernaut.sim.controllers.loop import ControllerLoop
from kubernaut.sim.controllers.timing import Timing

USERS: Mapping[str, User] = {
    "admin": User("admin", (MASTERS,)),
    "kubernaut": User("kubernaut"),
    "viewer": User("viewer"),
    "outsider": User("outsider"),
}


class SimulatedCluster:
    """Start it, give its kubeconfig to any Kubernetes client, stop it.

    Args:
        users: name → user; each gets a token that `write_kubeconfig` writes.
        timing: patience of the node lifecycle controller.
        now: the clock of timestamps (timers follow the event loop's clock).
    """

    def __init__(self, *, users: Mapping[str, User] = USERS, timing: Timing | None = None, now: Now = utc_now) -> None:
        self._tokens = {name: f"{name}-{base64.b32encode(os.urandom(15)).decode().lower()}" for name in users}
        self._store = Store()
        self._catalogue = Catalogue()
        self._api = Api(self._store, self._catalogue, now)
        self._definitions = Definitions(self._api)
        authenticator = Authenticator({token: users[name] for name, token in self._tokens.items()})
        self._service_tokens = Tokens(self._api, authenticator)
        self._server = Server(self._api, authenticator, Authorizer(self._store), self._service_tokens)
        self._timing = timing or Timing()
        self._certificates: Certificates | None = None
        self._host, self._port = "", 0
        self._controllers: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """https://host:port of the API server."""
        return f"https://{self._host}:{self._port}"

    @property
    def ca_pem(self) -> str:
        """The certificate clients must trust."""
        return self._made_certificates().authority_pem

    def token(self, user: str = "admin") -> str:
        """The bearer token of a user.

        Raises:
            KeyError: there is no such user.
        """
        return self._tokens[user]

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Serve and run the controllers; port 0 takes any free one."""
        self._host = host
        bootstrap.fill(self._api)
        self._port = await self._server.listen(host, port, self._made_certificates(host).context())
        loop = ControllerLoop(self._api, all_controllers(self._api, self._timing, self._service_tokens, self.ca_pem))
        self._controllers = asyncio.create_task(loop.run(), name="simulated controllers")

    async def stop(self) -> None:
        """End the controllers and the server; what was stored is gone with the object."""
        if self._controllers is not None:
            self._controllers.cancel()
            await asyncio.gather(self._controllers, return_exceptions=True)
            self._controllers = None
        await self._server.close()

    async def stop_serving(self) -> None:
        """An outage: connections are refused and open ones end; controllers go on."""
        await self._server.close()

    async def resume_serving(self) -> None:
        """The end of an outage, on the same port."""
        await self._server.listen(self._host, self._port, self._made_certificates().context())

    def compact(self) -> None:
        """Forget history: watches from any earlier resourceVersion get 410, continue tokens expire."""
        self._store.forget()
        self._server.lister.forget()

    def write_kubeconfig(self, path: Path | str, user: str = "admin", *, context: str = "simulated") -> Path:
        """Write a kubeconfig (mode 0600) for a user and return its path."""
        ca = base64.b64encode(self.ca_pem.encode()).decode()
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": context, "cluster": {"server": self.url, "certificate-authority-data": ca}}],
            "users": [{"name": user, "user": {"token": self.token(user)}}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": user}}],
            "current-context": context,
        }
        target = Path(path)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            yaml.safe_dump(config, file, sort_keys=False)
        return target

    def _made_certificates(self, host: str = "127.0.0.1") -> Certificates:
        if self._certificates is None:
            self._certificates = Certificates.make(host)
        return self._certificates
