"""The ledger of an operation: in base pages, what was asked for and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

__all__ = ["Counts", "Entry", "Ledger"]


_COLUMNS = ("asked", "moved", "already_there", "vanished")


@dataclass
class Counts:
    """Base pages by what became of them.

    Attributes:
        asked: Pages that were on the nodes that were named.
        moved: Left their node: for their target, or, evicted, out of memory.
        already_there: Lay on nodes that keep their pages.
        vanished: Were freed, swapped out, or moved elsewhere by somebody else meanwhile.
        left: Stayed behind, by reason.
    """

    asked: int = 0
    moved: int = 0
    already_there: int = 0
    vanished: int = 0
    left: dict[str, int] = field(default_factory=dict)

    @property
    def left_behind(self) -> int:
        """Pages that stayed behind, for all reasons."""
        return sum(self.left.values())

    def add(self, column: str, pages: int) -> None:
        """Adds pages to a column, which is an attribute's name or a reason."""
        if column in _COLUMNS:
            setattr(self, column, getattr(self, column) + pages)
        else:
            self.left[column] = self.left.get(column, 0) + pages
            if not self.left[column]:
                del self.left[column]

    def include(self, other: Counts) -> None:
        """Adds all columns of another."""
        for column in _COLUMNS:
            self.add(column, getattr(other, column))
        for reason, pages in other.left.items():
            self.add(reason, pages)

    def to_dict(self) -> dict[str, object]:
        """What ``json.dumps`` takes."""
        return {
            **{column: getattr(self, column) for column in _COLUMNS},
            "left_behind": self.left_behind,
            "left": dict(self.left),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Counts:
        """What ``to_dict()`` made."""
        columns = {column: values[column] for column in _COLUMNS}
        return cls(**columns, left=dict(values["left"]))

    def closes(self) -> bool:
        """Whether every page that was asked for is in exactly one column."""
        parts = (self.moved, self.already_there, self.vanished, *self.left.values())
        return self.asked == sum(parts) and min(parts) >= 0


@dataclass(frozen=True)
class Entry:
    """Pages of one row and column.

    Attributes:
        source: The node that they have to leave; None where the kernel would not tell it.
        kind: What their mapping is made of; None with ``source``.
        column: An attribute of ``Counts``, or a reason for which pages are left.
        pages: How many, in base pages; negative where they are taken back.
        mapped: Whether the process still has those that were left behind in its page table.
    """

    source: int | None
    kind: str | None
    column: str
    pages: int
    mapped: bool = True


class Ledger:
    """Sums entries, by source node and kind of mapping.

    Attributes:
        total: All entries together.
    """

    def __init__(self) -> None:
        self.total = Counts()
        self._rows: dict[tuple[int | None, str | None], Counts] = {}

    def enter(self, entries: Iterable[Entry]) -> None:
        """Adds entries."""
        for entry in entries:
            self.total.add(entry.column, entry.pages)
            row = self._rows.setdefault((entry.source, entry.kind), Counts())
            row.add(entry.column, entry.pages)

    def forget_left(self) -> None:
        """Takes back every page that was left behind, as if it had not been asked for."""
        for (source, kind), counts in list(self._rows.items()):
            for reason, pages in list(counts.left.items()):
                self.enter([Entry(source, kind, reason, -pages)])
                self.enter([Entry(source, kind, "asked", -pages)])

    def rows(self) -> Iterable[tuple[tuple[int | None, str | None], Counts]]:
        """Counts by source and kind."""
        return self._rows.items()

    def by_source(self) -> dict[int, Counts]:
        """Counts by the node that pages have to leave, ascending."""
        return dict(sorted(self._sums(0).items()))

    def by_kind(self) -> dict[str, Counts]:
        """Counts by what the mapping is made of."""
        return self._sums(1)

    def _sums(self, part: int) -> dict[Any, Counts]:
        sums: dict[Any, Counts] = {}
        for key, counts in self._rows.items():
            if key[part] is not None:
                sums.setdefault(key[part], Counts()).include(counts)
        return sums
