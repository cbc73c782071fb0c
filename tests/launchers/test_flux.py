"""Flux: its processes on a host are found for real, by what flux-environment(7) gives to tasks.

There is no Flux here: that flux-jobs(1) and flux-exec(1) do what their manual pages say is not
shown by any test.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from support.slurm import wait_for

from pymigrate import EngineMissing, InvalidArgument
from pymigrate.launchers.engines import engine_of, part_of
from pymigrate.launchers.flux import FluxJob
from pymigrate.launchers.here import do_here
from pymigrate.launchers.wish import Wish


@contextmanager
def task(job: str, rank: int, **more: str) -> Iterator[int]:
    """A process with the environment of a task, which has started another; its pid."""
    env = {"FLUX_JOB_ID": job, "FLUX_TASK_RANK": str(rank), "PATH": "/usr/bin:/bin", **more}
    shell = ["sh", "-c", "echo; sleep 1000 & wait"]
    with subprocess.Popen(
        shell, env=env, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        try:
            assert process.stdout
            process.stdout.readline()
            yield process.pid
        finally:
            subprocess.run(["pkill", "-KILL", "-s", str(process.pid)], check=True)


@pytest.mark.parametrize("form", ["f23ZkAmXdf", "\N{LATIN SMALL LETTER F WITH HOOK}23ZkAmXdf"])
def test_tasks_and_what_they_start_have_the_rank(form: str) -> None:
    part = part_of("flux:f23ZkAmXdf")
    with ExitStack() as tasks:
        pids = [tasks.enter_context(task(form, rank)) for rank in (4, 5)]
        tasks.enter_context(task("f23ZkAmXdg", 4))  # of another job
        tasks.enter_context(task(form, 6, PYMIGRATE_HELPER="1"))  # of another pymigrate
        wait_for(lambda: len(part.job().pids()) == 4)
        report = do_here(part.job(), Wish(old="0", new="0"), ranks=part.ranks)
    assert [row.rank for row in report.ranks] == [4, 4, 5, 5]
    assert set(pids) <= {row.pid for row in report.ranks}
    assert report.complete


def test_no_flux_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(EngineMissing, match="there is no flux on PATH"):
        FluxJob("f23ZkAmXdf").find()


FORMS = """
    6731191091200 0x61f3a800000 0000.061f.3a80.0000 job.0000.061f.3a80.0000
    f2oLkTLb \N{LATIN SMALL LETTER F WITH HOOK}2oLkTLb academy-acid-able--acme-ace-adam
    \N{GRINNING FACE}\N{PILE OF POO}
"""


@pytest.mark.parametrize("form", FORMS.split())
def test_every_form_of_an_id_is_for_flux_to_read(form: str) -> None:
    """Those of RFC 19; which of them mean something, and the same, only Flux knows."""
    assert engine_of(f"flux:{form}")


@pytest.mark.parametrize("identity", ["f1 f2", "--all", "f1;true"])
def test_what_is_no_id(identity: str) -> None:
    with pytest.raises(InvalidArgument):
        engine_of(f"flux:{identity}")
