"""What of every ABI can be shown without a machine of it: the calls that are dispatched."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from functools import partial

from arch.abis import ABIS, TRACED, Abi

from platforms.matrix import Matrix, Seen
from platforms.record import Row, Shown
from platforms.run import Outcome, Run, pytest

NAMES = tuple(abi.name for abi in ABIS)

# A row rests on all that there are of an ABI: module and test.
_OF_ALL = (
    ("test_selector", "test_selects_the_header_and_has_every_number[{}]"),
    ("test_kernel_tables", "test_numbers_are_the_kernels[{}]"),
)
_OF_COMPILED = (
    ("test_compile", "test_compiles_without_a_warning[{}]"),
    ("test_compile", "test_selects_its_header[{}]"),
    ("test_compile", "test_toolchain_confirms_the_table_and_the_constants[{}]"),
    ("test_compile", "test_refuses_wrong_numbers[{}]"),
)
_OF_TRACED = (
    ("test_dispatch", "test_trace_shows_the_calls[{}-toolchain]"),
    ("test_dispatch", "test_trace_shows_the_calls[{}-ours]"),
)


def main(names: Sequence[str], *, quick: bool) -> int:
    """Compile, trace and compare for some ABIs, keep what came out, and print the table.

    Args:
        names: Of ABIs; none for all.
        quick: Whether the record stays as it is.

    Returns:
        An exit status: whether anything failed, or one that was named was not shown.
    """
    chosen = [abi for abi in ABIS if abi.name in (names or NAMES)]
    asked = [f"tests/arch/{module}.py::{test}" for abi in chosen for module, test in _tests(abi)]
    run = pytest(*(asked if names else ["tests/arch"]))
    matrix = Matrix("dispatch", NAMES, quick=quick)
    for abi in chosen:
        matrix.show(abi.name, partial(_seen, abi, run, named=bool(names)))
    status = matrix.end()
    return status if run.green else 1


def _seen(abi: Abi, run: Run, *, named: bool) -> Seen:
    """Tell what came of an ABI: without its tools it is passed over, unless it was named."""
    came = outcome(abi, run)
    if came == "passed":
        row = _row(abi)
        return Seen(row.result, good=True, row=row)
    good = came == "skipped" and not named
    return Seen(f"tests {came}, what was known stays", good=good)


def outcome(abi: Abi, run: Run) -> Outcome:
    """Tell what came of an ABI: `passed` only if all of its tests ran, and passed."""
    seen = {run.outcomes.get(f"tests.arch.{each}::{test}", "skipped") for each, test in _tests(abi)}
    if "failed" in seen:
        return "failed"
    return "skipped" if "skipped" in seen else "passed"


def _tests(abi: Abi) -> list[tuple[str, str]]:
    compiled = _OF_COMPILED if abi.toolchain else ()
    traced = _OF_TRACED if abi in TRACED else ()
    return [(module, test.format(abi.name)) for module, test in (*_OF_ALL, *compiled, *traced)]


def _row(abi: Abi) -> Row:
    shown: Shown = "headers"
    told, emulator = "no toolchain for Linux in Debian 12", None
    if abi in TRACED:
        shown, told = "traced dispatch", "every call by its number and arguments"
        emulator = _emulator(abi)
    elif abi.toolchain:
        told = "compiled; numbers as in the kernel's table"
    return Row(abi.name, abi.bits, abi.byteorder, shown, told, kernel=emulator)


def _emulator(abi: Abi) -> str:
    words = subprocess.run(
        [abi.emulator[0], "--version"], check=True, capture_output=True, text=True
    ).stdout.split()
    return f"qemu-user {words[2]}"
