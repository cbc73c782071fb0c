"""The mark of a helper, by which the helpers of others know it: they are no part of a job.

An engine counts a step of helpers as the job's own. It is known by its environment, since the name
of a step is not to be had on a host without a question to the controller from each.
"""

from __future__ import annotations

import os
from contextlib import suppress

__all__ = ["MARK", "environment_of", "is_helper"]

MARK = "PYMIGRATE_HELPER"
"""Set in the environment of helpers, and so of all that they start."""


def is_helper(pid: int) -> bool:
    """Whether a process is a helper, or was started by one; no, where that is not to be seen."""
    return MARK in environment_of(pid)


def environment_of(pid: int) -> dict[str, str]:
    """The environment that a process was started with; nothing where it is not to be seen."""
    text = b""
    with suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:
        text = file.read()
    pairs = (part.partition("=") for part in os.fsdecode(text).split("\0"))
    return {name: value for name, _, value in pairs}
