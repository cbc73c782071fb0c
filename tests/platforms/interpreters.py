"""Every Python that this machine has, on PATH and of pyenv, and those to be had from Debian."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab import Missing, python

OLDEST = (3, 9)
DEBIANS = {"cpython3.14": "3.14", "cpython3.15": "3.15"}
"""Pythons of Debian where the machine has none of the kind, and their versions."""

# Asked of each; the executable is the real one, as pyenv puts shims in front.
QUESTION = """
import json, platform, struct, sys, sysconfig
print(json.dumps({
    "name": platform.python_implementation(),
    "version": platform.python_version(),
    "minor": list(sys.version_info[:2]),
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "program": sys.executable,
    "bits": 8 * struct.calcsize("P"),
    "byteorder": sys.byteorder,
}))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python.

    Attributes:
        name: of the implementation.
        version: in full.
        minor: the first two numbers of it.
        free_threaded: whether it has no global lock.
        program: runs it.
        bits: size of a word.
        byteorder: of its memory.
    """

    name: str
    version: str
    minor: tuple[int, int]
    free_threaded: bool
    program: str
    bits: int
    byteorder: str

    @property
    def short(self) -> str:
        """What it is called here: ``cpython3.9``, with a ``t`` if free-threaded."""
        major, minor = self.minor
        return f"{self.name.lower()}{major}.{minor}{'t' * self.free_threaded}"

    @property
    def takes_abi3(self) -> bool:
        """Whether the wheel for the stable ABI is for it."""
        return self.name == "CPython" and not self.free_threaded


def find() -> dict[str, Interpreter]:
    """Return the first of each implementation and minor version, by its short name."""
    found: dict[str, Interpreter] = {}
    for program in _programs():
        each = _ask(program)
        if each and each.minor >= OLDEST:
            found.setdefault(each.short, each)
    return dict(sorted(found.items(), key=lambda item: (item[1].name, item[1].minor)))


def of_debian(name: str) -> Interpreter:
    """Return one of Debian's, unpacked.

    Raises:
        Missing: It is not to be had, or does not run here.
    """
    if name not in DEBIANS:
        raise Missing(f"{name} is neither on PATH nor pyenv's, and Debian has none to be fetched")
    program = python.find(DEBIANS[name])
    found = _ask(program)
    if not found:
        raise Missing(f"{program} does not run here")
    return found


def _programs() -> Iterator[Path]:
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = [Path(each) for each in os.get_exec_path()]
    for folder in [*folders, *sorted(pyenv.glob("versions/*/bin"))]:
        if folder.is_dir():
            names = sorted(path.name for path in folder.iterdir())
            for name in names:
                if re.fullmatch(r"python3\.\d+t?|pypy3(\.\d+)?", name):
                    yield folder / name


def _ask(program: Path) -> Interpreter | None:
    try:
        said = subprocess.run(
            [program, "-I", "-c", QUESTION], check=True, capture_output=True, timeout=60
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None  # a shim of pyenv for a version that is not chosen
    told = json.loads(said)
    return Interpreter(**{**told, "minor": tuple(told["minor"])})
