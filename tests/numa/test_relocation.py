"""A cgroup gets other nodes, and all of its memory is there; or else the old ones are back."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import kernels, numa, requires
from support.cpuset import bound_read_only, cpuset, enter, first_version
from support.credentials import NOBODY, become
from support.kinds import PAGE, Pinned
from support.memory import target
from support.pids import bury, mortal
from support.processes import in_child, servant

from pymigrate import (
    Cpuset,
    CpusetRefused,
    InvalidArgument,
    InvalidNodes,
    Job,
    JobProgress,
    NodeMask,
    Relocation,
    home,
    migrate,
    relocate,
)
from pymigrate.cli import main

pytestmark = [pytest.mark.numa, requires.root, pytest.mark.usefixtures("calm")]

MANY = 2048


def mems(group: Path) -> str:
    return (group / "cpuset.mems").read_text().strip()


def cpus(group: Path) -> str:
    return (group / "cpuset.cpus").read_text().strip()


def outside(pid: int, nodes: str) -> int:
    """Pages of a process that are not on these nodes, of all that it has."""
    (found,) = Job.of([pid]).residency().values()
    return found.pages() - sum(found.pages(node) for node in NodeMask(nodes))


# -- version 2


def test_the_kernel_moves_and_it_is_seen() -> None:
    with cpuset("0") as group, target([0] * MANY, lambda: enter(group)) as process:
        relocation = relocate(str(group), 2)
        assert process.counts() == {2: MANY}
        assert process.intact()
        assert outside(process.pid, "2") == relocation.remaining == 0
        assert Cpuset.of(process.pid) == relocation.after
        assert relocation.after.tasks() == {process.pid: NodeMask(2)}
    assert relocation.complete
    assert (relocation.by_kernel >= MANY) == kernels.cpuset_moves_memory()
    assert relocation.report.total.moved + relocation.by_kernel >= relocation.outside
    assert (relocation.before.mems, relocation.after.mems) == (NodeMask(0), NodeMask(2))
    assert relocation.after.effective_mems == NodeMask(2)


def test_what_lies_outside_the_old_nodes_comes_along() -> None:
    """The kernel leaves it, as it moves from the old nodes only."""
    with cpuset("0-1") as group, target([0, 0, 0, 1] * 256, lambda: enter(group)) as process:
        migrate(process.pid, 1, 3)  # root may
        assert process.counts() == {0: 768, 3: 256}
        relocation = relocate(str(group), 2)
        assert process.counts() == {2: 1024}
        assert process.intact()
    assert relocation.complete
    assert relocation.report.by_source[3].moved >= 256


def test_pairs_are_kept() -> None:
    with cpuset("0-1") as group, target([0, 1] * 500, lambda: enter(group)) as process:
        relocation = relocate(str(group), "2-3")
        assert process.nodes() == [2, 3] * 500
    assert relocation.complete


def test_pinned_pages_are_told() -> None:
    with cpuset("0") as group:

        def prepare() -> Pinned:
            enter(group)
            return Pinned(0, 64 * PAGE, 10)

        with servant(prepare) as process:
            relocation = relocate(str(group), 1)
            pages = numa.nodes_of(process.pid, process.ask(Pinned.addresses))
            assert pages == [0] * 10 + [1] * 54
            assert process.ask(Pinned.intact)
        assert mems(group) == "1"
    assert not relocation.complete
    assert relocation.report.total.left["busy"] == 10
    assert relocation.remaining >= 10


def test_cpus_too() -> None:
    with cpuset("0", cpus="0") as group, target([0] * 10, lambda: enter(group)) as process:
        relocation = relocate(str(group), 3, cpus="3")
        assert (mems(group), cpus(group)) == ("3", "3")
        assert os.sched_getaffinity(process.pid) == {3}
        assert process.counts() == {3: 10}
    assert relocation.before.cpus == {0}
    assert relocation.after.effective_cpus == {3}
    assert "cpuset.cpus 0 -> 3" in str(relocation)


def test_a_cgroup_that_had_asked_for_nothing() -> None:
    with cpuset("") as group, target([0, 1, 2, 3] * 100, lambda: enter(group)) as process:
        relocation = relocate(str(group), "1")
        assert process.counts() == {1: 400}
    assert relocation.before.mems == NodeMask()
    assert relocation.before.effective_mems == NodeMask("0-3")


def test_a_cgroup_below_has_less() -> None:
    """Its processes move within what they have."""
    with cpuset("0-1") as group:
        (group / "cgroup.subtree_control").write_text("+cpuset")
        with cpuset("0,2", above=group) as below, target([0] * 99, lambda: enter(below)) as process:
            assert Cpuset.read(str(below)).effective_mems == NodeMask(0)
            if not kernels.cpuset_below_may_have_more():
                assert refused(group, "2-3").reason == "below"
                return
            relocation = relocate(str(group), "2-3")
            assert process.counts() == {2: 99}
            assert Cpuset.of(process.pid).effective_mems == NodeMask(2)
    assert relocation.complete


def test_for_programs_and_people() -> None:
    with cpuset("0") as group, target([0] * 100, lambda: enter(group)):
        relocation = relocate(str(group), 1, rate=1e9)
    told = relocation.to_dict()
    assert told["before"]["mems"] == "0"
    assert told["after"]["mems"] == "1"
    assert told["report"]["settled"]
    assert str(relocation).startswith(f"{group}: cpuset.mems 0 -> 1\n")


# -- where somebody else has changed it


def test_to_where_it_may_be_now() -> None:
    with cpuset("0-1") as group, target([0, 1] * 500, lambda: enter(group)) as process:
        migrate(process.pid, 0, 3)  # root may
        (group / "cpuset.mems").write_text("1-2")
        assert process.counts()[3] == 500, "the kernel has left them"
        report = home(Job.cgroup(str(group)), by="cpuset")
        assert set(process.counts()) <= {1, 2}
        assert process.intact()
    assert report.complete
    assert report.by_source[3].moved >= 500


# -- refused, or failed midway


def refused(group: Path, nodes: Any, **wishes: Any) -> CpusetRefused:
    before = (mems(group), cpus(group))
    with pytest.raises(CpusetRefused) as error:
        relocate(str(group), nodes, **wishes)
    assert (mems(group), cpus(group)) == before
    assert error.value.folder == str(group)
    assert error.value.restored
    return error.value


def test_nodes_that_are_not_granted() -> None:
    with cpuset("0-1") as group:
        (group / "cgroup.subtree_control").write_text("+cpuset")
        with cpuset("0", above=group) as below:
            error = refused(below, "1-2")
            assert (error.reason, error.errno) == ("not-granted", errno.EACCES)
            assert "node 2: not there, or not granted" in str(error)
        assert refused(group, 9).reason == "not-granted"
        assert refused(group, 1, cpus=99).reason == "not-granted"
        with pytest.raises(InvalidNodes):
            relocate(str(group), ())
        assert mems(group) == "0-1"


def test_a_cgroup_of_another_user() -> None:
    with cpuset("0") as group:

        def as_nobody() -> CpusetRefused:
            become(NOBODY)
            return refused(group, 1)

        error = in_child(as_nobody)
    assert (error.reason, error.errno) == ("permission", errno.EACCES)
    assert f"belongs to uid 0, the caller is uid {NOBODY}" in str(error)


def test_a_hierarchy_that_is_read_only() -> None:
    with cpuset("0") as group, target([0] * 10, lambda: enter(group)) as process:
        with bound_read_only(group):
            error = refused(group, 1)
        assert process.counts() == {0: 10}
    assert (error.reason, error.errno) == ("read-only", errno.EROFS)


def test_a_cgroup_that_vanishes_midway() -> None:
    with cpuset("0") as group, mortal(lambda: enter(group)) as pid:

        def vanish(operation: object) -> None:
            bury(pid)
            group.rmdir()

        with pytest.raises(CpusetRefused) as error:
            relocate(str(group), 1, begun=vanish)
    assert error.value.reason == "gone"


STOPPED = """\
import os, signal, sys
from contextlib import contextmanager
import pymigrate.jobs.relocation as relocation
from pymigrate.cli import main

