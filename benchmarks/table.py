"""Rows for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from row import Row

_WIDTH = 1000  # the table takes what it needs
_VERDICTS = {True: "met", False: "NOT met", None: ""}


def show(places: Sequence[tuple[str, Sequence[Row]]]) -> None:
    """Prints a table.

    Args:
        places: What rows were measured on, and the rows.
    """
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for title in ("", "compared with", "ratio of", "median", "middle half", "min-max", "target"):
        table.add_column(title, no_wrap=True)
    table.add_column("")
    for place, rows in places:
        table.add_section()
        table.add_row(place)
        for row in rows:
            table.add_row(f"  {row.name}", row.peer, row.measure, *_numbers(row), _verdict(row))
    Console(highlight=False, width=_WIDTH).print(table)


def _numbers(row: Row) -> tuple[str, str, str, str]:
    sign = ">=" if row.wants_more else "<="
    target = "" if row.target is None else f"{sign} {row.target:.2f}"
    if not row.ratios:
        return "", "", "", target
    low, high = row.middle_half
    spread = f"{min(row.ratios):.2f}-{max(row.ratios):.2f}"
    return f"{row.median:.3f}", f"{low:.3f}-{high:.3f}", spread, target


def _verdict(row: Row) -> str:
    return "; ".join(part for part in (_VERDICTS[row.met], row.remark) if part)
