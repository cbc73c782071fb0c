"""The C compiles for every ABI without a warning, and its numbers are those of the toolchain."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from arch.abis import COMPILED, Abi
from arch.tools import (
    CALLS,
    CSRC,
    HERE,
    STRICT,
    compiler_of,
    copy_of_csrc,
    header_chosen,
    run,
    succeed,
)

SOURCES = sorted(CSRC.glob("*.c"))
EACH_ABI = pytest.mark.parametrize("abi", COMPILED, ids=lambda abi: abi.name)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_host_compiles_without_a_warning(compiler: str, source: Path, tmp_path: Path) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"install {compiler}")
    succeed(compiler, *STRICT, "-O2", "-c", source, "-o", tmp_path / "out.o")


@pytest.mark.arch
@EACH_ABI
def test_compiles_without_a_warning(abi: Abi, tmp_path: Path) -> None:
    compiler = compiler_of(abi)
    for source in SOURCES:
        succeed(*compiler, *STRICT, "-O2", "-c", source, "-o", tmp_path / f"{source.stem}.o")


@pytest.mark.arch
@EACH_ABI
def test_selects_its_header(abi: Abi) -> None:
    listed = succeed(*compiler_of(abi), "-std=c11", "-MM", CSRC / "syscalls.c")
    assert header_chosen(listed.stdout) == abi.header


@pytest.mark.arch
@EACH_ABI
def test_toolchain_confirms_the_table_and_the_constants(abi: Abi, tmp_path: Path) -> None:
    order = {"little": "__ORDER_LITTLE_ENDIAN__", "big": "__ORDER_BIG_ENDIAN__"}[abi.byteorder]
    succeed(
        *compiler_of(abi),
        *STRICT,
        f"-DBITS={abi.bits}",
        f"-DORDER={order}",
        f"-I{CSRC}",
        "-c",
        HERE / "facts.c",
        "-o",
        tmp_path / "facts.o",
    )


def spoil(csrc: Path, header: str, call: str) -> None:
    """Add one to the number that an ABI's header has for a call."""
    path = csrc / "arch" / header
    pattern = rf"(#define PM_NR_{call.upper()}\s+)(.*)"
    text, count = re.subn(pattern, r"\1(\2 + 1)", path.read_text())
    assert count == 1
    path.write_text(text)


@pytest.mark.parametrize("call", CALLS)
def test_host_refuses_a_wrong_number(call: str, tmp_path: Path) -> None:
    header = header_chosen(succeed("gcc", "-MM", CSRC / "syscalls.c").stdout)
    csrc = copy_of_csrc(tmp_path)
    spoil(csrc, header, call)
    refused = run("gcc", *STRICT, "-c", csrc / "syscalls.c", "-o", tmp_path / "out.o")
    assert refused.returncode != 0
    assert re.findall(r'assertion failed: "(\w+): see csrc/arch"', refused.stderr) == [call]


@pytest.mark.arch
@EACH_ABI
def test_refuses_wrong_numbers(abi: Abi, tmp_path: Path) -> None:
    compiler = compiler_of(abi)
    csrc = copy_of_csrc(tmp_path)
    for call in CALLS:
        spoil(csrc, abi.header, call)
    refused = run(*compiler, *STRICT, "-c", csrc / "syscalls.c", "-o", tmp_path / "out.o")
    assert refused.returncode != 0
    for call in CALLS:
        assert f"{call}: see csrc/arch" in refused.stderr
