"""``check()``: whether a migration can work, and how well, before anything moves."""

from __future__ import annotations

import errno
import os
import stat

from pymigrate import _files
from pymigrate._checks import check_flag
from pymigrate.causes import name_one_of, nodes_are
from pymigrate.diagnose import harmless_calls
from pymigrate.errors import KernelError
from pymigrate.kernel._memory_files import MemoryFiles, kilobytes, lines, nameable, unnameable
from pymigrate.kernel.nodes import topology
from pymigrate.kernel.process import Process
from pymigrate.kernel.resident import residency
from pymigrate.kernel.vma import vmas
from pymigrate.nodemask import NodeMask
from pymigrate.operations.direct import is_enough
from pymigrate.operations.obstacles import Facts, find_obstacles
from pymigrate.operations.routes import Routes
from pymigrate.operations.verdicts import (
    OK,
    REFUSED,
    SKIPPED,
    WARNING,
    PlannedMove,
    Preflight,
    Verdict,
)
from pymigrate.task import Task
from pymigrate.units import format_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pymigrate.causes import Cause
    from pymigrate.kernel.resident import Residency
    from pymigrate.nodemask import Nodes

__all__ = [
    "addresses_verdicts",
    "check",
    "check_member",
    "needs_of",
    "policy_verdict",
    "room_verdict",
    "source_nodes_verdict",
]


def check(
    pid: int,
    old: Nodes | None = None,
    new: Nodes | None = None,
    *,
    moves: Mapping[int, int] | None = None,
    shared: bool | None = None,
) -> Preflight:
    """Looks at everything that decides about a migration; moves nothing.

    Args:
        pid: The process; 0 is the calling one.
        old: Nodes to move pages from.
        new: Nodes to move them to.
        moves: Instead of these: a map from source to target.
        shared: As for ``Migration``: None if shared pages are to move where that is permitted.

    Raises:
        InvalidArgument: An argument makes no sense.
        NoSuchProcess: There is no such process.
        NotPermitted: /proc hides it from this user.
        Unsupported: /proc is not mounted, or nothing is known of the nodes.
    """
    check_flag("shared", shared, optional=True)
    return _check(pid, Routes.of(old, new, moves), shared, alone=True)


def check_member(pid: int, routes: Routes, *, shared: bool | None) -> Preflight:
    """The same of a process that is part of a job, which never makes the single call first."""
    return _check(pid, routes, shared, alone=False)


def _check(pid: int, routes: Routes, shared: bool | None, *, alone: bool) -> Preflight:
    with Process(pid) as process:
        caller, target = Task.read(0), Task.read(process.pid)
        verdicts = [
            Verdict("alive", OK, f"pid {process.pid} is there, since tick {process.start_time}"),
            _sandbox(caller),
            *_obstacles(Facts(routes, caller, target, shared=bool(shared)), shared),
        ]
        if any(verdict.state == REFUSED for verdict in verdicts):
            verdicts += [Verdict(name, SKIPPED, _NOT_LOOKED_AT) for name in _OF_MEMORY]
            return Preflight(process.pid, tuple(verdicts))
        privileged = caller.may_move_anything()
        serves = alone and is_enough(routes, shared=shared, privileged=privileged)
        return _look_at_memory(process, routes, verdicts, direct=serves and bool(routes.sources))


_NOT_LOOKED_AT = "not looked at"
_DEVICES_NAMED = 3
_OF_MEMORY = ("free-memory", "balancing", "pinned", "device-memory", "policy")
_FINE = {
    "user-memory": "it has memory of its own",
    "identity": "the caller may trace it",
    "target-nodes": "the nodes to move to have memory",
    "target-cpuset": "its cpuset allows the nodes to move to",
    "caller-cpuset": "the cpuset of the caller allows a node to move to",
}


