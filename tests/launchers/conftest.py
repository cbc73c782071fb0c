"""A cluster for all tests of engines that run jobs on several hosts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest
from support import ssh
from support.slurm import Slurm, missing, slurm

HOSTS = 16


@pytest.fixture(scope="session")
def cluster() -> Iterator[Slurm]:
    """Slurm on 16 hosts, each of its own namespaces."""
    lacking = missing()
    if lacking:
        pytest.skip(f"Slurm on hosts of namespaces needs {lacking}")
    with slurm(HOSTS, with_ssh=not ssh.missing()) as started:
        yield started


@pytest.fixture(scope="session")
def job(cluster: Slurm) -> Iterator[str]:
    """The id of a job of four of them, with eight tasks that sleep."""
    with cluster.job(4, 8, "sleep", "1000") as identity:
        yield identity


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One that the hosts see too: they have the file system in common."""
    return tmp_path


@pytest.fixture
def flux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a command ``flux`` on PATH, given as a script of the shell: there is no Flux here."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def put(script: str) -> None:
        program = tmp_path / "flux"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    return put
