"""A stand-in for the kubelet: it runs no process, yet pods, nodes, events and logs look as if it did, on any API server."""

from kubernaut.sim.kubelet.behaviour import Behaviour, Disturbance, Launch, NodeHealth, NodeView
from kubernaut.sim.kubelet.images import Registry
from kubernaut.sim.kubelet.kubelets import Kubelets
from kubernaut.sim.kubelet.node import NodeSpec
from kubernaut.sim.kubelet.pace import Pace

__all__ = [
    "Behaviour",
    "Disturbance",
    "Kubelets",
    "Launch",
    "NodeHealth",
    "NodeSpec",
    "NodeView",
    "Pace",
    "Registry",
]