def stop():
    os.kill(os.getpid(), signal.SIGINT)

_, moment, *words = sys.argv
if moment == "before":
    real = relocation._outside
    def look(*arguments):
        stop()
        return real(*arguments)
    relocation._outside = look
else:
    real = relocation.changed
    @contextmanager
    def changed(*arguments):
        with real(*arguments):
            stop()
            yield
    relocation.changed = changed
sys.exit(main(words))
"""


@pytest.mark.parametrize("moment", ["before", "between"])
def test_an_interrupt_where_no_migration_has_begun_puts_all_back(moment: str) -> None:
    with cpuset("0", cpus="0-1") as group, target([0] * 100, lambda: enter(group)) as process:
        words = [moment, "relocate", str(group), "--mems", "1", "--cpus", "1"]
        program = [sys.executable, "-c", STOPPED, *words]
        done = subprocess.run(program, check=False, capture_output=True, text=True, cwd="/")
        assert (done.returncode, done.stdout, done.stderr) == (130, "", "pymigrate: stopped\n")
        assert (mems(group), cpus(group)) == ("0", "0-1")
        assert process.counts() == {0: 100}


def test_whose_memory_is_not_seen_is_told() -> None:
    """The files of the cgroup are the caller's, and a process in it is not."""
    with cpuset("0") as group, target([0] * MANY, lambda: enter(group)) as process:
        os.chown(group / "cpuset.mems", NOBODY, NOBODY)

        def as_nobody() -> Relocation:
            become(NOBODY)
            return relocate(str(group), 1)

        relocation = in_child(as_nobody)
        assert process.counts() == {int(kernels.cpuset_moves_memory()): MANY}
    assert relocation.unseen == (process.pid,)
    assert (relocation.outside, relocation.by_kernel) == (0, 0)
    assert f"not seen       the memory of {process.pid}: " in str(relocation)
    assert not relocation.complete


