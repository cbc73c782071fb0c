"""`make test-kernels`: the numa tests on kernels that Debian carries, and what each makes of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial

from lab import Machine
from lab.architectures import AMD64

from platforms.matrix import Matrix, Seen
from platforms.record import Finding
from platforms.run import pytest

KERNELS = tuple(AMD64.suites)
NUMA = "tests/numa"
FEATURES = "tests/numa/test_kernel_features.py"


def main(names: Sequence[str], *, quick: bool) -> int:
    """Run the tests on some kernels, keep what they found, and print the table.

    Args:
        names: Of kernels, as in `KERNELS`; none for all of them.
        quick: Whether only the tests run that the table is made of.

    Returns:
        An exit status: whether anything failed.
    """
    matrix = Matrix("kernels", KERNELS, quick=quick, features=True)
    for kernel in names or KERNELS:
        print(f"-- kernel {kernel}", flush=True)
        matrix.show(kernel, partial(_show, kernel, FEATURES if quick else NUMA))
    return matrix.end()


def _show(kernel: str, tests: str) -> Seen:
    Machine(kernel=kernel).parts()  # what is missing is told once, and not by each test
    run = pytest(tests, "--lab=always", f"--lab-kernel={kernel}")
    found = tuple(_finding(kernel, text) for text in run.all("finding"))
    return Seen(str(run), run.green, findings=found)


def _finding(kernel: str, text: str) -> Finding:
    feature, verdict, detail, release = json.loads(text)
    return Finding(feature, kernel, release, verdict, detail)
