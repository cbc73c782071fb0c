"""``pymigrate job --here``: the part of one host, alone or as the helper of a launcher."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import suppress

from pymigrate.cli.hosts_view import print_report
from pymigrate.cli.interrupt import on_interrupt
from pymigrate.errors import NoSuchJob
from pymigrate.launchers.engines import part_of
from pymigrate.launchers.frames import frames
from pymigrate.launchers.held import Held
from pymigrate.launchers.here import do_here
from pymigrate.launchers.marks import MARK, mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import Any

    from pymigrate.jobs.job_report import JobProgress
    from pymigrate.launchers.wish import Wish


def run_here(arguments: argparse.Namespace, wish: Wish) -> int:
    """Does what is wished on this host, and tells it to people or to a launcher."""
    os.environ[MARK] = mark()  # for what is started here
    part = part_of(arguments.target)
    held = Held()
    line = _Line(part.host(), arguments.every) if arguments.leash else None
    with on_interrupt(held.interrupt):
        if line:
            line.begin(held)
        report = do_here(
            part.job,
            wish,
            host=part.host(),
            ranks=part.ranks,
            begun=held.begun,
            progress=line.note if line else None,
        )
        report = report.with_ranks(arguments.rows).with_steps(part.steps())
        if line:
            line.tell({"report": report.to_dict()})
        elif report.complete and not report.processes:
            raise NoSuchJob(
                f"no process of {arguments.target} was found on this host",
                reason="unknown",
                remedy="see whether it runs, and on which hosts",
            )
        else:
            print_report(report, arguments)
    return report.status


class _Line:
    """The line to a launcher: signs of life one way, and the other way its end, which means stop.

    Args:
        host: Who speaks.
        every: Seconds between two signs of life.
    """

    def __init__(self, host: str, every: float) -> None:
        self._host = host
        self._every = every
        self._how_far = 0, 0
        self._lock = threading.Lock()
        self._over = False

    def begin(self, held: Held) -> None:
        """Says that this host is there, and goes on to, whatever else is done."""
        for way in (self._live, self._heed):
            threading.Thread(None, self._hold, "pymigrate-line", (way, held), daemon=True).start()

    def note(self, progress: JobProgress) -> None:
        """How far it is, for the next sign of life."""
        self._how_far = progress.done, progress.total

    def tell(self, message: dict[str, Any]) -> None:
        """Says something; the report is the last."""
        with self._lock:
            if self._over:
                return
            self._over = "report" in message
            for line in frames(self._host, message):
                print(line, flush=False)
            sys.stdout.flush()

    @staticmethod
    def _hold(way: Callable[[], None], held: Held) -> None:
        """The end of either way is that of the line, and so is an error: nobody holds it."""
        with suppress(OSError):
            way()
        held.interrupt()

    def _live(self) -> None:
        while not self._over:
            self.tell({"progress": self._how_far})
            time.sleep(self._every)

    def _heed(self) -> None:
        # Not by sys.stdin: an interpreter that ends while a thread holds its lock is aborted. There
        # is none if it was closed at the start, and its number may be that of another file by now.
        while sys.stdin and os.read(sys.stdin.fileno(), 4096):
            pass
