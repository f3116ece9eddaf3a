"""The controllers that run behind the simulated API server."""

from __future__ import annotations

from kubernaut.sim.apiserver.api import Api
from kubernaut.sim.apiserver.tokens import Tokens
from kubernaut.sim.controllers.budgets import DisruptionController
from kubernaut.sim.controllers.daemonset import DaemonSetController
from kubernaut.sim.controllers.definitions import DefinitionStatus
from kubernaut.sim.controllers.deployment import DeploymentController
from kubernaut.sim.controllers.endpoints import EndpointsController
from kubernaut.sim.controllers.expiry import EventExpiry
from kubernaut.sim.controllers.garbage import GarbageCollector
from kubernaut.sim.controllers.job import JobController
from kubernaut.sim.controllers.loop import Controller
from kubernaut.sim.controllers.namespaces import DefaultAccounts, NamespaceContent, RootCertificates
from kubernaut.sim.controllers.nodes import NodeLifecycle, TaintEviction
from kubernaut.sim.controllers.quotas import QuotaController
from kubernaut.sim.controllers.replicaset import ReplicaSetController, ReplicationController
from kubernaut.sim.controllers.scheduler import Scheduler
from kubernaut.sim.controllers.statefulset import StatefulSetController
from kubernaut.sim.controllers.timing import Timing
from kubernaut.sim.controllers.tokens import TokenController


def all_controllers(api: Api, timing: Timing, tokens: Tokens, authority_pem: str) -> list[Controller]:
    """A new set of controllers for one API server."""
    return [
        DefinitionStatus(api),
        ReplicaSetController(api),
        ReplicationController(api),
        DeploymentController(api),
        StatefulSetController(api),
        DaemonSetController(api),
        JobController(api),
        Scheduler(api),
        DefaultAccounts(api),
        RootCertificates(api, authority_pem),
        TokenController(api, tokens, authority_pem),
        NodeLifecycle(api, timing),
        TaintEviction(api),
        DisruptionController(api),
        EndpointsController(api),
        QuotaController(api),
        NamespaceContent(api),
        GarbageCollector(api),
        EventExpiry(api),
    ]
