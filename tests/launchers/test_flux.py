"""Flux: its processes on a host are found for real, by what flux-environment(7) gives to tasks.

There is no Flux here: that flux-jobs(1) and flux-exec(1) do what their manual pages and sources say
is not shown by any test. Lines of flux-exec are composed as in flux-core's src/cmd/flux-exec.c
(commit 0064fc128ef7), with what its own t/t0005-exec-jobid.t looks for; they are no recording.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import Callable

import pytest
from support.slurm import wait_for

from pymigrate import (
    ClusterReport,
    EngineMissing,
    HostRow,
    InvalidArgument,
    JobRefused,
    LauncherError,
    NoSuchJob,
)
from pymigrate.launchers import flux_words
from pymigrate.launchers.engines import engine_of, part_of
from pymigrate.launchers.flux import FluxJob
from pymigrate.launchers.frames import frames
from pymigrate.launchers.here import do_here
from pymigrate.launchers.last_words import LastWords, Said, missing_helper
from pymigrate.launchers.remote import JobOnHosts
from pymigrate.launchers.wish import Wish


@contextmanager
def task(job: str, rank: int, program: str = "sleep 1000", **more: str) -> Iterator[int]:
    """A process with the environment of a task, which has started a program; its pid."""
    env = {"FLUX_JOB_ID": job, "FLUX_TASK_RANK": str(rank), "PATH": "/usr/bin:/bin", **more}
    shell = ["sh", "-c", f"echo; {program} & wait"]
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


def test_what_a_task_starts_needs_no_environment() -> None:
    """As under apptainer --cleanenv, and the initial program of an instance (flux-batch(1))."""
    inner = "FLUX_JOB_ID=fYA FLUX_TASK_RANK=7 sh -c 'sleep 1000 & wait'"
    job, other = part_of("flux:f23ZkAmXdf"), part_of("flux:fYA")
    with ExitStack() as tasks:
        tasks.enter_context(task("f23ZkAmXdf", 4, "env -i sh -c 'sleep 1000 & wait'"))
        tasks.enter_context(task("f23ZkAmXdf", 5, f"env -i {inner}"))  # of a job within the job
        wait_for(lambda: len(job.job().pids()) == 6 and len(other.job().pids()) == 2)
        assert sorted(job.ranks().values()) == [4, 4, 4, 5, 5, 5]
        assert list(other.ranks().values()) == [7, 7]


def test_no_flux_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(EngineMissing, match="there is no flux on PATH"):
        FluxJob("f23ZkAmXdf").find()


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (
            "echo 'Traceback:' >&2; echo 'ModuleNotFoundError: No module named flux' >&2; exit 1",
            "flux jobs failed: ModuleNotFoundError: No module named flux",
        ),
        (
            "echo 'flux-jobs: ERROR: Unknown format field: id.f58plain' >&2; exit 1",
            "flux jobs failed: flux-jobs: ERROR: Unknown format field: id.f58plain",
        ),
        ("echo 'rpc: Connection reset by peer' >&2", "flux jobs failed: rpc: Connection reset"),
        ("exit 7", "flux jobs failed: flux ended with status 7"),
        ("echo 'f1|RUN'", "flux jobs answers 'f1|RUN'"),
        ("echo 'a|RUN|0|h1'; echo 'b|RUN|0|h2'", "flux jobs answers 'a|RUN|0|h1"),
    ],
)
def test_a_flux_that_fails_is_not_taken_for_a_job_that_is_unknown(
    flux: Callable[[str], None], script: str, told: str
) -> None:
    flux(script)
    with pytest.raises(LauncherError) as caught:
        FluxJob("f1").find()
    assert type(caught.value) is LauncherError
    assert str(caught.value).startswith(told)


@pytest.mark.parametrize(
    ("answer", "error", "told"),
    [
        (
            "echo 'flux-hostlist: ERROR: job f1 not found' >&2; exit 1",
            NoSuchJob,
            "job f1 not found",
        ),
        (
            "echo 'flux: no such command' >&2; exit 1",
            LauncherError,
            "flux hostlist failed: flux: no",
        ),
    ],
)
def test_a_job_whose_hosts_are_not_told(
    flux: Callable[[str], None], answer: str, error: type[LauncherError], told: str
) -> None:
    flux(f"[ $1 = jobs ] && exec echo 'f1|RUN|0|h1'\n{answer}")
    job = FluxJob("f1")
    job.find()
    with pytest.raises(LauncherError, match=told) as caught:
        job.hosts()
    assert type(caught.value) is error


def test_ranks_that_are_none(flux: Callable[[str], None]) -> None:
    """What flux-exec says of ranks is then told of no host."""
    flux("[ $1 = jobs ] && exec echo 'f1|RUN|0,odd|h1'\necho h1")
    job = FluxJob("f1")
    job.find()
    assert job.hosts() == ["h1"]
    assert job.said("0: late") == Said("late")


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


HOSTS = {2: "h1", 3: "h2", 4: "h3"}


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("3: Killed by its user", Said("Killed by its user", host="h2")),
        ("3: ", Said("", host="h2")),
        ("7: of nobody", Said("of nobody")),
        ("flux-exec: job f1 not found", Said("flux-exec: job f1 not found")),
        ("3: Exit 2", Said("Exit 2", ended=["h2"])),
        ("[2,4]: Exit 127", Said("Exit 127", ended=["h1", "h3"])),
        ("[2-4]: Terminated", Said("Terminated", ended=["h1", "h2", "h3"])),
        (
            "flux-exec: Error: rank 4: pymigrate: No such file or directory",
            Said("pymigrate: No such file or directory", ended=["h3"]),
        ),
    ],
)
def test_whose_a_line_of_flux_exec_is(line: str, meaning: Said) -> None:
    assert flux_words.said(line, HOSTS) == meaning


def heard(*lines: str) -> LastWords:
    words = LastWords(lambda line: flux_words.said(line, HOSTS))
    for line in lines:
        words.take(line)
    return words


def test_the_last_words_of_each_helper() -> None:
    words = heard("2: out of luck", "4: no memory", "[2,4]: Exit 1")
    assert words.about("h1") == "Exit 1: out of luck"
    assert words.about("h3") == "Exit 1: no memory"
    assert words.of_hosts


def test_no_helper_on_the_hosts() -> None:
    words = heard("flux-exec: Error: rank 2: pymigrate: No such file or directory")
    error = missing_helper(["pymigrate"], str(words))
    assert error is not None
    assert "on the hosts as pymigrate: pymigrate: No such file" in str(error)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("flux-exec: failed to get shell.init event for f1", JobRefused),
        ("flux-exec: Error: rank 2: pymigrate: requires owner credentials", JobRefused),
        ("flux-exec: Error: rank 2: pymigrate: request signature required", JobRefused),
        ("flux-exec: unable to get info for job f1: Function not implemented", LauncherError),
    ],
)
def test_why_no_helper_was_started(line: str, error: type[LauncherError]) -> None:
    words = heard(line)
    assert not words.of_hosts
    assert type(FluxJob("f1").refusal(str(words))) is error


def answer(rank: int, host: str) -> str:
    """What flux-exec passes on of a helper that has answered, by the name that it has for itself.

    The message is longer than a line.
    """
    nodes = dict.fromkeys(range(300), 1)
    row = HostRow(host, nodes=nodes, processes=1, finding=f"of rank {rank}")
    message = {"report": ClusterReport("show", (row,)).to_dict()}
    return "".join(f"{rank}: {line}\n" for line in frames(host, message))


@pytest.mark.parametrize("names", ["fluke10 fluke11", "localhost localhost"])
def test_hosts_go_by_the_names_that_flux_has(
    flux: Callable[[str], None], tmp_path: Path, names: str
) -> None:
    """Helpers name themselves without a domain; flux-exec labels what they say by their ranks."""
    said = [answer(rank, name).splitlines(keepends=True) for rank, name in enumerate(names.split())]
    (tmp_path / "said").write_text("".join(chain(*zip(*said))))  # they take turns
    flux(
        "case $1 in\n"
        "jobs) echo 'fCjBXVts|RUN|[0-1]|fluke[10-11].llnl.gov';;\n"
        "hostlist) echo fluke10.llnl.gov fluke11.llnl.gov;;\n"
        f"exec) cat {tmp_path}/said;;\n"
        "esac"
    )
    report = JobOnHosts("flux:fCjBXVts", Wish("show")).run()
    assert [(row.host, row.outcome, row.finding) for row in report.hosts] == [
        ("fluke10.llnl.gov", "done", "of rank 0"),
        ("fluke11.llnl.gov", "done", "of rank 1"),
    ]


def test_helpers_that_answer_when_they_are_killed_are_heard(
    flux: Callable[[str], None], tmp_path: Path
) -> None:
    """flux-exec reads no input before all have started: where one hangs, the others get SIGTERM.

    It passes that on, and goes on to wait for the one that hangs.
    """
    (tmp_path / "said").write_text(answer(0, "h1"))
    flux(
        "case $1 in\n"
        "jobs) echo 'fCjBXVts|RUN|[0-1]|h[1-2]';;\n"
        "hostlist) echo h1 h2;;\n"
        f"exec) trap 'cat {tmp_path}/said' TERM; while :; do sleep 0.1; done;;\n"
        "esac"
    )
    report = JobOnHosts("flux:fCjBXVts", Wish("show"), timeout=1).run()
    told = [(row.host, row.outcome, row.finding) for row in report.hosts]
    assert told == [("h1", "done", "of rank 0"), ("h2", "silent", "no answer within 1 s")]
