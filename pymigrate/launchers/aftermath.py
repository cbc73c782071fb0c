"""An engine's command has ended: what is true of the hosts that have not answered."""

from __future__ import annotations

from dataclasses import replace
from signal import SIGKILL

from pymigrate.errors import LauncherError, NoSuchJob
from pymigrate.launchers.last_words import missing_helper
from pymigrate.launchers.outcomes import CANCELLED, SILENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pymigrate.launchers.cluster_report import ClusterReport
    from pymigrate.launchers.conductor import Conductor
    from pymigrate.launchers.engines import Engine
    from pymigrate.launchers.last_words import LastWords

__all__ = ["reckoned"]


def reckoned(
    engine: Engine, command: Sequence[str], status: int, conductor: Conductor, words: LastWords
) -> ClusterReport:
    """The report, in which every host has a row.

    Args:
        engine: Whose command it was.
        command: How pymigrate was called on the hosts.
        status: The exit status; -SIGKILL where it had to be killed.
        conductor: Who has heard the hosts.
        words: What was said on standard error.

    Raises:
        NoSuchJob: The job has ended before any host could answer.
        HelperMissing: There is no pymigrate on the hosts.
        JobRefused, LauncherError: No helper was started.
    """
    if conductor.gave_up:
        report = conductor.report(words.about)
        return _with_remains(report, engine.remains()) if status == -SIGKILL else report
    if status and conductor.waits:
        ended = _ended(engine)
        if conductor.begun:
            if ended:
                conductor.fail_rest(ended)
        else:
            if error := ended or missing_helper(command, str(words)):
                raise error
            if not words.of_hosts:
                raise engine.refusal(str(words))
    report = conductor.report(words.about)
    return _stopped(report, engine) if report.outcome == CANCELLED else report


def _with_remains(report: ClusterReport, remains: str) -> ClusterReport:
    """The same, with what stays behind told of the hosts that were given up."""
    rows = (
        replace(row, finding=f"{row.finding}; {remains}")
        if remains and row.finding and row.outcome in (SILENT, CANCELLED)
        else row
        for row in report.hosts
    )
    return replace(report, hosts=tuple(rows))


def _stopped(report: ClusterReport, engine: Engine) -> ClusterReport:
    """The same, with the reason why hosts were stopped, which nobody here has asked for."""
    ended = _ended(engine)
    if ended is None:
        return report
    rows = (
        replace(row, finding=str(ended)) if row.outcome == CANCELLED and not row.finding else row
        for row in report.hosts
    )
    return replace(report, hosts=tuple(rows))


def _ended(engine: Engine) -> NoSuchJob | None:
    """The error that the job does not run any more, if that is so."""
    try:
        engine.find()
    except NoSuchJob as error:
        return error
    except LauncherError:  # it is the hosts that have to be told of
        pass
    return None
