"""The arithmetic of ``sample_residency()``: what to draw, and what the draws say. Pure.

All mappings are laid end to end and cut into strata of equal size, and two pages are drawn from
each. Neighbours mostly lie on the same node, so most strata are of one mind, and only those where
it changes add to the error. Each page has the same chance, whatever mapping it is in; one that is
not in memory is drawn like any other and counts for no node, so it biases nothing.

For a stratum of m pages and a node, the two independent draws y1 and y2 are 1 or 0. The estimate is
the sum of m (y1 + y2) / 2. The variance of one draw is estimated without bias by (y1 - y2)**2 / 2,
that of the mean of two by half of it, so that of the estimate by the sum of m**2 (y1 - y2)**2 / 4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pymigrate.units import PAGE_SIZE, format_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from random import Random
    from typing import Any

__all__ = ["HIDDEN", "NO_NODE", "Estimate", "ResidencyEstimate", "draw", "estimate"]

# Where a page is that is on no node that the kernel tells.
NO_NODE = -1
HIDDEN = -2

_NORMAL_95 = 1.96  # standard errors that hold 95 % of a normal distribution
_RULE_OF_THREE = 3  # what was not seen once in n draws is below 3/n, at 95 %


@dataclass(frozen=True)
class Estimate:
    """A number of base pages that was estimated.

    Attributes:
        pages: The estimate; on average it is right.
        error: Its standard error.
        bound: With 95 % confidence the truth is no farther away than this.
    """

    pages: int
    error: float
    bound: float


@dataclass(frozen=True)
class ResidencyEstimate:
    """What a sample says of the pages of a process.

    Attributes:
        nodes: Pages by node, for each that has memory: one that was not met can have some too.
        hidden: Pages in memory whose node the kernel would not tell: before Linux 6.6, where NUMA
            balancing has marked them.
        samples: Pages that were looked at.
        population: Pages of address space that they were drawn from.
    """

    nodes: dict[int, Estimate]
    hidden: Estimate
    samples: int
    population: int

    def to_dict(self) -> dict[str, Any]:
        """What ``json.dumps`` takes."""
        return {
            "page_size": PAGE_SIZE,
            "nodes": {str(node): vars(found) for node, found in self.nodes.items()},
            "hidden": vars(self.hidden),
            "samples": self.samples,
            "population": self.population,
        }

    def __str__(self) -> str:
        """One line: ``node 0: 1.5 GiB +- 20.0 MiB``."""
        return ", ".join(
            f"node {node}: {format_bytes(found.pages * PAGE_SIZE)}"
            f" +- {format_bytes(int(found.bound * PAGE_SIZE))}"
            for node, found in self.nodes.items()
        )


@dataclass(frozen=True)
class Stratum:
    """Pages that are one after the other, by their position among all."""

    first: int
    size: int


def draw(population: int, samples: int, generator: Random) -> tuple[list[Stratum], list[int]]:
    """Strata and, in ascending order, two positions in each; all of them if they are that few."""
    if population <= samples:
        return [Stratum(page, 1) for page in range(population)], list(range(population))
    count = samples // 2
    bounds = [population * i // count for i in range(count + 1)]
    strata = [Stratum(a, b - a) for a, b in zip(bounds, bounds[1:])]
    positions: list[int] = []
    for s in strata:
        positions += sorted(s.first + generator.randrange(s.size) for _ in range(2))
    return strata, positions


def estimate(
    strata: Sequence[Stratum], found: Sequence[int], nodes: Iterable[int]
) -> ResidencyEstimate:
    """What the nodes of the drawn pages, in their order, say of all pages on ``nodes``."""
    population = sum(s.size for s in strata)
    whole = len(found) == population
    floor = 0.0 if whole else _RULE_OF_THREE * population / len(found)

    def of(node: int) -> Estimate:
        draws = [where == node for where in found]
        if whole:
            return Estimate(sum(draws), 0.0, 0.0)
        pairs = list(zip(strata, draws[::2], draws[1::2]))
        pages = sum(s.size * (y1 + y2) for s, y1, y2 in pairs) / 2
        error = math.sqrt(sum(s.size**2 for s, y1, y2 in pairs if y1 != y2)) / 2
        return Estimate(round(pages), error, max(_NORMAL_95 * error, floor))

    return ResidencyEstimate(
        nodes={node: of(node) for node in nodes},
        hidden=of(HIDDEN),
        samples=len(found),
        population=population,
    )
