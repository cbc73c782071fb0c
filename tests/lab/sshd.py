"""The ssh daemon, from this machine or unpacked: to install it would open the machine to others."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import NamedTuple

from lab import cache, debian
from lab.errors import Missing

PACKAGES = ("openssh-server", "libwrap0")  # and a library that nothing else needs


class Daemon(NamedTuple):
    """One that can be started.

    Attributes:
        program: Its path, absolute as it demands.
        libraries: What to name in LD_LIBRARY_PATH; empty if it finds them by itself.
    """

    program: str
    libraries: str = ""


def find() -> Daemon:
    """Return the daemon.

    Raises:
        Missing: Not to be had; the message says what would help.
    """
    installed = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    if installed:
        return Daemon(installed)
    release = Path("/etc/os-release").read_text()
    named = re.search("^VERSION_CODENAME=(.+)$", release, re.MULTILINE)
    if "\nID=debian\n" not in release or not named:
        raise Missing("there is no sshd: install the package openssh-server")
    suite = named[1]  # whose libraries it finds here
    architecture = debian.architecture()

    def make(root: Path) -> None:
        with debian.suite(suite, architecture) as packages:
            packages.unpack(PACKAGES, root)

    root = cache.entry(f"sshd/{suite}-{architecture}", make)
    folders = {str(library.parent) for library in root.glob("**/*.so.*")}
    return Daemon(str(root / "usr/sbin/sshd"), ":".join(sorted(folders)))
