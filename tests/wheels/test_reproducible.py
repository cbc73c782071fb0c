"""Packages of one commit are the same bytes, wherever and whenever they are made."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from wheels.cross import run

ROOT = Path(__file__).parents[2]
COMMIT = "1700000000"  # its time


def packages(folder: Path, umask: int) -> dict[str, bytes]:
    """Make the packages of a copy of the sources, with times and modes of its own."""
    ignored = shutil.ignore_patterns(
        *(".venv", ".git", "build", "dist", "wheelhouse", "*.egg-info", "*.so", "__pycache__"),
        *(".*_cache", ".hypothesis"),
    )
    before = os.umask(umask)
    try:
        shutil.copytree(ROOT, folder, ignore=ignored, copy_function=shutil.copyfile)
    finally:
        os.umask(before)
    build = (sys.executable, "-m", "build", "--no-isolation", folder)
    run(*build, env={**os.environ, "SOURCE_DATE_EPOCH": COMMIT})
    return {path.name: path.read_bytes() for path in (folder / "dist").iterdir()}


def test_two_builds_are_the_same_bytes(tmp_path: Path) -> None:
    pytest.importorskip("build", reason="build is missing: `make test` has it")
    first = packages(tmp_path / "here", umask=0o022)
    second = packages(tmp_path / "somewhere" / "else", umask=0o002)
    assert sorted(name.rpartition(".")[2] for name in first) == ["gz", "whl"]
    assert [name for name in first if first[name] != second[name]] == []
