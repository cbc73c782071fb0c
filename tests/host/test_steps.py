"""One step of an action on this process's own memory, and what it says where a look fails."""

from __future__ import annotations

import ctypes
import errno
import mmap
import platform
import sys
from typing import Callable

import pytest
from support import requires, seccomp
from support.credentials import check, keep_capabilities
from support.processes import in_child
from support.stretches import STRETCH, Apart, at_work, counted, stretches_at
from support.syscalls import numbers

from pymigrate import Eviction, InvalidNodes, KernelError, NodeMask, NotPermitted
from pymigrate.kernel.process import Process
from pymigrate.operations.action import Action, Step
from pymigrate.operations.evictor import Evictor
from pymigrate.operations.exits import Exits
from pymigrate.operations.mover import Mover
from pymigrate.operations.report import Report
from pymigrate.operations.routes import Routes
from pymigrate.operations.stretch import Stretch
from pymigrate.operations.survey import Survey

HERE = NodeMask.has_memory()
PAGE = mmap.PAGESIZE
SOME = 16
LIMIT = 1 << 14
PRIVATE = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
SHARED = mmap.MAP_SHARED | mmap.MAP_ANONYMOUS
MAP_FIXED_NOREPLACE = 0x100000  # include/uapi/asm-generic/mman-common.h

_libc = ctypes.CDLL(None, use_errno=True)


def evictor(process: Process) -> Evictor:
    """Leaves behind all that is not of a file."""
    return Evictor(process, Exits(HERE, ()), without_swap=True)


def mover(process: Process) -> Mover:
    """To a node that is not there: what it asks for is refused."""
    return Mover(process, Routes.of_map(dict.fromkeys(HERE, HERE.highest + 1)), shared=False)


def stretch_at(survey: Survey, address: int) -> Stretch:
    """The only one there."""
    (found,) = stretches_at(survey, address)
    return found


def refused(function: Callable[[], object]) -> str:
    """The reason for which something is refused, or nothing."""
    try:
        function()
    except NotPermitted as error:
        return error.reason
    return ""


# -- looks that fail


@requires.root
def test_an_eviction_that_cannot_look_afterwards_claims_nothing() -> None:
    def evict() -> Report:
        seccomp.refuse(errno.EPERM, numbers().move_pages)
        eviction = Eviction(0, HERE, (), without_swap=True)
        assert refused(eviction.run)
        return eviction.report

    report = in_child(evict)
    assert (report.total.moved, report.total.vanished) == (0, 0)
    assert report.total.left["not-tried"] > 0


@requires.root
def test_a_migration_that_cannot_look_afterwards_claims_nothing() -> None:
    def move() -> Step:
        memory = Apart()
        memory.touch(0, SOME)
        with at_work(0, mover, HERE) as (action, survey):
            stretch = stretch_at(survey, memory.address)
            seccomp.refuse(errno.EACCES, numbers().move_pages)  # as of a cpuset, too
            assert refused(lambda: action.step(stretch, LIMIT)) == "sandbox"
            return action.cut_short(stretch)

    step = in_child(move)
    assert (step.looked_at, step.entries) == (SOME, [])


def test_what_is_owed_stays_so_where_it_cannot_be_looked_at() -> None:
    def evict() -> tuple[Step, Step]:
        keep_capabilities()  # frames are not told: move_pages(2) is asked
        memory = Apart()
        memory.touch(0, SOME)
        with at_work(0, evictor, HERE) as (action, survey):
            stretch = stretch_at(survey, memory.address)
            before = action.step(stretch, LIMIT)
            survey.keep(stretch, always=False)
            stretch = stretch_at(survey, memory.address)
            seccomp.refuse(errno.EPERM, numbers().move_pages)
            assert refused(lambda: action.step(stretch, LIMIT))
            return before, action.cut_short(stretch)

    before, after = in_child(evict)
    assert counted(before) == {("anonymous", "asked"): SOME, ("anonymous", "no-swap"): SOME}
    assert after.entries == []


# -- stretches that are empty when they are tried again


def test_new_pages_where_all_were_gone_count_by_their_kind() -> None:
    def evict() -> Step:
        memory = Apart(SHARED)
        memory.touch(0, SOME)
        with at_work(0, evictor, HERE) as (action, survey):
            stretch = stretch_at(survey, memory.address)
            action.step(stretch, LIMIT)
            survey.keep(stretch, always=False)
            memory.drop()
            stretch = stretch_at(survey, memory.address)
            memory.touch(SOME, SOME)
            return action.step(stretch, LIMIT)

    assert counted(in_child(evict)) == {
        ("shared", "asked"): SOME,
        ("shared", "vanished"): SOME,
    }


@pytest.mark.skipif(
    platform.machine() != "x86_64" or sys.maxsize < 2**32, reason="knows where that of x86_64 ends"
)
def test_the_last_stretch_of_the_address_space() -> None:
    """It ends where no process can have memory, and is asked about up to the last mapping alone."""

    def evict() -> Step:
        start = (1 << 47) - STRETCH
        place, size = ctypes.c_void_p(start), ctypes.c_size_t(SOME * PAGE)
        flags = PRIVATE | MAP_FIXED_NOREPLACE
        _libc.mmap.restype = ctypes.c_void_p
        assert _libc.mmap(place, size, mmap.PROT_WRITE, flags, -1, ctypes.c_long(0)) == start
        ctypes.memset(start, 1, SOME * PAGE)
        with at_work(0, evictor, HERE) as (action, survey):
            stretch = stretch_at(survey, start)
            action.step(stretch, LIMIT)
            survey.keep(stretch, always=False)
            check(_libc.madvise(place, size, mmap.MADV_DONTNEED))
            return action.step(stretch_at(survey, start), LIMIT)

    # Its stack may be there, too.
    assert counted(in_child(evict))["anonymous", "vanished"] >= SOME


# -- steps that cannot be taken


def test_more_sources_than_a_tally_has_rows_for() -> None:
    with Process(0) as process:
        Evictor(process, Exits(NodeMask(range(1024)), ()), without_swap=True).close()
        with pytest.raises(InvalidNodes, match="1025 nodes"):
            Evictor(process, Exits(NodeMask(range(1025)), ()), without_swap=True)


@pytest.mark.parametrize("make", [evictor, mover])
def test_a_step_without_memory_for_it_has_looked_at_nothing(
    make: Callable[[Process], Action],
) -> None:
    def evict() -> tuple[Step, Step, Step]:
        memory = Apart()
        memory.touch(0, SOME)
        with at_work(0, make, HERE) as (action, survey):
            stretch = stretch_at(survey, memory.address)
            before = action.step(stretch, LIMIT)
            with pytest.raises(KernelError, match="no memory for a step"):
                action.step(stretch, sys.maxsize // 2 + 1)
            refused = action.cut_short(stretch)
            stretch.counts = None  # as where none can be made
            return before, refused, action.cut_short(stretch)

    assert [step.looked_at for step in in_child(evict)] == [SOME, 0, 0]
