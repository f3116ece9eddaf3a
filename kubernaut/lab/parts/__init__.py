"""Genuine servers on loopback ports: found, built, started, waited for, and stopped for good.

`Parts.find()` tells which are there; each server is an async context manager that is bound to no event loop.
"""

from kubernaut.lab.parts.alertmanager import Alertmanager
from kubernaut.lab.parts.argocd import ArgoCD
from kubernaut.lab.parts.catalogue import Parts
from kubernaut.lab.parts.control_plane import ControlPlane
from kubernaut.lab.parts.git_daemon import GitDaemon
from kubernaut.lab.parts.opa import Opa

__all__ = ["Alertmanager", "ArgoCD", "ControlPlane", "GitDaemon", "Opa", "Parts"]
