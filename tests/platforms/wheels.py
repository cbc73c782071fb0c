"""`make wheels`: the wheels of all platforms, cross-built, checked, installed and tested."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from wheels import audit, cross, foreign
from wheels.cross import Failed
from wheels.targets import TARGETS, Target

from platforms.matrix import Matrix, Seen
from platforms.record import Row
from platforms.run import ROOT, Run, pytest

NAMES = tuple(TARGETS)
HOUSE = ROOT / "wheelhouse"

QUICK = ("armv7l", "s390x")
"""Of another word size, and of another byte order: where time is short these run the unit tests."""


def main(names: Sequence[str], *, quick: bool) -> int:
    """Make wheels, try each with a Python of its platform, and print the table.

    Args:
        names: Of machines; none for all.
        quick: Whether most are imported only; the record stays as it is.

    Returns:
        An exit status: whether anything failed.
    """
    (sdist,) = (ROOT / "dist").glob("*.tar.gz")
    matrix = Matrix("wheels", NAMES, quick=quick)
    for name in names or TARGETS:
        print(f"-- {name}", flush=True)
        test = not quick or name in QUICK
        matrix.show(name, partial(_show, TARGETS[name], sdist, test=test))
    return matrix.end()


def _show(target: Target, sdist: Path, *, test: bool) -> Seen:
    start = time.monotonic()
    wheel = _made(target, sdist)
    built = time.monotonic()
    print(f"{wheel.name}, the same twice, in {built - start:.1f} s", flush=True)
    row, good = _tried(target, wheel, test=test)
    print(f"{row.shown} in {time.monotonic() - built:.1f} s: {row.result}", flush=True)
    return Seen(row.result, good, row)


def _made(target: Target, sdist: Path) -> Path:
    """Make a wheel twice, in different places, and put it into the wheelhouse."""
    assert "SOURCE_DATE_EPOCH" in os.environ, "set SOURCE_DATE_EPOCH, as by scripts/epoch"
    with tempfile.TemporaryDirectory(prefix="pymigrate-wheel-") as folder:
        first, second = (cross.wheel(target, sdist, Path(folder, each)) for each in ("a", "bb"))
        if first.read_bytes() != second.read_bytes():
            raise Failed("two builds of the same source differ")
        named = audit.name(first, Path(folder))
        audit.check(named)
        HOUSE.mkdir(exist_ok=True)
        for old in HOUSE.glob(f"*_{target.name}.whl"):
            old.unlink()
        return Path(shutil.copy(named, HOUSE))


def _tried(target: Target, wheel: Path, *, test: bool) -> tuple[Row, bool]:
    """Install and import a wheel where it belongs, and run the unit tests there."""
    python = foreign.find(target.userland)
    facts = python.facts()
    with tempfile.TemporaryDirectory(prefix="pymigrate-site-") as folder:
        site = Path(folder)
        python.install(wheel, site)
        python.run("-c", "import pymigrate; pymigrate.NodeMask('0-3,64')", path=(site,))
        run = _unit_tests(python, wheel, site) if test else None
    said = f"{run}; " if run else ""
    row = Row(
        target.abi.name,
        facts["bits"],
        facts["byteorder"],
        "unit tests" if run else "imported",
        said + audit.platform(wheel),
        kernel=python.by,
        python=facts["python"],
    )
    return row, run is None or run.green


def _unit_tests(python: foreign.Python, wheel: Path, site: Path) -> Run:
    options = ("-p", "no:cacheprovider", "--hypothesis-profile=emulated")
    return pytest(
        *("tests/unit", *options),
        program=(*python.command, "-m", "pytest"),
        env=python.environment(site, python.tools(wheel)),
    )
