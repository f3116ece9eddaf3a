"""Nodes that are not well."""

from dataclasses import dataclass, replace

from kubernaut.sim.faults.board import OfNodes
from kubernaut.sim.kubelet.behaviour import NodeHealth, NodeView


@dataclass(frozen=True, slots=True)
class OverloadedRuntime(OfNodes):
    """The container runtime of a node can't keep up with pods coming and going, so Ready flaps.

    Once the node is cordoned nothing new comes, the runtime catches up in `settles_s`, and the node stays Ready;
    uncordoned too early it flaps again.

    Attributes:
        down_s, up_s: cluster seconds of NotReady and Ready in turn.
    """

    node_name: str
    down_s: float = 60.0
    up_s: float = 20.0

    @property
    def mended_by(self) -> str:
        """Rest."""
        return f"cordoning {self.node_name}"

    def node(self, view: NodeView, usual: NodeHealth, since: float) -> NodeHealth:
        """Not Ready for a while, Ready for a while."""
        if view.name != self.node_name or view.unschedulable:
            return usual
        if (view.now - since) % (self.down_s + self.up_s) >= self.down_s:
            return usual
        return replace(
            usual,
            ready=False,
            reason="KubeletNotReady",
            message="PLEG is not healthy: pleg was last seen active 3m12.6s ago; threshold is 3m0s",
            events=(("ContainerGCFailed", "rpc error: code = DeadlineExceeded desc = context deadline exceeded"),),
        )


@dataclass(frozen=True, slots=True)
class FailingDisk(OfNodes):
    """A node's disk returns I/O errors under load: the filesystem goes read-only, and Ready flaps with it.

    The load is the workloads' own. Drained, the node is quiet, but its disk is still broken: the condition stays, so
    nobody may call it well and give it pods again.
    """

    node_name: str
    down_s: float = 60.0
    up_s: float = 20.0

    @property
    def mended_by(self) -> str:
        """No pods there."""
        return f"draining {self.node_name}"

    def node(self, view: NodeView, usual: NodeHealth, since: float) -> NodeHealth:
        """Problem conditions as node-problem-detector reports them; Ready flaps while pods write."""
        if view.name != self.node_name:
            return usual
        problems = {
            "ReadonlyFilesystem": ("FilesystemIsReadOnly", "EXT4-fs (nvme1n1): Remounting filesystem read-only"),
            "DiskFailing": ("SmartOverallHealthFailed", "nvme1n1: SMART overall-health self-assessment test: FAILED"),
        }
        broken = replace(usual, problems=problems)
        if (view.unschedulable and view.pods == 0) or (view.now - since) % (self.down_s + self.up_s) >= self.down_s:
            return broken
        return replace(
            broken,
            ready=False,
            reason="KubeletNotReady",
            message="container runtime is down: write /var/lib/containerd: read-only file system",
            events=(
                ("IOError", "Buffer I/O error on device nvme1n1, logical block 244190646"),
                ("Ext4Error", "EXT4-fs error (device nvme1n1): ext4_journal_check_start:84: Detected aborted journal"),
            ),
        )
