"""One Kubernetes cluster over its REST API: a watch cache on raw bytes, guarded writes, and signals from object state."""

from .cluster import KubernetesCluster
from .state_watcher import Graces, StateWatcher

__all__ = ["Graces", "KubernetesCluster", "StateWatcher"]
