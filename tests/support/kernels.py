"""Which kernel runs the tests: for what differs between them, and is asserted of each."""

from __future__ import annotations

import os
import re


def since(major: int, minor: int) -> bool:
    """Whether the running kernel is of that version or later."""
    version = re.match(r"(\d+)\.(\d+)", os.uname().release)
    assert version
    return (int(version[1]), int(version[2])) >= (major, minor)


def cpuset_moves_memory() -> bool:
    """Whether a write to cpuset.mems of cgroup v2 moves memory (update_tasks_nodemask())."""
    return since(5, 15)


def cpuset_below_may_have_more() -> bool:
    """Whether cgroup v2 lets a cpuset lose nodes that one below it asks for (validate_change())."""
    return since(5, 17)


def balancing_hides_pages() -> bool:
    """Whether move_pages(2) does not see pages that balancing has marked.

    follow_page_pte() in mm/gup.c, which add_page_for_migration() no longer calls since Linux 6.6.
    """
    return since(6, 1) and not since(6, 6)
