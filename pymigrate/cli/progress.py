"""A progress bar for operations, drawn by rich on standard error."""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from typing import cast

from pymigrate.errors import Error
from pymigrate.units import format_bytes

try:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
except ModuleNotFoundError as missing:
    raise Error(
        f"the progress bar needs the package {missing.name}: pip install 'pymigrate-numa[cli]' "
        "(--no-progress works without it)"
    ) from None

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO, Any

__all__ = ["hosts_bar", "progress_bar"]


class _Unheeded:
    """A stream that need not be taken by anybody: the bar is no reason to lose the report.

    rich would end the process by itself, or let what is wrong through to the operation.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _drawn(*columns: ProgressColumn) -> Progress:
    """On a terminal it is gone in the end; elsewhere it is written only then."""
    console = Console(file=cast("IO[str]", _Unheeded(sys.stderr)))
    return Progress(*columns, console=console, transient=console.is_terminal)


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Shows a bar; the function that it gives sets bytes done and bytes in total."""
    columns = (
        TextColumn(label),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with _drawn(*columns) as bar:
        task = bar.add_task(label, total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield show


@contextmanager
def hosts_bar(label: str) -> Iterator[Callable[[int, int, int], None]]:
    """Shows a bar; the function that it gives sets hosts: answered, all; and bytes."""
    columns = (
        TextColumn(label),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("hosts, {task.fields[size]}"),
    )
    with _drawn(*columns) as bar:
        task = bar.add_task(label, total=None, size=format_bytes(0))

        def show(answered: int, hosts: int, done: int) -> None:
            bar.update(task, completed=answered, total=hosts, size=format_bytes(done))

        yield show
