"""Real moves on a machine that has a kernel and one program: tests/arch/moves.c, its first."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from lab import initramfs, qemu
from lab.architectures import Architecture

from platforms import driver

SECONDS = 300


@dataclass(frozen=True)
class Bare:
    """A machine with two nodes.

    Attributes:
        abi: Of the program, in tests/arch/abis.py.
        kind: What emulates it.
        kernel: Gets the image of its kernel, which may have to be built first.
    """

    abi: str
    kind: Architecture
    kernel: Callable[[], Path]

    def show(self, *, quick: bool) -> tuple[Mapping[str, Any], str, bool]:
        """Boot it; the program switches it off."""
        qemu.require(self.kind, own=False)
        with tempfile.TemporaryDirectory(prefix="pymigrate-bare-") as folder:
            program = driver.build(self.abi, Path(folder))
            ramdisk = Path(folder, "ramdisk")
            ramdisk.write_bytes(initramfs.archive({"init": program.read_bytes()}))
            command = [self.kind.emulator, *self.kind.options, *qemu.NOTHING_ELSE]
            command += qemu.accelerator(self.kind, parallel=False, counted=False)
            command += qemu.hardware(nodes=2, bare_nodes=0, cpus=2, memory="512M")
            command += qemu.kernel(self.kind, self.kernel(), ())
            command += ["-initrd", str(ramdisk), "-serial", "stdio"]
            ran = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=SECONDS,
                check=False,
            )
        return driver.facts(ran.stdout.decode(errors="replace"))
