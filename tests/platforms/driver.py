"""Real moves where there is no Python: the project's C in a program of its own."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lab
from arch.abis import ABIS
from arch.tools import require

from platforms.run import ROOT

SOURCES = ("syscalls", "nodemask", "migrate", "residency", "numa_maps", "mapping")


def build(abi: str, folder: Path) -> Path:
    """Compile tests/arch/moves.c for an ABI, and return the program, which needs no libraries."""
    (toolchain,) = (each.toolchain for each in ABIS if each.name == abi)
    assert toolchain is not None
    require(toolchain)
    program = folder / f"moves-{abi}"
    sources = [ROOT / "tests/arch/moves.c", *(ROOT / f"csrc/{name}.c" for name in SOURCES)]
    options = ["-std=c11", "-O2", "-static", f"-I{ROOT}/csrc", "-o", str(program)]
    subprocess.run([*toolchain.command, *options, *map(str, sources)], check=True)
    return program


def facts(output: str) -> tuple[Mapping[str, Any], str, bool]:
    """Return what the program said of its machine, what came out in words, and if it was good."""
    found = re.search(r"platform (\{.*\})", output)  # a kernel may have begun the line
    if not found:
        return {}, output.strip() or "it said nothing", False
    told = json.loads(found[1])
    return told, f"{told['pages']} pages to and fro, from C", True


@dataclass(frozen=True)
class Driver:
    """A machine of the host's own kind, whose kernel knows the ABI.

    Attributes:
        abi: Its name in tests/arch/abis.py.
        arguments: What the kernel is told, so that it knows the ABI.
    """

    abi: str
    arguments: tuple[str, ...]

    def show(self, *, quick: bool) -> tuple[Mapping[str, Any], str, bool]:
        """Run the program there."""
        output = bytearray()
        folder = ROOT / "build" / "drivers"
        folder.mkdir(parents=True, exist_ok=True)
        machine = lab.Machine(arguments=self.arguments)
        command = [str(build(self.abi, folder))]
        machine.run(command, stdout=output.extend, stderr=output.extend, timeout=300)
        return facts(output.decode(errors="replace"))
