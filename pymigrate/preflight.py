"""``check()``: whether a migration can work, and how well, before anything moves."""

from __future__ import annotations

import errno
from dataclasses import asdict, dataclass

from pymigrate import _files
from pymigrate._memory_files import MemoryFiles, kilobytes
from pymigrate._native import ffi, lib
from pymigrate.errors import KernelError
from pymigrate.migrate import migrate
from pymigrate.nodes import topology
from pymigrate.obstacles import Facts, find_obstacles
from pymigrate.process import Process
from pymigrate.resident import residency
from pymigrate.routes import Routes
from pymigrate.task import Task
from pymigrate.units import format_bytes
from pymigrate.vma import vmas

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from pymigrate.nodemask import Nodes
    from pymigrate.resident import Residency

__all__ = ["Preflight", "Verdict", "check"]

OK, WARNING, REFUSED = "ok", "warning", "refused"


@dataclass(frozen=True)
class Verdict:
    """What one check found.

    Attributes:
        name: The check: ``alive``, ``sandbox``, ``user-memory``, ``identity``, ``target-nodes``,
            ``target-cpuset``, ``caller-cpuset``, ``shared-pages``, ``free-memory``, ``balancing``,
            ``pinned``, ``policy``; ``memory-files`` where the last four could not be looked at.
        state: ``"ok"``; ``"warning"``: it works, but not for all pages or not for long;
            ``"refused"``: nothing would move.
        finding: What was found.
        remedy: What would help; empty if nothing has to.
    """

    name: str
    state: str
    finding: str
    remedy: str = ""


@dataclass(frozen=True)
class Preflight:
    """All verdicts on one migration. True if nothing stands in its way for certain."""

    pid: int
    verdicts: tuple[Verdict, ...]

    def __bool__(self) -> bool:
        return all(verdict.state != REFUSED for verdict in self.verdicts)

    def to_dict(self) -> dict[str, Any]:
        """What ``json.dumps`` takes."""
        verdicts = [asdict(verdict) for verdict in self.verdicts]
        return {"pid": self.pid, "possible": bool(self), "verdicts": verdicts}

    def __str__(self) -> str:
        return "\n".join(
            f"{v.state:8} {v.name}: {v.finding}{'; ' + v.remedy if v.remedy else ''}"
            for v in self.verdicts
        )


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
    """
    routes = Routes.of(old, new, moves)
    with Process(pid) as process:
        return Preflight(process.pid, tuple(_verdicts(process, routes, shared)))


def _verdicts(process: Process, routes: Routes, shared: bool | None) -> Iterator[Verdict]:
    caller, target = Task.read(0), Task.read(process.pid)
    yield Verdict("alive", OK, f"pid {process.pid} is there, since tick {process.start_time}")
    yield _sandbox(caller)
    refused = False
    for name, cause in find_obstacles(Facts(routes, caller, target, shared=bool(shared))):
        if name == "shared-pages" and cause is None:
            yield _shared_pages(caller, shared)
        elif cause is None:
            yield Verdict(name, OK, _FINE[name])
        else:
            refused = True
            yield Verdict(name, REFUSED, cause.text, cause.remedy)
    if not refused:
        try:
            yield from _memory(process, routes)
        except KernelError as error:
            yield Verdict("memory-files", REFUSED, error.cause, error.remedy)


_FINE = {
    "user-memory": "it has memory of its own",
    "identity": "the caller may trace it",
    "target-nodes": "the nodes to move to have memory",
    "target-cpuset": "its cpuset allows the nodes to move to",
    "caller-cpuset": "the cpuset of the caller allows a node to move to",
}


def _sandbox(caller: Task) -> Verdict:
    """Both calls are made in a way that does nothing."""
    answers = {"move_pages": lib.pm_move_pages(0, 0, ffi.NULL, ffi.NULL, ffi.NULL, 0)}
    try:
        migrate(0, (), caller.allowed)
    except KernelError as error:
        answers["migrate_pages"] = -(error.errno or 0)
    denied = {name: -number for name, number in answers.items() if number < 0}
    if not denied:
        return Verdict("sandbox", OK, "the system calls answer")
    codes = ", ".join(f"{name}: {errno.errorcode[number]}" for name, number in denied.items())
    remedy = "allow them in its seccomp profile" if caller.filtered else "use a kernel with NUMA"
    return Verdict("sandbox", REFUSED, f"system calls are not to be had ({codes})", remedy)


def _shared_pages(caller: Task, shared: bool | None) -> Verdict:
    if shared is False:
        return Verdict("shared-pages", WARNING, "pages that other processes map too stay, as asked")
    if caller.may_move_anything():
        return Verdict("shared-pages", OK, "pages that other processes map too can move")
    finding = "without CAP_SYS_NICE, pages that other processes map too stay where they are"
    return Verdict("shared-pages", WARNING, finding, "run with CAP_SYS_NICE")


def _memory(process: Process, routes: Routes) -> Iterator[Verdict]:
    """What takes a look at the memory of the process."""
    machine = topology()
    with MemoryFiles(process.pid) as files:
        yield _free_memory(residency(process.pid, files=files), routes)
        yield _balancing(machine.balancing)
        yield _pinned(process.pid)
        yield _policy(files, routes)


def _free_memory(resident: Residency, routes: Routes) -> Verdict:
    machine = topology()
    needs: dict[int, int] = {}
    for source, target in routes.moves.items():
        needs[target] = needs.get(target, 0) + resident.bytes(source)
    # What leaves a node that is a source too makes room on it.
    short = [
        f"node {node} has {format_bytes(machine[node].memory_free)} free for {format_bytes(need)}"
        for node, need in needs.items()
        if need > machine[node].memory_free + (resident.bytes(node) if node in routes.moves else 0)
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


def _policy(files: MemoryFiles, routes: Routes) -> Verdict:
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
