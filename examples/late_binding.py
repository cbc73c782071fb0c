#!/usr/bin/env python3
"""A launcher such as torchrun that binds its workers late, and then brings their memory home.

    late_binding.py [--workers N] [--size MIB]

A launcher that waits for its workers before it binds them, because only they know their GPU, comes
too late: what they have touched by then stays where they happened to start. In one published case
that was 22 % of the memory of each worker
(https://github.com/NVIDIA/TensorRT-LLM/pull/18117). One call after the binding brings it along.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import zlib
from collections.abc import Collection
from contextlib import suppress

from pymigrate import Job, home, residency, topology


def main() -> int:
    """Starts the workers, binds them, and tells what was remote before and after."""
    parser = argparse.ArgumentParser(description="start workers, bind them late, move their memory")
    parser.add_argument("--workers", type=positive, default=4, metavar="N")
    parser.add_argument("--size", type=positive, default=32, metavar="MIB", help="of each (32)")
    parser.add_argument("--rank", type=int, help=argparse.SUPPRESS)  # this is a worker
    wish = parser.parse_args()
    if wish.rank is not None:
        return work(wish.size)
    nodes = [node for node in topology() if node.cpus and node.memory_total]
    workers = [start(rank, wish) for rank in range(wish.workers)]
    homes = {worker.pid: nodes[rank % len(nodes)] for rank, worker in enumerate(workers)}
    for worker in workers:
        answer(worker)  # it has loaded all that it needs

    for pid, node in homes.items():
        bind(pid, node.cpus)
    before = {pid: remote(pid, node.number) for pid, node in homes.items()}
    # Their homes differ, so none may take from the others what they share.
    report = home(Job.of(homes), shared=False)
    for rank, (pid, node) in enumerate(homes.items()):
        after = remote(pid, node.number)
        moved = report.reports[pid].total.moved if pid in report.reports else 0
        print(
            f"worker {rank} on node {node.number}: {before[pid]:.0%} remote before, "
            f"{after:.0%} after, {moved} pages moved"
        )
    for pid, error in report.failures.items():
        print(f"worker of pid {pid}: {error}")

    answers = [tell(worker, "go on") for worker in workers]
    print("all workers have what they had" if set(answers) == {"intact"} else f"LOST: {answers}")
    return 0 if set(answers) == {"intact"} and not report.failures else 1


def positive(text: str) -> int:
    """A number above 0, as people type it."""
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")


def start(rank: int, wish: argparse.Namespace) -> subprocess.Popen[str]:
    """A worker, told its place as torchrun does."""
    place = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(wish.workers)}
    command = [sys.executable, __file__, f"--rank={rank}", f"--size={wish.size}"]
    return subprocess.Popen(
        command,
        env={**os.environ, **place},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def bind(pid: int, cpus: Collection[int]) -> None:
    """Binds all threads of a process: sched_setaffinity(2) of its pid binds but the first.

    A thread has at first the CPUs of the one that started it, so it is looked until none is new.
    """
    bound: set[str] = set()
    while new := set(os.listdir(f"/proc/{pid}/task")) - bound:
        for thread in new:
            with suppress(ProcessLookupError):  # it has ended
                os.sched_setaffinity(int(thread), cpus)
        bound |= new


def remote(pid: int, node: int) -> float:
    """The part of the memory of a process, of what it has for itself, that is not on a node."""
    found = residency(pid)
    return 1 - found.pages(node, "anonymous") / found.pages(kind="anonymous")


def answer(worker: subprocess.Popen[str]) -> str:
    """The next line of a worker."""
    assert worker.stdout
    return worker.stdout.readline().strip()


def tell(worker: subprocess.Popen[str], line: str) -> str:
    """Says something to a worker, and waits for what it says to that."""
    assert worker.stdin
    worker.stdin.write(line + "\n")
    worker.stdin.flush()
    return answer(worker)


def work(size: int) -> int:
    """A worker: loads a model, says so, and later finds it as it was."""
    model = os.urandom(size << 20)
    checksum = zlib.crc32(model)
    print("loaded", flush=True)
    sys.stdin.readline()
    print("intact" if zlib.crc32(model) == checksum else "lost", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
