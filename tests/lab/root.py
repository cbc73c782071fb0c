"""A system of another architecture to run in a machine: Debian's Python, and what tests need.

Packages are unpacked side by side and never configured: nothing of that architecture has to run
on the host.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from lab import cache, debian

SUITE = "trixie"
SUITES = {"amd64": "forky", "loong64": "forky", "ppc64el": "forky", "s390x": "forky"}
"""The same where that has a later Python to be shown, or packages which mirrors lack."""

PYTHON = "/usr/bin/python3"
PACKAGES = (
    "base-files",  # its links are where all others meet: first
    "coreutils",
    "dash",
    "libpython3-dev",  # to compile for it
    "numactl",  # numastat, to compare with
    "python3",
    "python3-cffi-backend",
    "python3-psutil",
    "python3-pytest",
    "python3-rich",
)
MODULES = ("ctypes", "json", "psutil", "pytest", "rich.table")
EMULATORS = {
    "amd64": "qemu-x86_64",
    "arm64": "qemu-aarch64",
    "armhf": "qemu-arm",
    "i386": "qemu-i386",
    "loong64": "qemu-loongarch64",
    "ppc64el": "qemu-ppc64le",
    "riscv64": "qemu-riscv64",
    "s390x": "qemu-s390x",
}
"""Programs of qemu-user, by Debian's architecture."""


def find(userland: str) -> Path:
    """Return the root of a system, made if it is not there.

    Args:
        userland: Debian's name of its architecture.

    Raises:
        Missing: Not to be had; the message says what would help.
    """
    release = SUITES.get(userland, SUITE)
    stamp = hashlib.sha256(repr((release, PACKAGES)).encode()).hexdigest()[:12]

    def make(root: Path) -> None:
        with debian.suite(release, userland) as suite:
            suite.install(PACKAGES, root)
        _make_links_relative(root)
        _compile(root, userland)

    return cache.entry(f"root/{release}-{userland}-{stamp}", make)


def _make_links_relative(root: Path) -> None:
    """Let links lead to where they should without a chroot too, as programs under qemu-user run."""
    for link in root.rglob("*"):
        if link.is_symlink() and os.path.isabs(target := os.readlink(link)):
            link.unlink()
            link.symlink_to(os.path.relpath(f"{root}{target}", link.parent))


def _compile(root: Path, userland: str) -> None:
    """Have Python translate the modules that tests need, once: in each machine it takes long."""
    emulator = shutil.which(EMULATORS[userland])
    if emulator:
        (interpreter,) = root.glob("usr/bin/python3.*[0-9]")
        # What fails here fails in the machine too, where it is seen.
        program = f"import {', '.join(MODULES)}"
        command: list[str | Path] = [emulator, "-L", root, interpreter, "-I", "-c", program]
        subprocess.run(command, check=False, capture_output=True)
