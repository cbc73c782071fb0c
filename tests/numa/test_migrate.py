"""migrate() moves the memory of a process: every page, to where plan() says, unharmed."""

from __future__ import annotations

import errno
import os
import threading
from collections import Counter

import pytest
from support import numa, requires
from support.credentials import CAP_SYS_PTRACE, keep_capabilities
from support.memory import PAGE, Block, target
from support.processes import idle_process, in_child, servant

from pymigrate import migrate, plan

pytestmark = pytest.mark.numa

PAGES = 64 * 1024 * 1024 // PAGE
SMALL = 64


@pytest.mark.parametrize(
    ("on", "old", "new"), [([0], "0", "1"), ([0, 1], "0,1", "2,3"), ([0, 1, 2, 3], "0-3", "3")]
)
def test_every_page_of_64_mebibytes(on: list[int], old: str, new: str) -> None:
    layout = [node for node in on for _ in range(PAGES // len(on))]
    goes_to = dict(plan(old, new))
    expected = [goes_to.get(node, node) for node in layout]
    with target(layout) as process:
        assert process.nodes() == layout
        assert process.counts() == Counter(layout)
        assert migrate(process.pid, old, new) == 0
        assert process.nodes() == expected
        assert process.counts() == Counter(expected)
        assert process.intact()


def test_the_caller_moves_itself() -> None:
    def moved() -> tuple[int, list[int], bool]:
        block = Block([0] * SMALL)
        left = migrate(0, 0, 2)
        return left, numa.nodes_of(0, block.addresses), block.intact()

    assert in_child(moved) == (0, [2] * SMALL, True)


def test_a_thread_stands_for_its_process() -> None:
    def start_thread() -> None:
        threading.Thread(target=threading.Event().wait, daemon=True).start()

    with target([0] * SMALL, start_thread) as process:
        (thread,) = {int(name) for name in os.listdir(f"/proc/{process.pid}/task")} - {process.pid}
        assert migrate(thread, 0, 1) == 0
        assert process.nodes() == [1] * SMALL
        assert process.intact()


POLICIES = [
    ("default", numa.DEFAULT, set[int]()),
    ("bind:0", numa.BIND, {0}),
    ("interleave:0-1", numa.INTERLEAVE, {0, 1}),
]
"""As numa_maps writes them, and as they are set."""


def test_policies_of_mappings_stay() -> None:
    def make_blocks() -> list[Block]:
        blocks = [Block([0, 1] * SMALL) for _ in POLICIES]
        for block, (_, mode, nodes) in zip(blocks, POLICIES):
            numa.set_range_policy(block.addresses[0], len(block.addresses) * PAGE, mode, nodes)
        return blocks

    with servant(make_blocks) as process:
        starts = process.ask(starts_of)
        mapped = [numa.numa_map(process.pid, start) for start in starts]
        assert mapped == [(text, {0: SMALL, 1: SMALL}) for text, _, _ in POLICIES]
        assert migrate(process.pid, "0-1", "2-3") == 0
        mapped = [numa.numa_map(process.pid, start) for start in starts]
        assert mapped == [(text, {2: SMALL, 3: SMALL}) for text, _, _ in POLICIES]


def starts_of(blocks: list[Block]) -> list[int]:
    return [block.addresses[0] for block in blocks]


@pytest.mark.parametrize(("mode", "nodes"), [(mode, nodes) for _, mode, nodes in POLICIES])
def test_the_policy_of_the_task_stays(mode: int, nodes: set[int]) -> None:
    with target([0] * SMALL, lambda: numa.set_policy(mode, nodes)) as process:
        assert migrate(process.pid, "0-1", "2-3") == 0
        assert process.nodes() == [2] * SMALL
        assert process.process.ask(policy_of_task) == (mode, nodes)


def policy_of_task(_: Block) -> tuple[int, set[int]]:
    return numa.get_policy()


# -- 0 is not the whole truth


@requires.root
@pytest.mark.parametrize("shared", [False, True], ids=["forked", "shmem"])
def test_pages_that_others_map_need_cap_sys_nice(shared: bool) -> None:
    """Without it they stay, and nobody counts them."""

    def without_nice() -> int:
        keep_capabilities(CAP_SYS_PTRACE)
        return migrate(pid, 0, 1)

    block = Block([0] * SMALL, shared=shared)
    with idle_process(block.intact) as pid:
        assert in_child(without_nice) == 0
        assert numa.nodes_of(pid, block.addresses) == [0] * SMALL
        assert migrate(pid, 0, 1) == 0
        assert numa.nodes_of(pid, block.addresses) == [1] * SMALL
        assert block.intact()


@requires.swap
def test_pages_in_swap_stay_there() -> None:
    """Nobody counts them either."""
    with target([0] * SMALL * 2) as process:
        process.page_out(SMALL)
        assert process.nodes() == [-errno.ENOENT] * SMALL + [0] * SMALL
        assert migrate(process.pid, 0, 1) == 0
        assert process.nodes() == [-errno.ENOENT] * SMALL + [1] * SMALL
        assert process.intact()
