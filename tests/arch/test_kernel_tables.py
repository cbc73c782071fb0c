"""The numbers of every ABI, compared with the tables that the kernel itself is built from.

Debian's package linux-source-6.1: the last long-term kernel that has all of these ABIs (ia64 left
in 6.7), and the only source for those without a toolchain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from arch.abis import ABIS, Abi
from arch.test_selector import numbers_in, preprocessed
from arch.tools import CALLS, succeed

pytestmark = pytest.mark.arch

RELEASE = "linux-source-6.1"
ARCHIVE = Path(f"/usr/src/{RELEASE}.tar.xz")


@dataclass(frozen=True)
class Table:
    """Where the kernel numbers the calls of one header.

    Attributes:
        path: in the kernel's source.
        rows: the kinds of row that count, from the second column.
        base: what the ABI adds to a row's number.
    """

    path: str
    rows: frozenset[str] = frozenset({"common"})
    base: int = 0

    def numbers(self, source: Path) -> dict[str, int]:
        """Read the numbers of our calls."""
        text = (source / self.path).read_text()
        if self.path.endswith(".tbl"):
            lines = re.findall(r"^(\d+)\s+(\w+)\s+(\w+)", text, re.MULTILINE)
            found = {name: int(number) for number, kind, name in lines if kind in self.rows}
        else:
            lines = re.findall(r"^#define __NR_(\w+)\s+(\d+)", text, re.MULTILINE)
            found = {name: int(number) for name, number in lines}
        return {call: found[call] + self.base for call in CALLS}


def _common(folder: str) -> Table:
    return Table(f"arch/{folder}/kernel/syscalls/syscall.tbl")


def _x86(table: str, *rows: str, base: int = 0) -> Table:
    return Table(f"arch/x86/entry/syscalls/{table}.tbl", frozenset(rows), base)


def _mips(abi: str, base: int) -> Table:
    return Table(f"arch/mips/kernel/syscalls/syscall_{abi}.tbl", frozenset({abi}), base)


TABLES = {
    "x86_64.h": _x86("syscall_64", "common", "64"),
    "x32.h": _x86("syscall_64", "common", "x32", base=0x40000000),
    "i386.h": _x86("syscall_32", "i386"),
    "arm-eabi.h": Table("arch/arm/tools/syscall.tbl"),
    "powerpc.h": Table("arch/powerpc/kernel/syscalls/syscall.tbl", frozenset({"common", "nospu"})),
    "s390.h": _common("s390"),
    "mips-o32.h": _mips("o32", 4000),
    "mips-n64.h": _mips("n64", 5000),
    "mips-n32.h": _mips("n32", 6000),
    "sparc.h": _common("sparc"),
    "parisc.h": _common("parisc"),
    "alpha.h": _common("alpha"),
    "ia64.h": Table("arch/ia64/kernel/syscalls/syscall.tbl", base=1024),
    "sh.h": _common("sh"),
    "m68k.h": _common("m68k"),
    "xtensa.h": _common("xtensa"),
    "microblaze.h": _common("microblaze"),
    "generic.h": Table("include/uapi/asm-generic/unistd.h"),
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables, unpacked."""
    if not ARCHIVE.exists():
        pytest.skip(f"install {RELEASE} (it has {ARCHIVE})")
    folder = tmp_path_factory.mktemp("linux")
    members = [f"{RELEASE}/{table.path}" for table in TABLES.values()]
    succeed("tar", "-C", folder, "-xf", ARCHIVE, *sorted(set(members)))
    return folder / RELEASE


@pytest.mark.parametrize("abi", ABIS, ids=lambda abi: abi.name)
def test_numbers_are_the_kernels(abi: Abi, source: Path) -> None:
    ours = numbers_in(preprocessed("__linux__", *abi.macros))
    assert ours == TABLES[abi.header].numbers(source)
