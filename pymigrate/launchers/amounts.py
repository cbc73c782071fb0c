"""Memory of hosts whose pages differ in size: counted in pages and in bytes."""

from __future__ import annotations

from dataclasses import dataclass, field

from pymigrate.operations.ledger import Counts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["Amounts"]


@dataclass(frozen=True)
class Amounts:
    """What became of memory, in pages and in bytes. Adding is associative; ``Amounts()`` is zero.

    Attributes:
        pages: Base pages. Of hosts with unlike pages the sum is a number of pages all the same.
        bytes: The same memory in bytes.
    """

    pages: Counts = field(default_factory=Counts)
    bytes: Counts = field(default_factory=Counts)

    @classmethod
    def of(cls, pages: Counts, page_size: int) -> Amounts:
        """Pages of one size in bytes."""
        sizes = Counts(
            asked=pages.asked * page_size,
            moved=pages.moved * page_size,
            already_there=pages.already_there * page_size,
            vanished=pages.vanished * page_size,
            left={reason: count * page_size for reason, count in pages.left.items()},
        )
        return cls(pages, sizes)

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(_sum(self.pages, other.pages), _sum(self.bytes, other.bytes))

    def to_dict(self) -> dict[str, Any]:
        """What ``json.dumps`` takes."""
        return {"pages": self.pages.to_dict(), "bytes": self.bytes.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Amounts:
        """What ``to_dict()`` made."""
        return cls(Counts.from_dict(values["pages"]), Counts.from_dict(values["bytes"]))


def _sum(one: Counts, other: Counts) -> Counts:
    total = Counts()
    total.include(one)
    total.include(other)
    # In an order that does not tell which was added first.
    total.left = dict(sorted(total.left.items()))
    return total
