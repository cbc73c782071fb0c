"""Files in packages bear the time of their commit, or the one that a packager chose."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHOSEN = "1000000000"
COMMIT = "1700000000"
SDIST = 1600000000

PYTHON = """#!/bin/sh
mkdir dist
printf %s "$SOURCE_DATE_EPOCH" >told
"""
"""Stands in for the one that builds."""

needs_git = pytest.mark.skipif(not shutil.which("git"), reason="git is missing")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with all that `make build` takes, and no repository."""
    folder = tmp_path / "around" / "project"
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    for name in ("Makefile", "pyproject.toml"):
        (folder / name).write_text((ROOT / name).read_text())
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON)
    python.chmod(0o755)
    return folder


def usual() -> dict[str, str]:
    """The environment, without what is set up in it for git and for packages."""
    kept = {
        name: text
        for name, text in os.environ.items()
        if name != "SOURCE_DATE_EPOCH" and not name.startswith("GIT_")
    }
    return {**kept, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def build(project: Path, **variables: str) -> str:
    """Build, and tell the time that this was given."""
    env = {**usual(), **variables}
    command = ("make", "--old-file=.venv/.builder", "build")
    subprocess.run(command, cwd=project, env=env, check=True, capture_output=True)
    return (project / "told").read_text()


def commit(folder: Path) -> None:
    time = f"{COMMIT} +0000"
    env = {**usual(), "GIT_AUTHOR_DATE": time, "GIT_COMMITTER_DATE": time}
    who = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
    for words in (("init", "-q"), (*who, "commit", "-q", "--allow-empty", "-m", "A commit")):
        subprocess.run(["git", *words], cwd=folder, env=env, check=True)


@needs_git
def test_of_the_commit(project: Path) -> None:
    commit(project)
    assert build(project) == COMMIT


@needs_git
def test_of_the_project_also_where_a_hook_names_another_repository(project: Path) -> None:
    commit(project.parent)
    assert build(project, GIT_DIR=str(project.parent / ".git")) != COMMIT


@needs_git
def test_that_a_packager_chose(project: Path) -> None:
    commit(project)
    assert build(project, SOURCE_DATE_EPOCH=CHOSEN) == CHOSEN


@needs_git
@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a folder away")
def test_of_the_commit_in_a_clone_of_another_user(project: Path) -> None:
    commit(project)
    for path in (project, project / ".git"):
        os.chown(path, 65534, 65534)
    assert build(project) == COMMIT


@needs_git
def test_of_the_sdist_and_not_of_a_repository_around_it(project: Path) -> None:
    commit(project.parent)
    for name in ("PKG-INFO", "pyproject.toml"):
        (project / name).touch()
        os.utime(project / name, (SDIST, SDIST))
    assert build(project) == str(SDIST)


def test_of_a_mere_copy_is_always_the_same(project: Path) -> None:
    first = build(project)
    os.utime(project / "pyproject.toml", (SDIST, SDIST))
    assert build(project) == first
