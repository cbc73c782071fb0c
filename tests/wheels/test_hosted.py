"""The hosted workflow makes the same set of wheels, as far as that can be told without it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from wheels.targets import TARGETS

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "wheels.yml"

# cibuildwheel has no containers for it; there is the sdist.
NOT_HOSTED = {"loongarch64"}


def hosted() -> list[str]:
    """The machines in the workflow's matrix."""
    listed = re.findall(r"^ +arch: \[(.*)\]$", WORKFLOW.read_text(), re.MULTILINE)
    return [name.strip() for names in listed for name in names.split(",")]


def test_platforms_are_those_of_the_cross_builds() -> None:
    assert set(hosted()) == set(TARGETS) - NOT_HOSTED


@pytest.mark.parametrize("machine", sorted(set(TARGETS) - NOT_HOSTED))
def test_what_is_built_and_tested(machine: str) -> None:
    pytest.importorskip("cibuildwheel", reason="cibuildwheel is missing: `make lint` runs this")
    command = (sys.executable, "-m", "cibuildwheel", "--platform", "linux", "--archs", machine)
    listed = subprocess.run(
        [*command, "--print-build-identifiers", ROOT], check=True, capture_output=True, text=True
    ).stdout.split()
    for libc in ("manylinux", "musllinux"):
        pythons = {each.partition("-")[0] for each in listed if each.endswith(f"{libc}_{machine}")}
        assert {"cp39", "cp310", "cp311", "cp312", "cp313", "cp314", "cp314t"} <= pythons
