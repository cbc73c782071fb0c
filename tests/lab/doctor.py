"""What a host lacks to run the laboratory, and what would help."""

from __future__ import annotations

import shutil

from lab import kernel, qemu
from lab.architectures import AMD64
from lab.errors import LabError
from lab.machine import Machine

PACKAGES = {
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
    "xz": "xz-utils",
    "zstd": "zstd",
}
"""The Debian package of each program that the laboratory starts."""


def findings() -> list[str]:
    """Return a line for each thing that is missing; none means that machines can boot."""
    missing = [
        f"{program} is not installed: install the package {package}"
        for program, package in PACKAGES.items()
        if not shutil.which(program)
    ]
    checks = (lambda: qemu.require(AMD64, own=True), lambda: kernel.find(Machine.kernel))
    for check in checks:
        try:
            check()
        except LabError as error:
            missing.append(str(error))
    return missing
