"""`make test-pythons`: the one wheel on every Python that this machine or Debian has, and PyPy."""

from __future__ import annotations

import platform
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from lab import Missing
from wheels import runner

from platforms import interpreters
from platforms.interpreters import Interpreter
from platforms.matrix import Matrix, Seen
from platforms.record import Row
from platforms.run import ROOT, pytest

NAMES = (
    *(f"cpython3.{minor}" for minor in range(9, 16)),
    *(f"cpython3.{minor}t" for minor in range(14, 16)),  # cffi refuses to be built for 3.13t
    *(f"pypy3.{minor}" for minor in range(9, 12)),
)
TESTS = {"PyPy": ("tests/unit", "tests/host/test_migrate.py", "tests/host/test_residency.py")}
"""Where others take what the Python lacks: os.waitid, and a reference count that ends files."""

EXTRAS = {"PyPy": "cli,test"}
"""Where not all can be had: psutil takes what PyPy's imitation of CPython lacks."""


def main(names: Sequence[str], *, quick: bool) -> int:
    """Install the wheel with each Python, test it, and print the table.

    Args:
        names: Of Pythons; none for all that are here or to be had.
        quick: Whether the record stays as it is.

    Returns:
        An exit status: whether anything failed.

    Raises:
        Missing: One that was named is not to be had, or none is.
    """
    pythons = choose(names, interpreters.find())
    matrix = Matrix("pythons", NAMES, quick=quick)
    for name, python in pythons.items():
        print(f"-- {name}: {python.program}", flush=True)
        matrix.show(name, partial(_show, python))
    status = matrix.end()
    print("not here:", ", ".join(name for name in names or NAMES if name not in pythons) or "none")
    return status


def choose(names: Sequence[str], here: Mapping[str, Interpreter]) -> dict[str, Interpreter]:
    """Return the Pythons to test, by name.

    Args:
        names: Those asked for; none for all, of which some may be absent.
        here: What this machine has. Others are fetched.

    Raises:
        Missing: One that was named is not to be had, or none is.
    """
    found: dict[str, Interpreter] = {}
    for name in names or NAMES:
        try:
            found[name] = here.get(name) or interpreters.of_debian(name)
        except Missing as error:
            if names:
                raise
            print(f"{name}: {error}", flush=True)
    if not found:
        raise Missing(f"there is none of {', '.join(NAMES)} here, and none is to be had")
    return found


def _show(python: Interpreter) -> Seen:
    kind = "whl" if python.takes_abi3 else "tar.gz"
    (package,) = (ROOT / "dist").glob(f"*.{kind}")
    with tempfile.TemporaryDirectory(prefix="pymigrate-python-") as folder:
        environment = Path(folder, "venv")
        _run(python.program, "-m", "venv", environment)
        pip = (environment / "bin" / "python", "-m", "pip", "--disable-pip-version-check")
        _run(*pip, "install", "--quiet", f"{package}[{EXTRAS.get(python.name, 'cli,job,test')}]")
        run = pytest(
            *TESTS.get(python.name, ("tests/unit", "tests/host")),
            *("-p", "no:cacheprovider"),
            program=(environment / "bin" / "pytest",),
        )
    made_of = "from source" if kind == "tar.gz" else "the one wheel"
    row = Row(
        platform.machine(),
        python.bits,
        python.byteorder,
        "real calls",
        f"{run}; {made_of}",
        kernel=runner.this_kernel(),
        python=f"{python.name} {python.version}{'t' * python.free_threaded}",
    )
    return Seen(row.result, run.green, row)


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True)
