"""A process that holds memory, to be moved or looked at."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAM = "target"  # compiled from peers/
SMALL, HUGE, NOISE, SCATTERED, MIRRORED = "small", "huge", "noise", "scattered", "mirrored"
MIB = 1 << 20

_PAGE_SIZES = {HUGE: 2 * MIB}
_BASE_PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Target:
    """A running target.

    Attributes:
        pid: The process.
        address: Where its memory starts, a multiple of 64 MiB.
        size: Bytes of it.
        page_size: Bytes of each of its pages.
        process: For what it is to be told.
    """

    pid: int
    address: int
    size: int
    page_size: int
    process: subprocess.Popen[bytes]

    def touch(self) -> None:
        """Has it read all of its pages, which brings them back from swap."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        self.process.stdout.readline()


@contextmanager
def crowd(folder: Path, count: int, size: int) -> Iterator[list[int]]:
    """The pids of so many processes that hold ``size`` bytes on node 0 each, until the block ends.

    They share their input, and nobody listens to them further: with two pipes for each, a thousand
    are more files than a process may have open.
    """
    command = [str(folder / PROGRAM), "0", SMALL, str(size), "1"]
    their_input, end = os.pipe()
    processes: list[subprocess.Popen[bytes]] = []
    try:
        with open(their_input, "rb") as stdin:
            for _ in range(count):
                process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE)
                processes.append(process)
                assert process.stdout
                with process.stdout as answers:
                    int(answers.readline())  # its address: the memory is there
        yield [process.pid for process in processes]
    finally:
        os.close(end)
        for process in processes:
            process.wait()


@contextmanager
def target(
    folder: Path, size: int = 0, pages: str = SMALL, *, count: int = 1, node: int = 0
) -> Iterator[Target]:
    """A process that holds memory until the block ends.

    Args:
        folder: Where the peers were compiled into.
        size: Bytes.
        pages: SMALL (base pages), HUGE (transparent huge pages), NOISE (base pages of random
            bytes), SCATTERED (``count`` mappings of
            one base page each), MIRRORED (shared memory of ``size``, mapped ``count`` times).
        count: Mappings.
        node: Where the memory is.
    """
    command = [str(folder / PROGRAM), str(node), pages, str(size), str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        address = int(process.stdout.readline())
        page_size = _PAGE_SIZES.get(pages, _BASE_PAGE_SIZE)
        yield Target(process.pid, address, size, page_size, process)
        process.stdin.close()
