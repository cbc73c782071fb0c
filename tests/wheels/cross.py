"""Builds the wheel of another platform with this machine's Python and a cross compiler.

Headers and configuration are those of a Python of that platform, taken from its packages in Debian.
Which version these are does not matter: the wheel keeps to the stable ABI.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from arch.tools import require
from lab import root

from wheels.targets import Target


class Failed(Exception):
    """Something that had to work did not; the message is what it said."""


def wheel(target: Target, sdist: Path, folder: Path) -> Path:
    """Build a wheel, named for Linux on that machine.

    Args:
        target: what for.
        sdist: the source, packed.
        folder: made for this one build; what is in it afterwards besides the wheel is of no use.

    Raises:
        Failed: the build did not succeed.
        Missing: a part of the platform is not to be had.
    """
    require(target.toolchain)
    system = root.find(target.userland)
    folder.mkdir(parents=True)
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "source")  # noqa: S202  our own
    (source,) = (folder / "source").iterdir()
    built = folder / "wheel"
    run(
        *(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", built, source),
        env={**os.environ, **_environment(target, system, folder)},
    )
    (path,) = built.glob("*.whl")
    return path


def _environment(target: Target, system: Path, folder: Path) -> dict[str, str]:
    (configuration,) = system.glob("usr/lib/python3.*/_sysconfigdata__linux_*.py")
    (headers,) = system.glob("usr/include/python3.*")
    shutil.copy(configuration, folder)
    compiler = " ".join(target.toolchain.command)
    return {
        "_PYTHON_HOST_PLATFORM": f"linux-{target.name}",
        "_PYTHON_SYSCONFIGDATA_NAME": configuration.stem,
        "PYTHONPATH": str(folder),
        "CC": compiler,
        "LDSHARED": f"{compiler} -shared -Wl,--strip-all",
        # These stand in for the flags of the Python, which setuptools then leaves out.
        # The compiler's own C library comes first: it is older than that of the packages, and so
        # runs in more places.
        "CFLAGS": f"-g0 -O2 -DNDEBUG -fwrapv -I{headers} -idirafter {system}/usr/include",
    }


def run(*command: str | Path, env: dict[str, str] | None = None) -> str:
    """Run a command that has to succeed, and return what it said.

    Files that it makes have the usual modes: wheels keep them.

    Raises:
        Failed: it did not.
    """
    done = subprocess.run(
        command,
        env=env,
        umask=0o022,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        raise Failed(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout
