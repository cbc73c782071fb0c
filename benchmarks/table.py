"""Rows for people."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from row import Row

_WIDTH = 100  # on a terminal and in a pipe alike: what is long is wrapped
_VERDICTS = {True: "met", False: "NOT met", None: ""}


def show(places: Sequence[tuple[str, Sequence[Row]]]) -> None:
    """Prints a table for each place.

    Args:
        places: What rows were measured on, and the rows.
    """
    console = Console(highlight=False, width=_WIDTH)
    for place, rows in places:
        console.print(place)
        if rows:
            console.print(_table(rows))


def _table(rows: Sequence[Row]) -> Table:
    """What is compared has a line of its own, and below it one for each peer."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("compared with", max_width=40)
    for title in ("wanted", "median", "middle half", "min-max", ""):
        table.add_column(title, no_wrap=True)
    for name, same in groupby(rows, lambda row: row.name):
        table.add_row(name)
        for row in same:
            label = "\n".join(f"  {part}" for part in (row.peer, row.remark) if part)
            table.add_row(label, *_numbers(row), _verdict(row))
    return table


def _numbers(row: Row) -> tuple[str, str, str, str]:
    sign = ">=" if row.wants_more else "<="
    wanted = row.measure if row.target is None else f"{row.measure} {sign} {row.target:.2f}"
    if not row.ratios:
        return wanted, "", "", ""
    low, high = row.middle_half
    spread = f"{min(row.ratios):.2f}-{max(row.ratios):.2f}"
    return wanted, f"{row.median:.3f}", f"{low:.3f}-{high:.3f}", spread


def _verdict(row: Row) -> str:
    return "FAILED" if row.failed else _VERDICTS[row.met]
