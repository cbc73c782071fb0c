"""The arithmetic of sampling: no bias, and an error that says how far off it is."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymigrate.kernel.estimate import HIDDEN, NO_NODE, ResidencyEstimate, draw, estimate
from pymigrate.units import PAGE_SIZE


@given(st.integers(1, 10**9), st.integers(2, 600), st.integers())
def test_draws(population: int, samples: int, seed: int) -> None:
    strata, positions = draw(population, samples, random.Random(seed))
    assert sum(s.size for s in strata) == population
    assert positions == sorted(positions)
    if population <= samples:
        assert positions == list(range(population))
        return
    assert len(positions) == len(strata) * 2 == samples // 2 * 2
    first = 0
    for stratum, pair in zip(strata, zip(positions[::2], positions[1::2])):
        assert stratum.first == first
        assert all(first <= position < first + stratum.size for position in pair)
        first += stratum.size


def sampled(layout: list[int], samples: int, seed: int) -> ResidencyEstimate:
    """An estimate for pages whose nodes are known."""
    strata, positions = draw(len(layout), samples, random.Random(seed))
    return estimate(strata, [layout[position] for position in positions], range(4))


LAYOUTS = {
    "runs": [node for node in (0, 1, NO_NODE, 1, 3) for _ in range(2111)],
    "interleaved": [(0, 1, 2)[i % 3] for i in range(10_000)],
    "mostly absent": [0 if i % 17 == 0 else NO_NODE for i in range(10_000)],
    "one node": [2] * 10_000,
    "at random": random.Random(1).choices([0, 1, NO_NODE, HIDDEN], [5, 3, 1, 1], k=10_000),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_no_bias_and_true_bounds(layout: list[int]) -> None:
    runs = [sampled(layout, 400, seed) for seed in range(400)]
    for node in set(layout) - {NO_NODE}:
        truth = layout.count(node)
        found = [run.hidden if node == HIDDEN else run.nodes[node] for run in runs]
        estimates = [each.pages for each in found]
        spread = max(1.0, sum(each.error**2 for each in found) / len(runs)) ** 0.5
        mean = sum(estimates) / len(runs)
        # The mean of 400 runs varies by a twentieth of the standard error.
        assert abs(mean - truth) <= 4 * spread / 20 + 1
        # The error is the spread that the estimates really have.
        real = (sum((one - truth) ** 2 for one in estimates) / len(runs)) ** 0.5
        assert real == pytest.approx(spread, rel=0.2, abs=5)
        within = sum(abs(each.pages - truth) <= each.bound for each in found)
        assert within >= 0.917 * len(runs)  # 95 %, less three standard errors of 400 runs


def test_everything_is_looked_at_where_it_is_little() -> None:
    found = sampled([0, 0, NO_NODE, 1, HIDDEN], 16, seed=0)
    assert [e.pages for e in found.nodes.values()] == [2, 1, 0, 0]
    assert all(e.error == e.bound == 0 for e in found.nodes.values())
    assert (found.hidden.pages, found.samples, found.population) == (1, 5, 5)


def test_what_was_not_met_is_not_certain_to_be_absent() -> None:
    found = sampled([2] * 100_000, 1000, seed=0)
    assert (found.nodes[2].pages, found.nodes[2].error) == (100_000, 0)
    assert found.nodes[2].bound == 300  # at 95 %: 3 of 1,000
    assert (found.nodes[3].pages, found.nodes[3].bound) == (0, 300)


def test_no_memory_at_all() -> None:
    found = estimate([], [], [])
    assert not found.nodes
    assert found.population == 0
    assert str(found) == ""


def test_texts() -> None:
    strata, _ = draw(3, 8, random.Random(0))
    found = estimate(strata, [0, 1, 1], [0, 1])
    size = PAGE_SIZE // 1024
    assert str(found) == f"node 0: {size}.0 KiB +- 0 B, node 1: {2 * size}.0 KiB +- 0 B"
    assert json.loads(json.dumps(found.to_dict()))["nodes"]["1"]["pages"] == 2
