"""Moves the memory of running processes between NUMA nodes, and tells what moved.

``migrate(pid, old, new)`` makes the system call; ``plan(old, new)`` says beforehand which node's
pages go where; ``NodeMask`` is a set of nodes in every form that it is written in.
"""

from pymigrate.errors import (
    CpusetRefused,
    EngineMissing,
    Error,
    HelperMissing,
    InvalidArgument,
    InvalidNodes,
    InvalidType,
    JobRefused,
    KernelError,
    LauncherError,
    NodesRefused,
    NoSuchJob,
    NoSuchProcess,
    NoSwap,
    NotPermitted,
    NoUserMemory,
    OutOfMemory,
    UnknownNode,
    Unsupported,
    WorldOfOne,
)
from pymigrate.migrate import migrate
from pymigrate.nodemask import NodeMask
from pymigrate.plan import plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate.jobs.followed import Followed
    from pymigrate.jobs.following import Follower, follow
    from pymigrate.jobs.homeward import home, homing
    from pymigrate.jobs.job import Job
    from pymigrate.jobs.job_operation import JobOperation
    from pymigrate.jobs.job_preflight import JobPreflight
    from pymigrate.jobs.job_report import JobProgress, JobReport
    from pymigrate.jobs.relocation import Relocation, relocate
    from pymigrate.kernel.cpusets import Cpuset
    from pymigrate.kernel.devices import device_node
    from pymigrate.kernel.estimate import Estimate, ResidencyEstimate
    from pymigrate.kernel.nodes import Node, Topology, topology
    from pymigrate.kernel.resident import Residency, residency
    from pymigrate.kernel.sample import sample_residency
    from pymigrate.kernel.vma import Vma, vmas
    from pymigrate.launchers.cluster_report import ClusterReport
    from pymigrate.launchers.host_row import HostRow
    from pymigrate.launchers.rank_row import RankRow
    from pymigrate.nodemask import Nodes as Nodes
    from pymigrate.operations.eviction import Eviction, evict
    from pymigrate.operations.eviction_preflight import check_eviction
    from pymigrate.operations.migration import Migration
    from pymigrate.operations.preflight import check
    from pymigrate.operations.report import Progress, Report
    from pymigrate.operations.verdicts import PlannedMove, Preflight, Verdict

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
    "JobPreflight",
    "JobProgress",
    "JobReport",
    "ClusterReport",
    "HostRow",
    "RankRow",
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
    "LauncherError",
    "EngineMissing",
    "NoSuchJob",
    "JobRefused",
    "HelperMissing",
    "WorldOfOne",
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
    "Migration": "pymigrate.operations.migration",
    "Eviction": "pymigrate.operations.eviction",
    "evict": "pymigrate.operations.eviction",
    "Job": "pymigrate.jobs.job",
    "JobOperation": "pymigrate.jobs.job_operation",
    "JobPreflight": "pymigrate.jobs.job_preflight",
    "JobProgress": "pymigrate.jobs.job_report",
    "JobReport": "pymigrate.jobs.job_report",
    "ClusterReport": "pymigrate.launchers.cluster_report",
    "HostRow": "pymigrate.launchers.host_row",
    "RankRow": "pymigrate.launchers.rank_row",
    "relocate": "pymigrate.jobs.relocation",
    "Relocation": "pymigrate.jobs.relocation",
    "home": "pymigrate.jobs.homeward",
    "homing": "pymigrate.jobs.homeward",
    "follow": "pymigrate.jobs.following",
    "Follower": "pymigrate.jobs.following",
    "Followed": "pymigrate.jobs.followed",
    "Cpuset": "pymigrate.kernel.cpusets",
    "device_node": "pymigrate.kernel.devices",
    "Report": "pymigrate.operations.report",
    "Progress": "pymigrate.operations.report",
    "check": "pymigrate.operations.preflight",
    "check_eviction": "pymigrate.operations.eviction_preflight",
    "Preflight": "pymigrate.operations.verdicts",
    "PlannedMove": "pymigrate.operations.verdicts",
    "Verdict": "pymigrate.operations.verdicts",
    "residency": "pymigrate.kernel.resident",
    "Residency": "pymigrate.kernel.resident",
    "sample_residency": "pymigrate.kernel.sample",
    "ResidencyEstimate": "pymigrate.kernel.estimate",
    "Estimate": "pymigrate.kernel.estimate",
    "vmas": "pymigrate.kernel.vma",
    "Vma": "pymigrate.kernel.vma",
    "topology": "pymigrate.kernel.nodes",
    "Topology": "pymigrate.kernel.nodes",
    "Node": "pymigrate.kernel.nodes",
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


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
