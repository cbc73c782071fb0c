"""Runs compilers and emulators; a test whose tools are missing skips and names the packages."""

from __future__ import annotations

import functools
import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from lab import Missing

from arch.abis import Abi, Toolchain

HERE = Path(__file__).parent
CSRC = HERE.parents[1] / "csrc"

#: The calls that csrc/syscalls.h offers, by the kernel's names.
CALLS = ("migrate_pages", "move_pages", "get_mempolicy", "process_madvise", "pidfd_open")

STRICT = ("-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror")


def run(*command: str | Path, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command in its own words; standard input is ``text``."""
    return subprocess.run(
        [str(part) for part in command],
        input=text,
        capture_output=True,
        text=True,
        timeout=300,  # ziglang compiles its C library the first time
        check=False,
    )


def succeed(*command: str | Path, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command that has to succeed."""
    done = run(*command, text=text)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stderr}"
    return done


@functools.cache
def _missing(command: tuple[str, ...]) -> bool:
    """Tell whether the compiler, or the C library that it needs, is not installed."""
    if "ziglang" in command:
        return importlib.util.find_spec("ziglang") is None
    if shutil.which(command[0]) is None:
        return True
    return run(*command, "-E", "-", text="#include <sys/syscall.h>\n").returncode != 0


def require(toolchain: Toolchain) -> None:
    """Raise Missing unless a compiler is installed, with the C library that it needs."""
    if _missing(toolchain.command):
        raise Missing(f"no compiler for it is installed: install {' '.join(toolchain.packages)}")


def compiler_of(abi: Abi) -> tuple[str, ...]:
    """The command that compiles for an ABI; skips the test where there is none."""
    assert abi.toolchain is not None
    if _missing(abi.toolchain.command):
        pytest.skip(f"{abi.name}: install {' '.join(abi.toolchain.packages)}")
    return abi.toolchain.command


def emulator_of(abi: Abi) -> tuple[str, ...]:
    """The command that runs an ABI's programs; skips the test where there is none."""
    if shutil.which(abi.emulator[0]) is None:
        pytest.skip(f"{abi.name}: install qemu-user (it has {abi.emulator[0]})")
    return abi.emulator


def copy_of_csrc(folder: Path) -> Path:
    """A copy of the C to spoil."""
    return Path(shutil.copytree(CSRC, folder / "csrc", ignore=shutil.ignore_patterns("*.py")))


def without_numbers(folder: Path) -> tuple[str, ...]:
    """Options that hide the numbers the toolchain knows, so that csrc/arch has to have them."""
    hidden = folder / "hidden" / "sys"
    hidden.mkdir(parents=True)
    (hidden / "syscall.h").touch()
    return ("-I", str(hidden.parent))


def header_chosen(dependencies: str) -> str:
    """The ABI's header among the files that a compiler lists (-MM)."""
    headers: set[str] = set(re.findall(r"arch/([\w-]+\.h)", dependencies))
    (header,) = headers - {"abi.h", "numbers.h"}
    return header
