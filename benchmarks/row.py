"""A row of the table: a ratio that was measured, and the one that is wanted."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TIME, SPEED, MEMORY = "time", "speed", "memory"

_AT_LEAST = {SPEED}  # of all else less is better


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        name: What was done.
        peer: What it is compared with.
        measure: What the ratio is of, ours to the peer's: TIME and MEMORY have to be at most
            ``target``, SPEED at least.
        ratios: One for each pair of runs; none where it could not be measured.
        target: None where the ratio is only shown.
        remark: What a reader has to know, such as why nothing is judged.
        failed: There are no ratios because the measurement failed; the remark says how.
    """

    name: str
    peer: str
    measure: str
    ratios: Sequence[float] = ()
    target: float | None = None
    remark: str = ""
    failed: bool = False

    @classmethod
    def failure(cls, name: str, error: Exception) -> Row:
        """In place of the rows that a group still had to measure."""
        return cls(name, "", "", remark=f"{type(error).__name__}: {error}", failed=True)

    @property
    def median(self) -> float:
        """The ratio that is judged; NaN where there is none."""
        return statistics.median(self.ratios or [math.nan])

    @property
    def middle_half(self) -> tuple[float, float]:
        """What a quarter of the ratios lies below, and a quarter above."""
        if len(self.ratios) < 2:
            return self.median, self.median
        low, _, high = statistics.quantiles(self.ratios, n=4, method="inclusive")
        return low, high

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.target is None or not self.ratios:
            return None
        return self.median >= self.target if self.wants_more else self.median <= self.target

    @property
    def wants_more(self) -> bool:
        """Whether more is better."""
        return self.measure in _AT_LEAST

    def to_dict(self) -> dict[str, Any]:
        """What ``json.dumps`` takes; ``from_dict`` takes it back."""
        return {
            "name": self.name,
            "peer": self.peer,
            "measure": self.measure,
            "median": self.median if self.ratios else None,
            "min": min(self.ratios, default=None),
            "max": max(self.ratios, default=None),
            "target": self.target,
            "met": self.met,
            "remark": self.remark,
            "failed": self.failed,
            "ratios": list(self.ratios),
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Row:
        """A row from ``to_dict()``."""
        names = ("name", "peer", "measure", "ratios", "target", "remark", "failed")
        return cls(**{name: fields[name] for name in names})
