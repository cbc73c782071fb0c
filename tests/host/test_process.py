"""Process tells whether a pid still means the process that it meant."""

from __future__ import annotations

import errno
import gc
import os
import threading
from functools import partial
from typing import Callable

import pytest
from support import requires
from support.pids import bury, kill, mortal, reborn
from support.processes import ended, idle_process, in_child, zombie
from support.shortage import out_of_files

from pymigrate import InvalidArgument, KernelError, NoSuchProcess
from pymigrate.jobs.member import identify
from pymigrate.kernel._memory_files import MemoryFiles
from pymigrate.kernel.process import Process


def open_files() -> set[str]:
    """Of this process."""
    return set(os.listdir("/proc/self/fd"))


def test_the_caller() -> None:
    with Process(0) as process:
        assert process.pid == os.getpid()
        assert process.alive()
        assert process.start_time > 0


def test_it_lives_until_it_ends() -> None:
    with mortal() as pid, Process(pid) as process:
        assert process.alive()
        kill(pid)
        assert not process.alive()  # a zombie
        bury_zombie(pid)
        assert not process.alive()


def test_a_zombie() -> None:
    with zombie() as pid, Process(pid) as process:
        assert not process.alive()


def test_a_zombie_where_the_kernel_has_no_pidfd() -> None:
    with mortal() as pid, Process(pid) as process:
        process.close()
        process._pidfd = -errno.ENOSYS
        assert process.alive()
        kill(pid)
        assert not process.alive()
        bury_zombie(pid)
        assert not process.alive()


def test_a_thread() -> None:
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    assert thread.native_id is not None
    with Process(thread.native_id) as process:
        assert process.alive()
        stop.set()
        thread.join()
        while os.path.exists(f"/proc/self/task/{thread.native_id}"):  # it leaves a moment later
            pass
        assert not process.alive()


def test_no_more_files_may_be_opened() -> None:
    """That says nothing of the process, which lives."""

    def attempt(function: Callable[[int], object], pid: int) -> None:
        out_of_files()
        function(pid)

    with idle_process() as pid:
        for function in (Process, identify, MemoryFiles):
            with pytest.raises(KernelError) as refused:
                in_child(partial(attempt, function, pid))
            assert (type(refused.value), refused.value.errno) == (KernelError, errno.EMFILE)


@requires.root
def test_another_process_with_its_pid() -> None:
    with mortal() as pid, Process(pid) as old:
        bury(pid)
        with reborn(pid), Process(pid) as new:
            assert new.alive()
            assert not old.alive()
            assert old.pid == new.pid


def test_nobody() -> None:
    pid = ended()
    with pytest.raises(NoSuchProcess) as caught:
        Process(pid)
    assert caught.value.pid == pid
    assert caught.value.reason == "gone"


@pytest.mark.parametrize("pid", [-1, True, 1.0, "1", None, 2**31, 2**100])
def test_no_pid(pid: int) -> None:
    with pytest.raises(InvalidArgument):
        Process(pid)


def test_its_file_is_closed_with_it() -> None:
    gc.collect()  # of what earlier tests have left
    before = open_files()
    with Process(0) as process:
        assert len(open_files()) >= len(before)
    process.close()  # once more is no error
    Process(0)  # nobody closes this one
    gc.collect()
    assert open_files() == before


def test_it_is_not_inherited() -> None:
    with idle_process() as pid, Process(pid) as process:
        assert process._pidfd < 0 or not os.get_inheritable(process._pidfd)


def bury_zombie(pid: int) -> None:
    """Lets the pid of an ended child go."""
    os.waitpid(pid, 0)
