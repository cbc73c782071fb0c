"""Tables for people, drawn by rich (extra ``cli``)."""

from __future__ import annotations

import sys

from pymigrate.errors import Error

try:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text
except ModuleNotFoundError as missing:
    raise Error(
        f"tables need the package {missing.name}: pip install 'pymigrate-numa[cli]' "
        "(--json works without it)"
    ) from None

__all__ = ["bar", "new_table", "plain", "print_out"]

_BAR_WIDTH = 16
_PIPE_WIDTH = 10_000  # of nobody's terminal: nothing is wrapped or cut


def print_out(*drawn: object) -> None:
    """Prints on standard output; where that is no terminal, without colours and at full width.

    rich only draws: it would end the process by itself where nobody takes the output.
    """
    terminal = sys.stdout.isatty()
    console = Console(highlight=False, width=None if terminal else _PIPE_WIDTH)
    with console.capture() as capture:
        console.print(*drawn, sep="\n")
    text = capture.get()
    if not terminal:  # to a program, the spaces that fill a table up to its edge are noise
        text = "".join(f"{line.rstrip()}\n" for line in text.splitlines())
    sys.stdout.write(text)


def new_table(title: str, *columns: str, left: tuple[str, ...] = ()) -> Table:
    """An empty table; columns are right-aligned, but for those in ``left``."""
    table = Table(title=plain(title), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="left" if column in left else "right", no_wrap=True)
    return table


def bar(part: int, whole: int) -> ProgressBar:
    """A bar that shows a part of a whole."""
    return ProgressBar(total=max(whole, 1), completed=part, width=_BAR_WIDTH)


def plain(text: str) -> Text:
    """Text as it is: rich would take ``[heap]`` for markup, and a terminal obeys what is no letter.

    The name of a process is up to whoever runs it.
    """
    return Text("".join(c if c.isprintable() else escaped(c) for c in text))


def escaped(character: str) -> str:
    """What is not printable, as Python writes it in a string."""
    return character.encode("unicode_escape").decode("ascii")
