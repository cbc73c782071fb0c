"""What runs programs of another architecture here: this kernel if it can, else qemu-user."""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path

from lab import Missing, cache, debian, root

NATIVE = {
    ("x86_64", "amd64"): "lib64/ld-linux-x86-64.so.2",
    ("x86_64", "i386"): "lib/ld-linux.so.2",
}
"""Machine of the host and Debian's architecture: the loader of programs that its kernel runs."""

LATER_EMULATORS = {"loong64": "trixie"}
"""The suite whose qemu-user knows the processor that Debian's programs ask for."""

OPTIONS = {"arm64": ["-cpu", "cortex-a76"]}
"""Of the emulator. By default this one signs pointers, which takes most of the time."""


def of(userland: str, system: Path, program: Path) -> tuple[tuple[str, ...], str]:
    """Return the command that runs a program, and what runs it, in words.

    Args:
        userland: Debian's architecture of the program.
        system: the root with its libraries.
        program: which.

    Raises:
        Missing: nothing here runs it.
    """
    if loader := NATIVE.get((platform.machine(), userland)):
        libraries = ":".join(str(path.parent) for path in system.glob("usr/lib/*/libc.so.6"))
        native = (str(system / loader), "--library-path", libraries, str(program))
        if _runs(*native):
            return native, this_kernel()
    emulator = _emulator(userland)
    options = OPTIONS.get(userland, [])
    emulated = (str(emulator), *options, "-L", str(system), str(program))
    return emulated, f"qemu-user {_version(emulator)}"


def this_kernel() -> str:
    """Return the version of the kernel that runs here: major and minor."""
    return ".".join(platform.release().split(".")[:2])


def _runs(*command: str) -> bool:
    """Tell whether the kernel takes a program: some are built without 32-bit ones."""
    try:
        return not subprocess.run([*command, "-V"], capture_output=True, check=False).returncode
    except OSError:
        return False


def _emulator(userland: str) -> Path:
    name = root.EMULATORS[userland]
    if userland in LATER_EMULATORS:
        return _fetched(name, LATER_EMULATORS[userland])
    found = shutil.which(name)
    if not found:
        raise Missing(f"{name} is not installed: install the package qemu-user")
    return Path(found)


def _fetched(name: str, suite: str) -> Path:
    def make(program: Path) -> None:
        packages = program.parent / "packages"
        with debian.suite(suite) as opened:
            opened.unpack(["qemu-user"], packages)
        shutil.copy(packages / "usr" / "bin" / name, program)

    return cache.entry(f"qemu-user/{suite}/{name}", make)


def _version(emulator: Path) -> str:
    said = subprocess.run([emulator, "--version"], check=True, capture_output=True, text=True)
    return said.stdout.split()[2]
