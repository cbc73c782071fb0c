"""A later QEMU than the host's: Debian's packages of it, unpacked and never installed."""

from __future__ import annotations

from pathlib import Path

from lab import cache, debian

SUITE = "trixie"
LOADER = "lib64/ld-linux-x86-64.so.2"
LIBRARIES = "usr/lib/x86_64-linux-gnu"


def find(package: str, program: str) -> list[str]:
    """Return the words that start a program of a package, fetched if it is not there.

    It runs on the libraries of its own suite.

    Raises:
        Missing: Not to be had; the message says what would help.
    """

    def make(root: Path) -> None:
        with debian.suite(SUITE) as suite:
            suite.install(["base-files", package], root)

    root = cache.entry(f"qemu-system/{SUITE}-{package}", make)
    start = [str(root / LOADER), "--library-path", str(root / LIBRARIES)]
    return [*start, str(root / "usr/bin" / program), "-L", str(root / "usr/share/qemu")]
