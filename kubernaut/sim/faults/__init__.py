"""What can go wrong: each fault is a value that says where it acts and which change of the cluster ends it."""

from kubernaut.sim.faults.board import Board, Fault
from kubernaut.sim.faults.commands import UnknownCommand
from kubernaut.sim.faults.configuration import RejectedValue
from kubernaut.sim.faults.memory import MemoryTooSmall
from kubernaut.sim.faults.nodes import FailingDisk, OverloadedRuntime
from kubernaut.sim.faults.pods import StalePods, WedgedPod
from kubernaut.sim.faults.target import Workload

__all__ = [
    "Board",
    "FailingDisk",
    "Fault",
    "MemoryTooSmall",
    "OverloadedRuntime",
    "RejectedValue",
    "StalePods",
    "UnknownCommand",
    "WedgedPod",
    "Workload",
]
