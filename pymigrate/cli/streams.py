"""Standard output and error where nobody takes them."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress

__all__ = ["complain", "discard_rest", "escape_the_rest", "is_of_output"]

# write(2); to a socket it may be ECONNRESET.
_OF_WRITING = {
    errno.EPIPE,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EIO,
    errno.EBADF,
    errno.ECONNRESET,
}


def complain(message: object) -> None:
    """One line on standard error, if anybody takes it."""
    with suppress(OSError):
        print(f"pymigrate: {message}", file=sys.stderr, flush=True)


def escape_the_rest() -> None:
    """Writes what the encoding of standard output lacks with backslashes, as Python does on stderr.

    Names of processes and files are up to others.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def is_of_output(error: OSError) -> bool:
    """Whether it comes of writing what is printed: what is about a file by name does not."""
    return error.filename is None and error.errno in _OF_WRITING


def discard_rest() -> None:
    """What is left in the buffers goes nowhere: the interpreter would fail over it at its end."""
    for stream in (sys.stdout, sys.stderr):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
