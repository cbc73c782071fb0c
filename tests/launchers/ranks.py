"""What each rank does under a launcher of the tests: ``python ranks.py SCENARIO...``.

It answers with a file of its own: what ranks print comes out mixed.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

# The wrong library is loaded on purpose: that the MPI world is one is what has to be told.
warnings.filterwarnings("ignore", message="suspicious MPI execution environment")

import psutil  # noqa: E402
from mpi4py import MPI  # noqa: E402
from support import numa  # noqa: E402
from support.kinds import PAGE  # noqa: E402
from support.memory import Block  # noqa: E402

from pymigrate import Error, NodeMask, topology  # noqa: E402
from pymigrate.launchers.mpi import migrate_job  # noqa: E402

WORLD = MPI.COMM_WORLD


def attempt(comm: MPI.Comm, *arguments: Any, **named: Any) -> dict[str, Any]:
    """One call: the report, or the error as it is raised on this rank."""
    try:
        report = migrate_job(comm, *arguments, **named)
    except Error as error:
        return {"error": error.to_dict()}
    except Exception as error:
        return {"error": {"type": type(error).__name__, "message": str(error)}}
    return {"report": report and report.to_dict()}


def everywhere() -> Any:
    """Every rank gets the report."""
    return attempt(WORLD, 0, 0)


def at_root() -> Any:
    """One rank gets it, which is not the one that acts for the host."""
    return attempt(WORLD, new="home", root=WORLD.size - 1)


def refused() -> Any:
    """Arguments that make no sense on all ranks, on one, or between them; then one that does."""
    here = WORLD.rank
    return [
        attempt(WORLD, 0, "x"),
        attempt(WORLD, 0, 0, rate=-1 if here == 1 else None),
        attempt(WORLD, 0, "x" if here == 2 else 0),
        attempt(WORLD, 0, Awkward() if here == 1 else 0),
        attempt(WORLD, 0, here % 2),
        attempt(WORLD, 0, 0, root=here),
        attempt(WORLD, 0, 0, root=99),
        attempt(WORLD, 0),
        attempt(WORLD, 0, []),
        attempt(WORLD, 0, 0),
    ]


class Awkward:
    """What raises an error of its own when it is looked at."""

    def __iter__(self) -> Any:
        raise RuntimeError("not now")


def failing_host() -> Any:
    """A rule that the host cannot fulfil, and a node that it has not got."""
    return [attempt(WORLD, new="device:ib7"), attempt(WORLD, 0, 1023)]


def one_host_fails() -> Any:
    """Rank 2 acts for its host, and can open no file; then it can again."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if WORLD.rank == 2:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    first = attempt(WORLD, 0, 0)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return [first, attempt(WORLD, 0, 0)]


def halves() -> Any:
    """Two communicators at the same time."""
    half = WORLD.Split(WORLD.rank % 2)
    answer = attempt(half, 0, 0)
    half.Free()
    return answer


def alone() -> Any:
    """What a launcher started with others, and what means one process anyway."""
    return [attempt(WORLD, 0, 0), attempt(MPI.COMM_SELF, 0, 0)]


PAGES = 2000
WINDOW_PAGES = 10_000


def old_and_new() -> Any:
    """All of it from one node to another."""
    block = Block([0] * PAGES)
    answer = attempt(WORLD, 0, 2)
    return {**answer, **state(block)}


def home() -> Any:
    """Each rank is bound late, to a node of its own, and its memory follows."""
    block = Block([0] * PAGES)
    node = WORLD.rank % 4
    for thread in Path("/proc/self/task").iterdir():  # those of the MPI library too
        os.sched_setaffinity(int(thread.name), node_cpus(node))
    before = state(block)
    return {"before": before, **attempt(WORLD, new="home"), **state(block)}


def shared_window() -> Any:
    """Memory that all ranks map, as MPI gives it out."""
    size = WINDOW_PAGES * PAGE if WORLD.rank == 0 else 0
    with numa.policy(numa.BIND, {0}):
        window = MPI.Win.Allocate_shared(size, 1, comm=WORLD)
        memory, _ = window.Shared_query(0)
        if WORLD.rank == 0:
            memory[:] = b"x" * len(memory)
        WORLD.Barrier()
        seen = memory.tobytes().count(b"x")  # by each rank: now they all map it
    answer = attempt(WORLD, 0, 2)
    addresses = range(memory.address, memory.address + len(memory), PAGE)
    nodes = numa.nodes_of(0, addresses)
    WORLD.Barrier()
    window.Free()
    return {"seen": seen, **answer, "nodes": sorted(set(nodes))}


def interrupted() -> Any:
    """Ctrl-C reaches one rank while the memory of all is on its way."""
    block = Block([0] * PAGES)
    if WORLD.rank == 0:
        threading.Timer(3.0, signal.raise_signal, [signal.SIGINT]).start()
    try:
        answer = attempt(WORLD, 0, 2, rate=PAGES * PAGE / 10)
    except KeyboardInterrupt as interrupt:
        answer = {"interrupted": True, "report": report_of(interrupt)}
    return {**answer, "intact": block.intact(), "after": attempt(WORLD, 0, 2)}


class Interrupting:
    """Node 0. Who looks at it is interrupted, as all ranks are: the launcher passes Ctrl-C on."""

    def __init__(self) -> None:
        self._arrived, signal_side = socket.socketpair()
        signal_side.setblocking(False)
        signal.set_wakeup_fd(signal_side.detach())
        self._begun = False

    def __iter__(self) -> Iterator[int]:
        if not self._begun:
            self._begun = True
            WORLD.Barrier()  # an interrupt before the call would end the rank
            if WORLD.rank == 0:
                launcher = psutil.Process().parents()[1]  # the parent is what starts ranks here
                launcher.send_signal(signal.SIGINT)
            self._arrived.recv(1)
            signal.set_wakeup_fd(-1)
        return iter([0])


def all_interrupted() -> Any:
    """Ctrl-C reaches all ranks, before any memory is on its way."""
    try:
        return attempt(WORLD, Interrupting(), 0)
    except KeyboardInterrupt as interrupt:
        return {"report": report_of(interrupt)}


def report_of(interrupt: KeyboardInterrupt) -> Any:
    """What the call would have returned without it."""
    report = interrupt.report  # type: ignore[attr-defined]
    return report and report.to_dict()


def state(block: Block) -> dict[str, Any]:
    """Where the pages of a block are, and whether they hold what they held."""
    # Page by page: its mapping may have been joined with one of MPI.
    pages = Counter(numa.nodes_of(0, block.addresses))
    return {"pages": pages, "intact": block.intact()}


def node_cpus(node: int) -> NodeMask:
    """The CPUs of a node."""
    return next(NodeMask(each.cpus) for each in topology() if each.number == node)


def main() -> None:
    """Plays the scenarios, and writes what came of them."""
    scenarios: dict[str, Callable[[], Any]] = {name: globals()[name] for name in sys.argv[1:]}
    answer = {name: scenario() for name, scenario in scenarios.items()}
    answer = {"rank": WORLD.rank, "pid": os.getpid(), **answer}
    unique = f"{os.readlink('/proc/self/ns/pid')}-{os.getpid()}"
    Path(os.environ["PYMIGRATE_TEST_RESULTS"], unique).write_text(json.dumps(answer))


if __name__ == "__main__":
    main()
