"""A caller that can open no more files. The limit stays, so this is for children."""

from __future__ import annotations

import resource

__all__ = ["out_of_files"]


def out_of_files() -> None:
    """From now on each open(2) of this process fails with EMFILE (getrlimit(2))."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 1024))
