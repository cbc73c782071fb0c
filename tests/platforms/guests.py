"""`make test-arch`: pages that really move on machines of other architectures, emulated whole."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import lab

from platforms import big_endian, driver, site
from platforms.bare import Bare
from platforms.matrix import Matrix, Seen
from platforms.record import Row
from platforms.run import pytest

BASICS = ("test_platform.py", "test_migrate.py", "test_plan.py", "test_residency.py")
"""Tests of every call and every look."""

ALL = (*BASICS, "test_migration.py", "test_migration_kinds.py")


class Machine(Protocol):
    """Somewhere to show real moves."""

    def show(self, *, quick: bool) -> tuple[Mapping[str, Any], str, bool]:
        """Show them: facts of the machine, what came out in words, and whether it was good."""


@dataclass(frozen=True)
class Guest:
    """A machine with a Python of its own, which runs the package's tests.

    Attributes:
        userland: Debian's architecture of its Python.
        kernel: As the lab names it.
        tests: Files of tests/numa.
    """

    userland: str
    kernel: str = "6.12"
    tests: Sequence[str] = ALL

    def show(self, *, quick: bool) -> tuple[Mapping[str, Any], str, bool]:
        """Run the tests."""
        lab.Machine(self.kernel, self.userland).parts()  # what is missing is told once
        run = pytest(
            *(f"tests/numa/{name}" for name in (BASICS if quick else self.tests)),
            "--lab=always",
            f"--lab-userland={self.userland}",
            f"--lab-site={site.find(self.userland)}",
            f"--lab-kernel={self.kernel}",
        )
        told = run.all("platform")
        return json.loads(told[0]) if told else {}, str(run), run.green


MACHINES: dict[str, Machine] = {
    "aarch64": Guest("arm64"),
    "i386": Guest("i386"),
    "ppc64le": Guest("ppc64el", kernel="6.1"),  # with pages of 64 KiB
    "armhf": Guest("armhf"),  # on the kernel of aarch64
    "riscv64": Guest("riscv64", tests=BASICS),
    "x32": driver.Driver("x32", ("syscall.x32=y",)),
    "ppc64": Bare("ppc64", big_endian.PPC64, big_endian.kernel),
    "ppc32": Bare("ppc32", big_endian.PPC64, big_endian.kernel),
}
"""By the ABI's name in tests/arch/abis.py, in the order of the table."""

BY_DEFAULT = tuple(name for name, machine in MACHINES.items() if not isinstance(machine, Bare))
QUICK = ("aarch64", "i386")


def main(names: Sequence[str], *, quick: bool) -> int:
    """Show real moves on some machines, keep what came out, and print the table.

    Args:
        names: Of machines; none for all that need no kernel of their own.
        quick: Whether machines and tests are left out that take long; the record stays as it is.

    Returns:
        An exit status: whether anything failed.
    """
    matrix = Matrix("arch", MACHINES, quick=quick)
    for name in names or (QUICK if quick else BY_DEFAULT):
        print(f"-- {name}", flush=True)
        matrix.show(name, partial(_show, name, quick=quick))
    return matrix.end()


def _show(name: str, *, quick: bool) -> Seen:
    facts, result, good = MACHINES[name].show(quick=quick)
    return Seen(result, good, _row(name, facts, result) if facts else None)


def _row(abi: str, facts: Mapping[str, Any], result: str) -> Row:
    return Row(
        abi=abi,
        bits=facts["bits"],
        byteorder=facts["byteorder"],
        shown="real moves",
        result=result,
        page=facts["page"],
        kernel=facts["kernel"],
        python=facts.get("python", "none: from C"),
    )
