"""An Argo CD small enough to run anywhere: Applications, sync, self-heal and refresh as the genuine controller shows them."""

from kubernaut.sim.argocd.controller import SimulatedArgoCD
from kubernaut.sim.argocd.definition import APPLICATIONS, application, definitions

__all__ = ["APPLICATIONS", "SimulatedArgoCD", "application", "definitions"]
