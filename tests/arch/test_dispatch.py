"""What a program really asks the kernel for, seen from the kernel's side of the call.

qemu-user has tables of its own, by which it names the calls in its trace; it answers most of these
with ENOSYS, which is fine: the trace shows what was asked.
"""

from __future__ import annotations

import errno
import platform
import re
from pathlib import Path

import pytest

from arch.abis import TRACED, Abi
from arch.tools import (
    CALLS,
    CSRC,
    HERE,
    STRICT,
    compiler_of,
    copy_of_csrc,
    emulator_of,
    header_chosen,
    succeed,
    without_numbers,
)

# As in dispatch.c
NO_PID = 124076833
NO_FILE = 987654
MAXNODE = 65

# Each call as qemu prints it. It may be too old to know process_madvise: then it prints the number.
IN_THE_TRACE = {
    "migrate_pages": rf"migrate_pages\({NO_PID},{MAXNODE},",
    "move_pages": rf"move_pages\({NO_PID},3,",
    "get_mempolicy": rf"get_mempolicy\((?:0|NULL),-?\w+,{MAXNODE},",
    "process_madvise": rf"process_madvise\({NO_FILE},|Unknown syscall {{number}}\n",
    "pidfd_open": rf"pidfd_open\({NO_PID},0",
}


def build(compiler: tuple[str, ...], csrc: Path, program: Path, *options: str) -> Path:
    """Build the driver with the calls in a folder."""
    sources = (HERE / "dispatch.c", csrc / "syscalls.c")
    succeed(*compiler, *STRICT, "-O2", *options, f"-I{csrc}", *sources, "-o", program)
    return program


def results(output: str) -> dict[str, tuple[int, str]]:
    """The driver's lines: call -> (number, result)."""
    rows = [line.split() for line in output.splitlines()]
    return {name: (int(number), result) for name, number, result in rows}


@pytest.mark.arch
@pytest.mark.parametrize("source", ["toolchain", "ours"])
@pytest.mark.parametrize("abi", TRACED, ids=lambda abi: abi.name)
def test_trace_shows_the_calls(abi: Abi, source: str, tmp_path: Path) -> None:
    """Once with the numbers of the toolchain, once with only those of csrc/arch."""
    compiler, emulator = compiler_of(abi), emulator_of(abi)
    assert abi.toolchain is not None
    hidden = () if source == "toolchain" else without_numbers(tmp_path)
    program = build(compiler, CSRC, tmp_path / "dispatch", *abi.toolchain.link, *hidden)
    ran = succeed(*emulator, "-strace", program)
    for call, (number, _) in results(ran.stdout).items():
        seen = re.findall(IN_THE_TRACE[call].format(number=number), ran.stderr)
        assert len(seen) == 1, f"{call}, number {number}, in:\n{ran.stderr}"


def test_host_kernel_knows_the_calls(tmp_path: Path) -> None:
    ran = results(succeed(build(("gcc",), CSRC, tmp_path / "dispatch")).stdout)
    assert tuple(ran) == CALLS
    assert ran["pidfd_open"][1] in {str(-errno.ESRCH), "ENOSYS"}
    assert ran["migrate_pages"][1] in {str(-errno.ESRCH), "ENOSYS"}


def unlisted(folder: Path) -> Path:
    """A copy of the C in which the host's ABI is not listed."""
    header = header_chosen(succeed("gcc", "-MM", CSRC / "syscalls.c").stdout)
    csrc = copy_of_csrc(folder)
    selector = csrc / "arch" / "abi.h"
    selector.write_text(selector.read_text().replace(f'"{header}"', '"unlisted.h"'))
    return csrc


def test_unlisted_abi_takes_the_toolchains_numbers(tmp_path: Path) -> None:
    ours = succeed(build(("gcc",), CSRC, tmp_path / "listed"))
    theirs = succeed(build(("gcc",), unlisted(tmp_path), tmp_path / "unlisted"))
    assert results(theirs.stdout) == results(ours.stdout)


def test_unlisted_abi_without_numbers_answers_enosys(tmp_path: Path) -> None:
    hidden = without_numbers(tmp_path)
    ran = succeed(build(("gcc",), unlisted(tmp_path), tmp_path / "unlisted", *hidden))
    assert results(ran.stdout) == dict.fromkeys(CALLS, (-1, "ENOSYS"))


@pytest.mark.arch
def test_unlisted_abi_without_numbers_calls_nothing(tmp_path: Path) -> None:
    """A stub answers by itself: the number -1 never reaches a kernel."""
    machine = next((abi for abi in TRACED if abi.name == platform.machine()), None)
    if machine is None:
        pytest.skip(f"{platform.machine()} has no row in abis.py")
    emulator = emulator_of(machine)
    hidden = without_numbers(tmp_path)
    csrc = unlisted(tmp_path)
    program = build(("gcc",), csrc, tmp_path / "unlisted", "-static", *hidden)
    ran = succeed(*emulator, "-strace", program)
    assert not [call for call in CALLS if call in ran.stderr]
    assert "syscall -1" not in ran.stderr
