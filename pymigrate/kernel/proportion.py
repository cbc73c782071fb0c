"""The residency of a process with what it shares divided among those that share it."""

from __future__ import annotations

from pymigrate import _files
from pymigrate.kernel._memory_files import kilobytes, read_rollup
from pymigrate.kernel.resident import Residency, residency
from pymigrate.units import KINDS

__all__ = ["proportional_residency"]

# By kind: the field of smaps_rollup that has such pages divided by the number of processes that map
# them (PSS), and that of status that has them whole (proc_pid_smaps(5), proc_pid_status(5)).
_FIELDS = {
    "anonymous": ("Pss_Anon", "RssAnon"),
    "file": ("Pss_File", "RssFile"),
    "shared": ("Pss_Shmem", "RssShmem"),
}


def proportional_residency(pid: int) -> Residency:
    """The pages of a process by node and kind: of a page that n processes map an n-th counts.

    Summed up over all processes that share it, a page so counts once. How many processes map a
    page is known for each kind as a whole, not for each node: shares are the same on all of them.
    Pages of a pool (hugetlb) count whole, as the kernel does not divide them, and so does
    everything before Linux 5.4, which tells no shares by kind.

    Raises:
        KernelError: As ``residency()``.
    """
    found = residency(pid)
    whole = _files.read_status(pid)
    parts = read_rollup(pid)
    shares = {kind: _share(parts, whole, *names) for kind, names in _FIELDS.items()}
    return Residency(
        {
            (node, kind): round(found.pages(node, kind) * shares.get(kind, 1.0))
            for node in found.nodes
            for kind in KINDS
        },
        swapped=found.swapped,
    )


def _share(parts: dict[str, str], whole: dict[str, str], part: str, all_of_it: str) -> float:
    total = kilobytes(whole, all_of_it)
    if part not in parts or not total:
        return 1.0
    return min(1.0, kilobytes(parts, part) / total)
