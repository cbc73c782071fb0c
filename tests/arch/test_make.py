"""`make test-arch` gets ready what the machines that it is asked for take."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from arch.tools import succeed

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(
    not (ROOT / "Makefile").exists(), reason="the Makefile is not here, as beside a wheel"
)


def purposes(*words: str) -> list[str]:
    """What scripts/bootstrap would be asked for where nothing is ready."""
    said = succeed("make", "-C", ROOT, "-n", "VENV=/nonexistent", *words).stdout
    return re.findall(r"scripts/bootstrap ([\w-]+)$", said, re.MULTILINE)


@pytest.mark.parametrize("machines", ["", "ppc64le", "i386 x32"])
def test_of_others_no_kernel_is_built(machines: str) -> None:
    asked = purposes("test-arch", f"ARCHES={machines}")
    assert "arch" in asked
    assert "big-endian" not in asked


@pytest.mark.parametrize("machines", ["ppc64", "i386 ppc32"])
def test_what_builds_a_big_endian_kernel(machines: str) -> None:
    assert "big-endian" in purposes("test-arch", f"ARCHES={machines}")
