"""Migration where the kernel's own NUMA balancing is on, and marks pages to see who uses them.

In machines of their own: marks stay when it is switched off, and whoever meets one may move the
page. This process would go on moving those that it shares with the targets of later tests.
"""

from __future__ import annotations

import mmap
from collections import Counter

import pytest
from support import kernels, numa
from support.accounts import check_sums
from support.balancing import BALANCING, MANY, Busy, wait_until_hidden
from support.kinds import PAGE, Memory, setting
from support.memory import target
from support.processes import servant

from pymigrate import Job
from pymigrate.operations.migration import Migration

pytestmark = pytest.mark.managed


@pytest.mark.numa(kernel="6.1", balancing=True)
def test_pages_that_move_pages_does_not_see_are_moved_by_the_other_call() -> None:
    with servant(Busy) as child:
        wait_until_hidden(child)
        report = Migration(child.pid, 0, 1).run(lambda _: None)
        assert report.methods == ("move_pages", "migrate_pages")
        assert report.balancing
        assert report.total.moved >= MANY
        assert report.complete, report.to_json()
        assert child.ask(Busy.intact_on, 1)  # access undoes the marks
        assert Counter(numa.nodes_of(child.pid, child.ask(Busy.addresses)))[0] == 0
    check_sums(report)


@pytest.mark.numa(kernel="6.1", balancing=True)
def test_in_a_job_too() -> None:
    with servant(Busy) as child:
        wait_until_hidden(child)
        report = Job.of([child.pid]).migration(0, 1).run()
        assert report.reports[child.pid].methods == ("move_pages", "migrate_pages")
        assert report.complete, report.to_json()
        assert child.ask(Busy.intact_on, 1)
        assert Counter(numa.nodes_of(child.pid, child.ask(Busy.addresses)))[0] == 0


@pytest.mark.numa(kernel="6.1", balancing=True)
def test_or_stay_hidden_and_are_named() -> None:
    with servant(Busy) as child:
        wait_until_hidden(child)
        # No single call can do this, so nothing sees these pages.
        report = Migration(child.pid, moves={0: 1, 1: 0}, retries=0).run()
        check_sums(report)
        assert report.outcome == "done"
        assert report.total.left.get("hidden", 0) > 0
        assert not report.complete
        assert "numa_balancing" in str(report)


@pytest.mark.numa(kernel="6.1", balancing=True)
def test_memory_without_access_is_moved_too() -> None:
    with servant(lambda: Memory(0, 1000 * PAGE)) as child:
        child.ask(Memory.protect, 0, 1000 * PAGE, 0)
        report = Migration(child.pid, 0, 1).run(lambda _: None)
        child.ask(Memory.protect, 0, 1000 * PAGE, mmap.PROT_READ)
        assert child.ask(Memory.intact)
        assert numa.nodes_of(child.pid, child.ask(Memory.addresses)) == [1] * 1000
    check_sums(report)
    assert report.complete


@pytest.mark.numa(kernel="6.1", balancing=True)
@pytest.mark.parametrize("workers", [1, 4])
def test_an_older_kernel(workers: int) -> None:
    with target([0, 1, 1, 2, 3] * 1000) as process:
        report = Migration(process.pid, "0-1", "2-3", workers=workers).run(lambda _: None)
        assert set(process.counts()) == {2, 3}
        assert process.intact()
    assert report.complete
    check_sums(report)


@pytest.mark.parametrize(
    "balancing",
    [
        pytest.param(False, marks=pytest.mark.numa),
        pytest.param(True, marks=pytest.mark.numa(balancing=True)),
    ],
)
def test_whether_this_kernel_sees_them(balancing: bool) -> None:
    with setting(BALANCING, str(int(balancing))), servant(Busy) as child:
        report = Migration(child.pid, 0, 1).run(lambda _: None)
        assert child.ask(Busy.intact_on, 1)
    check_sums(report)
    hidden = balancing and kernels.balancing_hides_pages()
    assert report.methods == ("move_pages", "migrate_pages")[: 1 + hidden]
    assert report.balancing == balancing
    assert "hidden" not in report.total.left
    assert report.total.moved >= MANY
