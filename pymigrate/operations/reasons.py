"""Why pages stay behind, in words: the cause and the remedy for each reason of a report."""

from __future__ import annotations

__all__ = ["EVICTION", "MIGRATION", "explain"]

_NOT_TRIED = ("not reached before the operation was stopped", "run it again")
_HIDDEN = "hidden from move_pages by NUMA balancing (kernels 6.1 to 6.5)"

MIGRATION = {
    "shared": (
        "mapped by other processes too, or one page for several places (KSM)",
        "run with CAP_SYS_NICE, and do not ask to leave them",
    ),
    "busy": (
        "pinned by a device or a driver, or in use in a way that holds them",
        "try again later; memory registered for RDMA stays where it is",
    ),
    "no-memory": (
        "no room on the target node",
        "free memory there, or name another target",
    ),
    "not-allowed": (
        "the target is outside the cpuset of the process",
        "widen cpuset.mems of its cgroup",
    ),
    "hidden": (
        _HIDDEN,
        "sysctl kernel.numa_balancing=0, or name two node sets that do not overlap",
    ),
    "unmovable": (
        "of a sort that the kernel cannot migrate",
        "none: device memory and some file systems",
    ),
    "not-tried": _NOT_TRIED,
}

EVICTION = {
    "shared": (
        "mapped by other processes too, or merged with pages of theirs (KSM)",
        "migrate them: the kernel evicts what one process maps",
    ),
    "busy": (
        "in use: pinned by a driver, or touched again at once",
        "try again later, or stop the process meanwhile",
    ),
    "locked": (
        "locked in memory by the process (mlock(2))",
        "migrate them: locked pages move, and do not leave",
    ),
    "hugetlb": (
        "huge pages of a pool, which are never swapped",
        "migrate them",
    ),
    "no-swap": (
        "need swap, and there is no room in it, or it was not to be used",
        "add swap, or raise memory.swap.max of its cgroup",
    ),
    "writeback": (
        "not written yet, to their file or to swap, or the caller may not write to that file",
        "sync, and run it again when the process has used them",
    ),
    "unseen": (
        "out of the process; whether they are out of memory too, the caller may not see",
        "run with CAP_SYS_ADMIN, which shows it",
    ),
    "hidden": (
        _HIDDEN,
        "sysctl kernel.numa_balancing=0",
    ),
    "not-tried": _NOT_TRIED,
}


def explain(action: str, reason: str) -> tuple[str, str]:
    """The cause of a reason in the report of an action, and what helps."""
    return (EVICTION if action == "evict" else MIGRATION)[reason]