def _obstacles(facts: Facts, shared: bool | None) -> Iterator[Verdict]:
    found = dict(find_obstacles(facts))
    name = "source-nodes"
    yield _refused(name, found[name]) or source_nodes_verdict(facts.routes)
    for name, fine in _FINE.items():
        if name in found:
            yield _refused(name, found[name]) or Verdict(name, OK, fine)
        else:
            yield Verdict(name, SKIPPED, _NOT_LOOKED_AT)
    name = "shared-pages"
    yield _refused(name, found[name]) or _shared_pages(facts.caller, shared)


def _refused(name: str, cause: Cause | None) -> Verdict | None:
    return Verdict(name, REFUSED, cause.text, cause.remedy) if cause else None


def source_nodes_verdict(routes: Routes) -> Verdict:
    """Whether there is memory on all nodes that pages leave."""
    without = routes.old - NodeMask.has_memory()
    if not without:
        return Verdict("source-nodes", OK, "the nodes to move from have memory")
    finding = f"{nodes_are(without)} not there or without memory: nothing can lie there"
    return Verdict("source-nodes", WARNING, finding, name_one_of(NodeMask.has_memory()))


_WITHOUT = {
    "migrate_pages": "pages move by move_pages alone, which takes longer",
    "move_pages": "only the single call serves: no jobs, no --progress, --rate, --max-stall, "
    "--workers, and no swaps",
}


def _sandbox(caller: Task) -> Verdict:
    """Both calls are made in a way that does nothing."""
    denied = {call: -answer for call, answer in harmless_calls(caller).items() if answer < 0}
    if not denied:
        return Verdict("sandbox", OK, "the system calls answer")
    finding = ", ".join(f"{call}: {errno.errorcode[number]}" for call, number in denied.items())
    finding = f"system calls are not to be had ({finding})"
    remedy = "use a kernel with NUMA"
    if caller.filtered:
        remedy = f"allow {' and '.join(denied)} in its seccomp profile"
    if len(denied) > 1:
        return Verdict("sandbox", REFUSED, finding, remedy)
    return Verdict("sandbox", WARNING, f"{finding}: {_WITHOUT[min(denied)]}", remedy)


def _shared_pages(caller: Task, shared: bool | None) -> Verdict:
    if shared is False:
        return Verdict("shared-pages", WARNING, "pages that other processes map too stay, as asked")
    if caller.may_move_anything():
        return Verdict("shared-pages", OK, "pages that other processes map too can move")
    finding = "without CAP_SYS_NICE, pages that other processes map too stay where they are"
    return Verdict("shared-pages", WARNING, finding, "run with CAP_SYS_NICE")


def _look_at_memory(
    process: Process, routes: Routes, verdicts: list[Verdict], *, direct: bool
) -> Preflight:
    """Adds what takes a look at the memory of the process, and what of it would move.

    Args:
        process: Whose.
        routes: Which node's pages go where.
        verdicts: Those that there are.
        direct: The single call can do it.
    """
    try:
        with MemoryFiles(process.pid) as files:
            resident = residency(process.pid, files=files)
            leaving = {source: resident.bytes(source) for source in routes.moves}
            of_memory = [
                room_verdict(needs_of(resident, routes), leaving),
                _balancing(topology().balancing),
                _pinned(process.pid),
                _device_memory(files),
                policy_verdict(files, routes),
                *addresses_verdicts(files, direct=direct),
            ]
    except KernelError as error:
        refused = Verdict("memory-files", REFUSED, error.cause, error.remedy)
        return Preflight(process.pid, (*verdicts, refused))
    moves = tuple(PlannedMove(s, t, resident.pages(s)) for s, t in routes.moves.items())
    possible = all(verdict.state != REFUSED for verdict in of_memory)
    return Preflight(process.pid, (*verdicts, *of_memory), moves if possible else ())


