"""Packages of one commit are the same bytes, and the sdist has what its tests take."""

from __future__ import annotations

import os
import shutil
import sys
import tarfile
from pathlib import Path

import pytest
from platforms.run import PYTEST

from wheels.cross import run

ROOT = Path(__file__).parents[2]
COMMIT = "1700000000"  # its time


def packages(folder: Path, umask: int) -> Path:
    """Make the packages of a copy of the sources, with times and modes of its own; return where."""
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
    return folder / "dist"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("build", reason="build is missing: `make test` has it")
    return packages(tmp_path_factory.mktemp("packages") / "here", umask=0o022)


def test_two_builds_are_the_same_bytes(made: Path, tmp_path: Path) -> None:
    first = contents(made)
    second = contents(packages(tmp_path / "somewhere" / "else", umask=0o002))
    assert sorted(name.rpartition(".")[2] for name in first) == ["gz", "whl"]
    assert [name for name in first if first[name] != second[name]] == []


def test_all_tests_of_the_sdist_are_collected(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sdist,) = made.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path)  # noqa: S202  our own
    (source,) = tmp_path.iterdir()
    monkeypatch.chdir(source)
    run(PYTEST, "--collect-only", "-qq", "-p", "no:cacheprovider")
