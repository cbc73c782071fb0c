"""Standard output and error where nobody takes them."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

__all__ = ["complain", "discard_rest"]


def complain(message: object) -> None:
    """One line on standard error, if anybody takes it."""
    with suppress(OSError):
        print(f"pymigrate: {message}", file=sys.stderr, flush=True)


def discard_rest() -> None:
    """What is left in the buffers goes nowhere: the interpreter would fail over it at its end."""
    for stream in (sys.stdout, sys.stderr):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
