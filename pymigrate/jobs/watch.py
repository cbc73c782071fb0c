"""What is known of one process that is followed: when to look at its memory, when to move it."""

from __future__ import annotations

from dataclasses import dataclass

from pymigrate.nodemask import NodeMask

__all__ = ["Habits", "Watch"]

_FIGHTS_MAX = 10  # the longest pause between two looks doubles so often


@dataclass(frozen=True)
class Habits:
    """How patient following is. Times are seconds.

    Attributes:
        settle: How long a process has to stay in a place before its memory follows.
        recheck: How often the memory of a process that stays is looked at.
        threshold: Pages away from home that are put up with.
    """

    settle: float
    recheck: float
    threshold: int


class Watch:
    """One process. Pure: times and counts are told to it.

    Attributes:
        inside: The nodes where its memory ought to be.
        fights: How often in a row its memory was away again after it had been moved.
        news: Whether its place has changed, and its memory has not been seen there yet.
        strange: Whether this is the first place that it is seen in.
        refused: Whether it was told that the caller may not look at it.
    """

    def __init__(self, habits: Habits) -> None:
        self._habits = habits
        self.inside = NodeMask()
        self.fights = 0
        self.news = False
        self.strange = True
        self.refused = False
        self._due = 0.0
        self._seen: int | None = None
        self._unmovable = 0
        self._moved = False

    def at(self, inside: NodeMask, now: float) -> bool:
        """Where it ought to be now. Returns whether its memory has to be looked at."""
        if inside != self.inside:
            self.strange = not self.inside
            self.inside = inside
            self.fights = self._unmovable = 0
            self.news, self._moved, self._seen = bool(inside), False, None
            self._due = now
        return bool(inside) and now >= self._due

    def look(self, away: int, now: float) -> bool:
        """How many of its pages are elsewhere. Returns whether they have to be moved.

        After a change of place they are looked at at once and again when that has settled: if
        they have become fewer, the kernel moves them by itself, as cgroup v2 does, and they are
        given the same time again.
        """
        too_many = away - self._unmovable > self._habits.threshold
        if self.news:
            moving = self._seen is None or self._seen - away > self._habits.threshold
            self._seen = away
            if too_many and moving:
                self._due = now + self._habits.settle
                return False
        self.news = False
        if too_many:
            return True
        self.fights = max(0, self.fights - 1)
        self._due = now + self._habits.recheck
        return False

    def moved(self, left: int, now: float) -> None:
        """It was migrated. What is left away from home is put up with from now on.

        If it had been brought home before and had not stayed there, the next time comes later:
        somebody else wants it elsewhere.
        """
        if self._moved:
            self.fights = min(self.fights + 1, _FIGHTS_MAX)
        self._moved = True
        self._unmovable = left
        self._due = now + self._habits.recheck * 2**self.fights
