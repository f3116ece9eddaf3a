"""The faults of a cluster at the moment, each with the time since when it acts."""

from dataclasses import dataclass
from typing import Protocol

from kubernaut.sim.kubelet.behaviour import Behaviour, Launch, NodeHealth, NodeView
from kubernaut.sim.kubelet.pace import Pace


class Fault(Protocol):
    """Something wrong in the world. Its effects are a function of the present facts: mended means without effect."""

    @property
    def mended_by(self) -> str:
        """For a person: the change that ends it, and nothing else does."""
        ...

    def container(self, launch: Launch, usual: Behaviour, since: float) -> Behaviour:
        """What the container does; `usual` where the fault has no say. `since` is in cluster seconds."""
        ...

    def node(self, view: NodeView, usual: NodeHealth, since: float) -> NodeHealth:
        """How the node is; `usual` where the fault has no say."""
        ...


@dataclass(frozen=True, slots=True)
class _Injected:
    fault: Fault
    since: float


class Board:
    """Implements the kubelets' Disturbance by asking every fault that was injected."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._injected: tuple[_Injected, ...] = ()

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What was injected, mended or not, oldest first."""
        return tuple(injected.fault for injected in self._injected)

    def inject(self, fault: Fault) -> None:
        """Lets a fault act from now on; the same one twice acts once."""
        if fault not in self.faults:
            self._injected = (*self._injected, _Injected(fault, self._pace.now()))

    def withdraw(self, fault: Fault) -> None:
        """Takes a fault back: for clearing up between incidents, never as a cure."""
        self._injected = tuple(injected for injected in self._injected if injected.fault != fault)

    def container(self, launch: Launch, usual: Behaviour) -> Behaviour:
        """The behaviour after every fault had its say."""
        for injected in self._injected:
            usual = injected.fault.container(launch, usual, injected.since)
        return usual

    def node(self, view: NodeView, usual: NodeHealth) -> NodeHealth:
        """The health after every fault had its say."""
        for injected in self._injected:
            usual = injected.fault.node(view, usual, injected.since)
        return usual


class OfContainers:
    """A fault that leaves nodes alone."""

    __slots__ = ()

    def node(self, view: NodeView, usual: NodeHealth, since: float) -> NodeHealth:
        """As usual."""
        return usual


class OfNodes:
    """A fault that leaves containers alone."""

    __slots__ = ()

    def container(self, launch: Launch, usual: Behaviour, since: float) -> Behaviour:
        """As usual."""
        return usual
