"""A big-endian kernel with several nodes, built from Debian's source: none is distributed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

from arch.test_kernel_tables import ARCHIVE, RELEASE
from lab import cache
from lab.architectures import PPC64EL
from lab.errors import Missing

PPC64 = replace(PPC64EL, name="ppc64", image="", suites={})
CONFIGURATION = Path(__file__).with_name("big_endian.config")
COMPILER = "powerpc64-linux-gnu-"
PACKAGES = {
    f"{COMPILER}gcc": "gcc-powerpc64-linux-gnu",
    "flex": "flex",
    "bison": "bison",
    "bc": "bc",
}
"""That of each program which builds it."""


def kernel() -> Path:
    """Return the kernel, built if it is not there: some minutes of every processor.

    Raises:
        Missing: what it is built of, or with, is not installed.
    """
    if not ARCHIVE.exists():
        raise Missing(f"{ARCHIVE} is absent: install the package {RELEASE}")

    def make(draft: Path) -> None:
        for program, package in PACKAGES.items():
            if not shutil.which(program):
                raise Missing(f"{program} is not installed: install the package {package}")
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
