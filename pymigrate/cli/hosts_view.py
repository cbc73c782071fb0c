"""A job on many hosts, for people: the bar while it is worked on, and the tables afterwards."""

from __future__ import annotations

from contextlib import contextmanager
from importlib.util import find_spec

from pymigrate.cli.controls import wants_progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from pymigrate.launchers.cluster_report import ClusterReport
    from pymigrate.launchers.conductor import ClusterProgress

__all__ = ["print_report", "progress_of_hosts"]

_LABELS = {"migrate": "migrating", "evict": "evicting", "show": "looking"}


def print_report(report: ClusterReport, arguments: argparse.Namespace) -> None:
    """JSON; or the tables, where there is what draws them, and the sums, which take nothing."""
    if arguments.json:
        print(report.to_json(), flush=True)
        return
    if find_spec("rich") is not None:
        from pymigrate.cli.hosts_tables import print_hosts

        print_hosts(report)
    print(report, flush=True)


@contextmanager
def progress_of_hosts(
    arguments: argparse.Namespace, action: str
) -> Iterator[Callable[[ClusterProgress], object] | None]:
    """What shows how many hosts have answered; None where nobody looks."""
    if not wants_progress(arguments):
        yield None
        return
    from pymigrate.cli.progress import hosts_bar

    with hosts_bar(_LABELS.get(action, "checking")) as show:
        yield lambda step: show(step.answered, step.hosts, step.done)
