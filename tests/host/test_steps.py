"""One step of an action on this process's own memory, and what it says where a look fails."""

from __future__ import annotations

import errno
from typing import Callable

from support import requires, seccomp
from support.processes import in_child
from support.syscalls import numbers

from pymigrate import Eviction, NodeMask, NotPermitted
from pymigrate.operations.report import Report

HERE = NodeMask.has_memory()


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
