"""How it ended on a host, in one word, and which word stands for several."""

from __future__ import annotations

__all__ = ["CANCELLED", "DONE", "FAILED", "LEFT", "REFUSED", "SILENT", "STATUSES", "worst"]

DONE = "done"
LEFT = "left"
REFUSED = "refused"
FAILED = "failed"
SILENT = "silent"
CANCELLED = "cancelled"

STATUSES = {DONE: 0, LEFT: 1, REFUSED: 1, FAILED: 2, SILENT: 2, CANCELLED: 130}
"""The exit status that each stands for, from the best to the worst.

``"done"``: all is where it should be, or nothing stands in the way of it; ``"left"``: pages or
processes were left behind; ``"refused"``: a look beforehand found what stands in the way;
``"failed"``: nothing could be done, or an error ended it early; ``"silent"``: the host did not
answer in time; ``"cancelled"``: it was stopped. The counts are those of what had been done.
"""

_RANKS = {outcome: rank for rank, outcome in enumerate(STATUSES)}


def worst(one: str, other: str) -> str:
    """The worse of two outcomes."""
    return max(one, other, key=_RANKS.__getitem__)
