"""``check_eviction()``: whether an eviction can work, and how well, before anything leaves."""

from __future__ import annotations

import os

from pymigrate import _files
from pymigrate._checks import check_flag
from pymigrate.errors import KernelError
from pymigrate.kernel._memory_files import MemoryFiles
from pymigrate.kernel.nodes import topology
from pymigrate.kernel.process import Process
from pymigrate.kernel.swap import Swap
from pymigrate.nodemask import NodeMask
from pymigrate.operations.advice import find_obstacles
from pymigrate.operations.exits import Exits
from pymigrate.operations.preflight import (
    addresses_verdicts,
    policy_verdict,
    source_nodes_verdict,
)
from pymigrate.operations.swap_need import need_of_swap
from pymigrate.operations.verdicts import OK, REFUSED, SKIPPED, WARNING, Preflight, Verdict
from pymigrate.task import Task
from pymigrate.units import format_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pymigrate.nodemask import Nodes

__all__ = ["check_eviction"]

_FINE = {
    "user-memory": "it has memory of its own",
    "advice": "process_madvise answers",
    "identity": "the caller may trace it",
    "privilege": "the caller may evict its memory",
}
_CAP_SYS_ADMIN = 21  # include/uapi/linux/capability.h
_OF_MEMORY = ("swap", "zram", "cpus", "policy")


def check_eviction(pid: int, old: Nodes, new: Nodes, *, without_swap: bool = False) -> Preflight:
    """Looks at everything that decides about an eviction; evicts nothing.

    The verdicts are ``alive``, ``source-nodes``, ``user-memory``, ``advice`` (process_madvise(2) is
    there and answers), ``identity``, ``privilege``, ``sight`` (whether it can be seen that pages
    are out of memory), ``swap``, ``zram``, ``cpus`` and ``policy`` (where pages would come back);
    ``memory-files`` where the last four could not be looked at; ``addresses`` where a 32-bit caller
    cannot name those of the process.

    Args:
        pid: The process; 0 is the calling one.
        old: Nodes that pages have to leave.
        new: Nodes on which they may stay.
        without_swap: Only what needs no swap is to leave.

    Raises:
        InvalidArgument: An argument makes no sense.
        NoSuchProcess: There is no such process.
        NotPermitted: /proc hides it from this user.
        Unsupported: /proc is not mounted, or nothing is known of the nodes.
    """
    exits = Exits(old, new)
    check_flag("without_swap", without_swap)
    with Process(pid) as process:
        verdicts = list(_rules(process, exits))
        if any(verdict.state == REFUSED for verdict in verdicts):
            verdicts += [Verdict(name, SKIPPED, "not looked at") for name in _OF_MEMORY]
        else:
            try:
                verdicts += _memory(process, exits, without_swap)
            except KernelError as error:
                verdicts.append(Verdict("memory-files", REFUSED, error.cause, error.remedy))
        return Preflight(process.pid, tuple(verdicts))


def _rules(process: Process, exits: Exits) -> Iterator[Verdict]:
    """What the kernel would refuse for each and every page."""
    yield Verdict("alive", OK, f"pid {process.pid} is there, since tick {process.start_time}")
    yield source_nodes_verdict(exits)
    for name, cause in find_obstacles(Task.read(0), Task.read(process.pid)):
        if cause is None:
            yield Verdict(name, OK, _FINE[name])
        else:
            yield Verdict(name, REFUSED, cause.text, cause.remedy)
    yield _sight(Task.read(0), process.pid)


def _sight(caller: Task, pid: int) -> Verdict:
    if pid == os.getpid() or (caller.can(_CAP_SYS_ADMIN) and caller.may_move_anything()):
        return Verdict("sight", OK, "the caller sees whether pages are out of memory")
    finding = "the caller does not see whether pages are out of memory: none will count as evicted"
    return Verdict("sight", WARNING, finding, "run with CAP_SYS_ADMIN")


def _memory(process: Process, exits: Exits, without_swap: bool) -> list[Verdict]:
    """What takes a look at the memory of the process."""
    with MemoryFiles(process.pid) as files:
        need = need_of_swap(process.pid, exits, files=files)
        swap = Swap.read(process.pid)
        return [
            _room(need, swap, without_swap),
            _zram(swap),
            _cpus(process.pid, exits),
            policy_verdict(files, exits),
            *addresses_verdicts(files, direct=False),
        ]


def _room(need: int, swap: Swap, without_swap: bool) -> Verdict:
    if without_swap:
        return Verdict("swap", WARNING, f"{format_bytes(need)} need swap and stay, as asked")
    limit = "" if swap.cgroup_room is None else ", as far as its cgroup allows"
    finding = (
        f"{format_bytes(need)} have to go to swap, which has room for {format_bytes(swap.room)} of "
        f"{format_bytes(swap.total)}{limit}"
    )
    if need <= swap.room:
        return Verdict("swap", OK, finding)
    remedy = "add swap, raise memory.swap.max of its cgroup, or evict what needs none"
    return Verdict("swap", REFUSED, finding, remedy)


def _zram(swap: Swap) -> Verdict:
    inside = [area.path for area in swap.areas if area.kind == "zram"]
    if not inside:
        return Verdict("zram", OK, "no swap is in memory")
    finding = f"{', '.join(inside)} is compressed memory: only the difference becomes free"
    return Verdict("zram", WARNING, finding, "add swap on a disk, with a higher priority")


def _cpus(pid: int, exits: Exits) -> Verdict:
    # Lists of CPUs are written like those of nodes.
    cpus = NodeMask(_files.read_status(pid)["Cpus_allowed_list"])
    left = [node for node in topology() if node.number in exits.sources]
    running = NodeMask(node.number for node in left if cpus & NodeMask(node.cpus))
    if not running:
        return Verdict("cpus", OK, "it runs on none of the nodes that its pages leave")
    finding = f"it may run on node {running}: pages that it uses there come back there"
    return Verdict("cpus", WARNING, finding, "bind it to CPUs of other nodes first, or stop it")
