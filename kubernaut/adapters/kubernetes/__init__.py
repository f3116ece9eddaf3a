"""One Kubernetes cluster over its REST API: a watch cache on raw bytes, guarded writes, and signals from object state."""

from .cluster import KubernetesCluster

__all__ = ["KubernetesCluster"]
