"""`make test-kernels`: the numa tests on kernels that Debian carries, and what each makes of it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from lab.architectures import AMD64

from platforms import page, record
from platforms.record import Finding
from platforms.run import pytest

KERNELS = tuple(AMD64.suites)
FEATURES = "tests/numa/test_kernel_features.py"


def main(names: Sequence[str], *, quick: bool) -> int:
    """Run the tests on some kernels, keep what they found, and print the table.

    Args:
        names: Of kernels, as in `KERNELS`; none for all of them.
        quick: Whether only the tests run that the table is made of.

    Returns:
        An exit status: whether anything failed.
    """
    failed = []
    tests = FEATURES if quick else "tests/numa"
    for kernel in names or KERNELS:
        print(f"-- kernel {kernel}", flush=True)
        run = pytest(tests, "--lab=always", f"--lab-kernel={kernel}")
        findings = [_finding(kernel, text) for text in run.all("finding")]
        record.save_findings("kernels", findings, KERNELS)
        if not run.green:
            failed.append(f"kernel {kernel}: {run}")
    page.write()
    print(*page.tables(record.load("kernels")), *failed, sep="\n")
    return 1 if failed else 0


def _finding(kernel: str, text: str) -> Finding:
    feature, verdict, detail, release = json.loads(text)
    return Finding(feature, kernel, release, verdict, detail)
