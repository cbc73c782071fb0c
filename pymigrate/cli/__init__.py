"""The command ``pymigrate``. All that it takes is imported in ``main()``, under its guard."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status.

    Ctrl-C, SIGTERM and SIGHUP end it with one line and status 130, also during the imports: these
    alone take longer than many a command.

    Args:
        argv: Arguments after the program's name. None: those of the process, which this command is
            then all of, so that a signal may end it on the spot.
    """
    try:
        from pymigrate.cli.interrupt import end_when_stopped, ignore_stops

        if argv is None:
            end_when_stopped()
        from pymigrate.cli.command import run

        status = run(argv)
        if argv is None:
            ignore_stops()
        return status
    except KeyboardInterrupt:
        from pymigrate.cli.status import INTERRUPTED
        from pymigrate.cli.streams import complain

        complain("stopped")
        return INTERRUPTED
