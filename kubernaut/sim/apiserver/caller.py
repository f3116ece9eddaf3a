"""A Caller is who asks; a controller is one that may do everything."""

from __future__ import annotations

from dataclasses import dataclass, field

from kubernaut.sim.apiserver.access import SYSTEM, User


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and how strictly to read what is sent."""

    user: User = SYSTEM
    manager: str = "kube-apiserver"
    dry_run: bool = False
    field_validation: str = "Warn"
    through: str = ""  # the subresource that managedFields name, where the whole object is written for it
    warnings: list[str] = field(default_factory=list, compare=False)


def controller(name: str = "kube-controller-manager") -> Caller:
    """A part of the control plane, which may do everything."""
    return Caller(SYSTEM, name)
