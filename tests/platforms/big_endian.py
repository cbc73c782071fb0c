"""Real moves on a big-endian kernel: none is distributed, so one is built from Debian's source.

The machine has nothing but that kernel and one program, tests/arch/moves.c.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arch.test_kernel_tables import ARCHIVE, RELEASE
from lab import cache, initramfs
from lab.errors import Missing

from platforms import driver

CONFIGURATION = Path(__file__).with_name("big_endian.config")
COMPILER = "powerpc64-linux-gnu-"
EMULATOR = "qemu-system-ppc64"
SECONDS = 300


def kernel() -> Path:
    """Return the kernel, built if it is not there: some minutes of every processor."""
    if not ARCHIVE.exists():
        raise Missing(f"{ARCHIVE} is absent: install the package {RELEASE}")

    def make(draft: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="pymigrate-kernel-") as folder:
            subprocess.run(["tar", "-C", folder, "-xf", ARCHIVE], check=True)
            tree = Path(folder, RELEASE)
            how = ["-s", "-C", str(tree), "ARCH=powerpc", f"CROSS_COMPILE={COMPILER}"]
            chosen = f"KCONFIG_ALLCONFIG={CONFIGURATION}"
            subprocess.run(["make", *how, chosen, "allnoconfig"], check=True)
            subprocess.run(["make", *how, f"-j{os.cpu_count()}", "vmlinux"], check=True)
            subprocess.run([f"{COMPILER}strip", "-o", draft, tree / "vmlinux"], check=True)

    made_of = CONFIGURATION.read_bytes() + str(ARCHIVE.stat().st_mtime_ns).encode()
    stamp = hashlib.sha256(made_of).hexdigest()[:16]
    return cache.entry(f"vmlinux/{RELEASE}-ppc64-{stamp}", make)


@dataclass(frozen=True)
class BigEndian:
    """A machine with two nodes.

    Attributes:
        abi: Of the program, in tests/arch/abis.py: the kernel's own, or the 32-bit one.
    """

    abi: str

    def show(self, *, quick: bool) -> tuple[Mapping[str, Any], str, bool]:
        """Boot it with the program as its first."""
        with tempfile.TemporaryDirectory(prefix="pymigrate-big-endian-") as folder:
            program = driver.build(self.abi, Path(folder))
            ramdisk = Path(folder, "ramdisk")
            ramdisk.write_bytes(initramfs.archive({"init": program.read_bytes()}))
            command = [EMULATOR, *_machine(), "-kernel", str(kernel()), "-initrd", str(ramdisk)]
            ran = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=SECONDS,
                check=False,
            )
        return driver.facts(ran.stdout.decode(errors="replace"))


def needed_by(machine: object) -> bool:
    """Tell whether a machine needs the kernel that is built here."""
    return isinstance(machine, BigEndian)


def _machine() -> list[str]:
    safeguards = "cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off"
    options = ["-accel", "tcg,thread=single", "-machine", f"pseries,x-vof=on,{safeguards}"]
    options += ["-cpu", "power9", "-smp", "2,sockets=2", "-m", "1G"]
    for node in range(2):
        options += ["-object", f"memory-backend-ram,id=memory{node},size=512M"]
        options += ["-numa", f"node,nodeid={node},memdev=memory{node},cpus={node}"]
    options += ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
    return [*options, "-serial", "stdio", "-append", "console=hvc0 quiet panic=-1"]
