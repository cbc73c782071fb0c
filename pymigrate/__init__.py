"""Moves the memory of running processes between NUMA nodes, and tells what moved.

``migrate(pid, old, new)`` makes the system call; ``plan(old, new)`` says beforehand which node's
pages go where; ``NodeMask`` is a set of nodes in every form that it is written in.
"""

from pymigrate.errors import (
    CpusetRefused,
    Error,
    InvalidArgument,
    InvalidNodes,
    InvalidType,
    KernelError,
    NodesRefused,
    NoSuchProcess,
    NoSwap,
    NotPermitted,
    NoUserMemory,
    OutOfMemory,
    UnknownNode,
    Unsupported,
)
from pymigrate.migrate import migrate
from pymigrate.nodemask import NodeMask
from pymigrate.plan import plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate.cpusets import Cpuset
    from pymigrate.devices import device_node
    from pymigrate.estimate import Estimate, ResidencyEstimate
    from pymigrate.eviction import Eviction, evict
    from pymigrate.eviction_preflight import check_eviction
    from pymigrate.followed import Followed
    from pymigrate.following import Follower, follow
    from pymigrate.homeward import home, homing
    from pymigrate.job import Job
    from pymigrate.job_operation import JobOperation
    from pymigrate.job_report import JobProgress, JobReport
    from pymigrate.migration import Migration
    from pymigrate.nodemask import Nodes as Nodes
    from pymigrate.nodes import Node, Topology, topology
    from pymigrate.preflight import check
    from pymigrate.relocation import Relocation, relocate
    from pymigrate.report import Progress, Report
    from pymigrate.resident import Residency, residency
    from pymigrate.sample import sample_residency
    from pymigrate.verdicts import PlannedMove, Preflight, Verdict
    from pymigrate.vma import Vma, vmas

    __version__: str

__all__ = [
    "migrate",
    "plan",
    "Migration",
    "evict",
    "Eviction",
    "Progress",
    "Report",
    "Job",
    "JobOperation",
    "JobProgress",
    "JobReport",
    "relocate",
    "Relocation",
    "home",
    "homing",
    "follow",
    "Follower",
    "Followed",
    "check",
    "check_eviction",
    "Preflight",
    "PlannedMove",
    "Verdict",
    "residency",
    "Residency",
    "sample_residency",
    "ResidencyEstimate",
    "Estimate",
    "vmas",
    "Vma",
    "Cpuset",
    "device_node",
    "topology",
    "Topology",
    "Node",
    "NodeMask",
    "Error",
    "InvalidArgument",
    "InvalidType",
    "InvalidNodes",
    "UnknownNode",
    "KernelError",
    "NoSuchProcess",
    "NotPermitted",
    "NodesRefused",
    "NoUserMemory",
    "OutOfMemory",
    "NoSwap",
    "CpusetRefused",
    "Unsupported",
]


# What only some programs need is imported when it is asked for, so that starting stays cheap.
_LAZY = {
    "Migration": "pymigrate.migration",
    "Eviction": "pymigrate.eviction",
    "evict": "pymigrate.eviction",
    "Job": "pymigrate.job",
    "JobOperation": "pymigrate.job_operation",
    "JobProgress": "pymigrate.job_report",
    "JobReport": "pymigrate.job_report",
    "relocate": "pymigrate.relocation",
    "Relocation": "pymigrate.relocation",
    "home": "pymigrate.homeward",
    "homing": "pymigrate.homeward",
    "follow": "pymigrate.following",
    "Follower": "pymigrate.following",
    "Followed": "pymigrate.followed",
    "Cpuset": "pymigrate.cpusets",
    "device_node": "pymigrate.devices",
    "Report": "pymigrate.report",
    "Progress": "pymigrate.report",
    "check": "pymigrate.preflight",
    "check_eviction": "pymigrate.eviction_preflight",
    "Preflight": "pymigrate.verdicts",
    "PlannedMove": "pymigrate.verdicts",
    "Verdict": "pymigrate.verdicts",
    "residency": "pymigrate.resident",
    "Residency": "pymigrate.resident",
    "sample_residency": "pymigrate.sample",
    "ResidencyEstimate": "pymigrate.estimate",
    "Estimate": "pymigrate.estimate",
    "vmas": "pymigrate.vma",
    "Vma": "pymigrate.vma",
    "topology": "pymigrate.nodes",
    "Topology": "pymigrate.nodes",
    "Node": "pymigrate.nodes",
}


def __getattr__(name: str) -> object:
    if name in _LAZY:
        from importlib import import_module

        value = getattr(import_module(_LAZY[name]), name)
        globals()[name] = value
        return value
    if name == "__version__":
        # The one place of the number is pyproject.toml.
        from importlib.metadata import version

        return version("pymigrate-numa")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
