"""What of every ABI can be shown without a machine of it: the calls that are dispatched."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from arch.abis import ABIS, Abi

from platforms import page, record
from platforms.record import Row
from platforms.run import Run, pytest

NAMES = tuple(abi.name for abi in ABIS)
_FOLDER = "tests.arch."


def main(names: Sequence[str], *, quick: bool) -> int:
    """Compile, trace and compare for some ABIs, keep what came out, and print the table.

    Args:
        names: Of ABIs; none for all.
        quick: Whether the record stays as it is.

    Returns:
        An exit status: whether anything failed.
    """
    chosen = [f"{name}]" for name in names]
    run = pytest("tests/arch", *(["-k", " or ".join(chosen)] if chosen else []))
    rows = {abi.name: row for abi in ABIS if (row := _row(abi, run))}
    if not quick:
        record.save_rows("dispatch", rows, NAMES)
        page.write()
    print(page.platforms(rows.values()) if rows else f"nothing was shown: {run}")
    return 0 if run.green else 1


def _row(abi: Abi, run: Run) -> Row | None:
    def passed(test: str) -> bool:
        return run.outcomes.get(_FOLDER + test) == "passed"

    traces = "test_dispatch::test_trace_shows_the_calls[{}-{}]"
    compiled = passed(f"test_compile::test_compiles_without_a_warning[{abi.name}]")
    if all(passed(traces.format(abi.name, source)) for source in ("toolchain", "ours")):
        told = "every call by its number and arguments"
        return Row(
            abi.name, abi.bits, abi.byteorder, "traced dispatch", told, kernel=_emulator(abi)
        )
    if passed(f"test_kernel_tables::test_numbers_are_the_kernels[{abi.name}]"):
        told = "compiled; numbers as in the kernel's table" if compiled else "nobody has a compiler"
        return Row(abi.name, abi.bits, abi.byteorder, "headers", told)
    return None


def _emulator(abi: Abi) -> str:
    words = subprocess.run(
        [abi.emulator[0], "--version"], check=True, capture_output=True, text=True
    ).stdout.split()
    return f"qemu-user {words[2]}"
