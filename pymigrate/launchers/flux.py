"""Jobs of Flux, from outside: their hosts, and a helper on each. As its manual pages have it.

flux-jobs(1) tells hosts, flux-exec(1) starts a helper beside each of the job's shells, one for each
host, and passes standard input on to all of them.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress

from pymigrate.errors import InvalidArgument, JobRefused, LauncherError, NoSuchJob, quote
from pymigrate.launchers import flux_words
from pymigrate.launchers.last_words import Said
from pymigrate.launchers.marks import MARK, mark
from pymigrate.launchers.number_set import numbers
from pymigrate.launchers.programs import ask, require, words_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FluxJob"]

_PACKAGE = "Flux"
# Anything that could be an id (RFC 19), down to emoji: flux-jobs(1) reads every form, and tells
# the one that needs no special characters. Job states: RFC 21.
_ID = re.compile(r"[A-Za-z0-9\x80-\U0010ffff][A-Za-z0-9.\-\x80-\U0010ffff]*")
_FORMAT = "{id.f58plain}|{state}|{ranks}|{nodelist}"
# Of flux-jobs(1), which ends with status 0 all the same, and of flux-hostlist(1).
_UNKNOWN = re.compile(r"JobID .* unknown|invalid JobID value|job .* not found")
_WAITING = ("NEW", "DEPEND", "PRIORITY", "SCHED")


class FluxJob:
    """A job of the Flux instance that commands talk to here.

    Args:
        identity: In any form that Flux takes: ``f23ZkAmXdf``, a number, ``0000.0001.0000.0000``.

    Raises:
        InvalidArgument: That is no id.
    """

    def __init__(self, identity: str) -> None:
        if not _ID.fullmatch(identity):
            raise InvalidArgument(
                f"{quote(identity)} is no id of a Flux job; write it as flux-jobs(1) does"
            )
        self._job = identity
        self._ranks = self._nodes = ""
        self._by_rank: dict[int, str] = {}

    def find(self) -> str:
        """What a helper is told to look for.

        Raises:
            EngineMissing: Flux's commands are not here.
            NoSuchJob: It is not known, waits, or has ended.
            LauncherError: Flux does not answer, or not in a way that is known.
        """
        answer = self._ask("jobs", "-n", "-o", _FORMAT).strip()
        if not answer:
            raise _unknown(self._job)
        fields = answer.split("|")
        if len(fields) != len(_FORMAT.split("|")):
            raise LauncherError(f"flux jobs answers {quote(answer)} of job {self._job}")
        self._job, state, self._ranks, self._nodes = fields
        if state in _WAITING:
            raise NoSuchJob(
                f"Flux job {self._job} does not run yet: {state}",
                reason="pending",
                remedy="try again when flux-jobs(1) says R",
            )
        if state != "RUN":
            raise NoSuchJob(f"Flux job {self._job} has ended: {state}", reason="ended")
        return f"flux:{self._job}"

    def hosts(self) -> list[str]:
        """The hosts of the job; after ``find()``.

        Raises:
            NoSuchJob, LauncherError: As ``find()``.
        """
        # Of the id: names of hosts (f1, local) can be ids, or words of flux-hostlist(1), too.
        hosts = self._ask("hostlist", "--expand").split()
        ranks: list[int] = []
        with suppress(ValueError):  # no numbers: what is said of a rank is then told of no host
            ranks = list(numbers(self._ranks.strip("[]")))
        if len(ranks) == len(hosts):
            self._by_rank = dict(zip(ranks, hosts))  # a nodelist is in the order of ranks (RFC 20)
        return hosts

    def places(self) -> str:
        """The same, as Flux writes them; after ``find()``."""
        return self._nodes

    def command(self, helper: Sequence[str]) -> list[str]:
        """What starts one helper on each host; after ``find()``."""
        flux = require("flux", _PACKAGE)
        return [flux, "exec", f"--jobid={self._job}", "--label-io", "--dir=/", *helper]

    def environment(self) -> dict[str, str]:
        """For that command, which passes it on to the helpers."""
        return {**os.environ, MARK: mark()}

    def said(self, line: str) -> Said:
        """Whose a line is that flux-exec has passed on, or said."""
        return flux_words.said(line, self._by_rank)

    def refusal(self, words: str) -> LauncherError:
        """What the words of flux-exec mean, where it has started nothing."""
        told = " ".join(words.split())
        if flux_words.not_yours(words):
            return JobRefused(
                f"Flux job {self._job} belongs to somebody else: {told}",
                reason="not-yours",
                remedy="its owner may do this; as root, without joining it: --hosts NODESET",
            )
        return LauncherError(f"Flux started no helper: {told or 'it said nothing'}")

    def remains(self) -> str:
        """Nothing that is known of."""
        return ""

    def _ask(self, *words: str) -> str:
        """What a command of Flux answers about the job."""
        answer = ask(["flux", *words, self._job], _PACKAGE)
        last = (answer.stderr.strip().splitlines() or [words_of(answer)])[-1]  # of a traceback too
        if _UNKNOWN.search(answer.stderr):
            raise _unknown(self._job, last)
        if answer.returncode or (answer.stderr.strip() and not answer.stdout.strip()):
            raise LauncherError(
                f"flux {words[0]} failed: {last}", remedy="see whether flux uptime works"
            )
        return answer.stdout


def _unknown(job: str, words: str = "") -> NoSuchJob:
    return NoSuchJob(
        f"Flux knows no job {job}" + f": {words}" * bool(words),
        reason="unknown",
        remedy="flux-jobs(1) lists those that you may see",
    )
