"""What Flux has really printed: recordings, as there is no Flux here to ask.

Each is copied from where people of the Flux project have shown it, in the issues of
flux-framework/flux-core, with the number, the day, and the release that was the newest on that day
(NEWS.md). A stand-in on PATH prints it where pymigrate runs the command; that the Flux of today
still prints so is not shown by it.
"""

from __future__ import annotations

from typing import Callable

import pytest

from pymigrate import NoSuchJob
from pymigrate.launchers import flux_words
from pymigrate.launchers.flux import FluxJob
from pymigrate.launchers.last_words import Said

# Issue 7177, 2025-10-29, a release after 0.70.0: the status is 0, and but for the header, which -n
# leaves out, that is all.
UNKNOWN = "JobID f1234 unknown"

# Issue 3313, 2020-11-06, 0.21.0: a job as flux-jobs(1) lists it, and its hosts by its R. Put
# together here in the order in which pymigrate asks for them.
JOB, RANKS, NODES = "fCjBXVts", "[0-1]", "fluke[10-11]"

# Issue 2247, 2019-07-19, before 0.13.0: what flux-exec(1) says when it is interrupted.
INTERRUPTED = {"1: Interrupt": ["h1"], "[0-2]: Interrupt": ["h0", "h1", "h2"]}


@pytest.mark.parametrize("status", [0, 1])
def test_a_job_that_is_unknown(flux: Callable[[str], None], status: int) -> None:
    """It is known by these words, not by the status, which a later release may mend."""
    flux(f"echo '{UNKNOWN}' >&2; exit {status}")
    with pytest.raises(NoSuchJob, match=UNKNOWN) as caught:
        FluxJob("f1234").find()
    assert caught.value.reason == "unknown"


def test_hosts_by_rank(flux: Callable[[str], None]) -> None:
    """The names are spelled out by flux-hostlist(1), apart by blanks or lines.

    It is given the id, as it takes some names of hosts for ids (f1, fuzz100) or for words of its
    own (local): src/cmd/flux-hostlist.py of flux-core.
    """
    flux(
        f"[ $1 = jobs ] && exec echo '{JOB}|RUN|{RANKS}|{NODES}'\n"
        f'[ "$*" = "hostlist --expand {JOB}" ] && echo fluke10 fluke11'
    )
    job = FluxJob(JOB)
    assert job.find() == f"flux:{JOB}"
    assert job.places() == NODES
    assert job.hosts() == ["fluke10", "fluke11"]
    assert job.said("1: late") == Said("late", host="fluke11")


@pytest.mark.parametrize("line", INTERRUPTED)
def test_helpers_that_are_interrupted(line: str) -> None:
    hosts = {0: "h0", 1: "h1", 2: "h2", 3: "h3"}
    assert flux_words.said(line, hosts) == Said("Interrupt", ended=INTERRUPTED[line])