def test_a_failure_midway_puts_all_back() -> None:
    with cpuset("0", cpus="0-1") as group, target([0] * 100, lambda: enter(group)) as process:

        def fail(progress: JobProgress) -> None:
            assert (mems(group), cpus(group)) == ("1", "1")
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            relocate(str(group), 1, cpus=1, progress=fail)
        assert (mems(group), cpus(group)) == ("0", "0-1")
        if kernels.cpuset_moves_memory():  # else what the migration had moved by then stays there
            assert process.counts() == {0: 100}
        assert process.intact()


def test_a_failure_midway_in_a_cgroup_that_had_asked_for_nothing() -> None:
    """Empty settings cannot be written back while there are processes: what they meant is."""

    def fail(progress: object) -> None:
        raise ZeroDivisionError

    with cpuset("") as group, target([0] * 100, lambda: enter(group)) as process:
        before = Cpuset.read(str(group))
        with pytest.raises(ZeroDivisionError):
            relocate(str(group), 2, cpus="2", progress=fail)
        after = Cpuset.read(str(group))
        assert process.intact()
    assert after.effective_mems == before.effective_mems
    assert after.effective_cpus == before.effective_cpus


def test_without_the_controller() -> None:
    with cpuset("0") as group:
        below = group / "below"
        below.mkdir()
        try:
            with pytest.raises(CpusetRefused) as error:
                relocate(str(below), 1)
            assert error.value.reason == "no-controller"
            assert f"echo +cpuset > {group}/cgroup.subtree_control" in str(error.value)
            with mortal(lambda: enter(below)) as pid:
                assert Cpuset.of(pid).folder == str(group)
                bury(pid)
        finally:
            below.rmdir()


@pytest.mark.parametrize("cpus", ["all", "!0", "+1", "x", ""])
def test_cpus_are_no_nodes(cpus: str, capsys: pytest.CaptureFixture[str]) -> None:
    with cpuset("0", cpus="0") as group:
        with pytest.raises(InvalidArgument):
            relocate(str(group), 0, cpus=cpus)
        assert main(["relocate", str(group), "--mems", "0", "--cpus", cpus]) == 2
        assert "CPU list" in capsys.readouterr().err or not cpus
        assert (group / "cpuset.cpus").read_text().strip() == "0"


def test_the_root() -> None:
    with pytest.raises(InvalidArgument, match="root of its hierarchy"):
        relocate("/sys/fs/cgroup", 1)


# -- version 1


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A v1 hierarchy with the controller cpuset."""
    with first_version(tmp_path):
        yield tmp_path


@pytest.mark.numa(kernel="6.1")  # Debian's later ones are built without
@pytest.mark.parametrize("migrates", [False, True])
def test_version_1(mounted: Path, migrates: bool) -> None:
    with cpuset("0", cpus="0-3", above=mounted) as group:
        (group / "cpuset.memory_migrate").write_text(str(int(migrates)))
        with target([0] * MANY, lambda: enter(group)) as process:
            found = Cpuset.of(process.pid)
            assert (found.folder, found.version) == (str(group), 1)
            assert found.migrates == migrates
            relocation = relocate(str(group), "2")
            assert process.counts() == {2: MANY}
            assert process.intact()
            assert Cpuset.of(process.pid).tasks() == {process.pid: NodeMask(2)}
    assert relocation.complete
    assert relocation.remaining == 0
    assert (relocation.by_kernel >= MANY) == migrates
    assert (relocation.report.total.moved >= MANY) != migrates


@pytest.mark.numa(kernel="6.1")
def test_version_1_with_cgroups_below(mounted: Path) -> None:
    with cpuset("0-1", cpus="0-3", above=mounted) as group:
        with cpuset("0", cpus="0", above=group) as below:
            assert refused(group, "1-2").reason == "below"
            assert refused(below, "2").reason == "not-granted"
        with pytest.raises(InvalidArgument, match="root of its hierarchy"):
            relocate(str(mounted), 1)


@pytest.mark.numa(kernel="6.1")
def test_version_1_to_where_it_may_be_now(mounted: Path) -> None:
    with (
        cpuset("0", cpus="0-3", above=mounted) as group,
        target([0] * 10, lambda: enter(group)) as process,
    ):
        (group / "cpuset.mems").write_text("1")
        assert process.counts() == {0: 10}, "nobody has moved them"
        assert home(Job.cgroup(str(group)), by="cpuset").complete
        assert process.counts() == {1: 10}
