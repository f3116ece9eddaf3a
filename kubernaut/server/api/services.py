"""What the API's handlers speak to, and the two rules that all of them keep: roles, and production is read-only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Middleware

from kubernaut.domain.approvals import Principal, Role
from kubernaut.domain.errors import NotFound, Refused
from kubernaut.domain.remediation import Remediation
from kubernaut.pipeline.control import ControlDesk
from kubernaut.pipeline.intake import IntakeDesk
from kubernaut.pipeline.pulls import PullDesk
from kubernaut.pipeline.voting import VotingDesk
from kubernaut.ports import Clock, ClusterReader, Forge, PolicyEngine, Store
from kubernaut.server.arming import Arms
from kubernaut.server.principals import Directory

from .replies import Handler, ReadOnly

CALLER = web.RequestKey("caller", Principal)


@dataclass(frozen=True, slots=True)
class Services:
    """The desks and readers behind the API.

    Args:
        environments: cluster → environment of its cluster-scoped objects, for the console's header.
        count: told the source of signals, and what became of how many.
    """

    store: Store
    clusters: Mapping[str, ClusterReader]
    forge: Forge
    policy: PolicyEngine
    intake: IntakeDesk
    voting: VotingDesk
    control: ControlDesk
    pulls: PullDesk
    directory: Directory
    arms: Arms
    clock: Clock
    environments: Mapping[str, str]
    count: Callable[[str, Mapping[str, int]], None] = lambda _source, _outcomes: None

    def caller(self, request: web.Request, role: Role = Role.VIEWER) -> Principal:
        """The caller, if they have the role.

        Raises:
            Refused: they have not.
        """
        who = request[CALLER]
        if not who.may(role):
            groups = ", ".join(who.groups) or "no group"
            raise Refused(
                f"{who.name} ({groups}) has no role {role} or above: add the user or a group to roles.{role} in the configuration"
            )
        return who

    @property
    def identify(self) -> Middleware:
        """The middleware that finds out who calls, before anything else of a request is looked at."""

        @web.middleware
        async def identified(request: web.Request, handler: Handler) -> web.StreamResponse:
            request[CALLER] = await self.directory.peer(request)
            return await handler(request)

        return identified

    async def remediation(self, remediation_id: str) -> Remediation:
        """One remediation.

        Raises:
            NotFound: there is none of that id.
        """
        found = await self.store.remediation(remediation_id)
        if found is None:
            raise NotFound(f"there is no remediation {remediation_id}")
        return found

    def cluster(self, name: str) -> ClusterReader:
        """The reader of one cluster.

        Raises:
            NotFound: it is not configured (any more); remediations outlive the configuration.
        """
        reader = self.clusters.get(name)
        if reader is None:
            raise NotFound(f"cluster {name} is not configured any more")
        return reader

    def allow_change(self, who: Principal, environment: str, reason: str) -> None:
        """Production takes changes only from somebody who is armed or says why.

        Raises:
            ReadOnly: neither.
        """
        if environment in ("production", "unknown") and not reason and self.arms.of(who) is None:
            raise ReadOnly(
                "production is read-only: give a reason (--reason TEXT), or arm the console first (:rw TEXT)"
            )