def addresses_verdicts(files: MemoryFiles, *, direct: bool) -> list[Verdict]:
    """Nothing, unless a 32-bit caller cannot name the addresses; the single call takes none."""
    if nameable(files):
        return []
    error = unnameable(files.pid)
    if not direct:
        return [Verdict("addresses", REFUSED, error.cause, error.remedy)]
    finding = f"{error.cause}, so {_WITHOUT['move_pages']}, and no account of what it leaves"
    return [Verdict("addresses", WARNING, finding, error.remedy)]


def needs_of(resident: Residency, routes: Routes) -> dict[int, int]:
    """Bytes that have to find room on each target."""
    needs: dict[int, int] = {}
    for source, target in routes.moves.items():
        needs[target] = needs.get(target, 0) + resident.bytes(source)
    return needs


def room_verdict(needs: Mapping[int, int], leaving: Mapping[int, int]) -> Verdict:
    """Whether there is room for what has to move.

    Args:
        needs: Bytes by target.
        leaving: Bytes by source: what leaves a node that is a target too makes room on it.
    """
    machine = topology()
    short = [
        f"node {node} has {format_bytes(machine[node].memory_free)} free for {format_bytes(need)}"
        for node, need in needs.items()
        if need > machine[node].memory_free + leaving.get(node, 0)
    ]
    if short:
        remedy = "free memory there (the page cache gives way by itself), or add target nodes"
        return Verdict("free-memory", WARNING, "; ".join(short), remedy)
    total = format_bytes(sum(needs.values()))
    return Verdict("free-memory", OK, f"there is room for the {total} that have to move")


def _balancing(mode: int | None) -> Verdict:
    if not mode:
        return Verdict("balancing", OK, "NUMA balancing is off")
    return Verdict(
        "balancing",
        WARNING,
        "NUMA balancing is on: pages follow the CPUs that use them, and may come back",
        "bind the process to CPUs of the new nodes, or sysctl kernel.numa_balancing=0",
    )


def _pinned(pid: int) -> Verdict:
    pinned = kilobytes(_files.read_status(pid), "VmPin")
    if not pinned:
        return Verdict("pinned", OK, "no memory is pinned by drivers")
    finding = f"{format_bytes(pinned)} are pinned by drivers (RDMA, GPUs) and will stay"
    return Verdict("pinned", WARNING, finding, "register that memory after the migration")


def _device_memory(files: MemoryFiles) -> Verdict:
    """Mappings of drivers: the kernel migrates none (vma_migratable() in mm/mempolicy.c)."""
    files.rewind()
    mapped = {
        os.fsdecode(line.split(None, 5)[5]) for line in lines(files.maps) if b" /dev/" in line
    }
    devices = sorted(path for path in mapped if _is_device(files.pid, path))
    if not devices:
        return Verdict("device-memory", OK, "no memory of devices is mapped")
    named = ", ".join(devices[:_DEVICES_NAMED]) + ", ..." * (len(devices) > _DEVICES_NAMED)
    finding = f"memory of devices is mapped ({named}): it does not move, and is not counted"
    return Verdict("device-memory", WARNING, finding, "none is needed: it is not on the nodes")


def _is_device(pid: int, path: str) -> bool:
    if path == "/dev/zero":  # which is ordinary memory
        return False
    try:
        return stat.S_ISCHR(os.stat(f"/proc/{pid}/root{path}").st_mode)
    except OSError:
        return False


def policy_verdict(files: MemoryFiles, routes: Routes) -> Verdict:
    """Whether memory policies bring pages back to the nodes that they leave."""
    leaving = routes.sources - routes.targets
    naming = [vma for vma in vmas(files.pid, files=files) if vma.policy.nodes & leaving]
    if not naming:
        return Verdict("policy", OK, "no memory policy names the old nodes")
    example = f"{naming[0].policy} at {naming[0].start:#x}"
    return Verdict(
        "policy",
        WARNING,
        f"the memory policy of {len(naming)} mappings names old nodes ({example}): what they touch "
        "from now on goes there",
        "have the process change it (set_mempolicy(2), mbind(2)); from outside, cpuset.mems does",
    )
