"""Zones: which page frames are on which node, by the kernel's own text."""

from __future__ import annotations

import pytest

from pymigrate.kernel.zones import Zone, parse_zones, zones

ZONE = """\
Node {node}, zone   Normal
  per-node stats
      nr_inactive_anon 0
  pages free     3840
        min      18
        spanned  {spanned}
        present  3998
        protection: (0, 0)
      nr_free_pages 3840
  pagesets
    cpu: 0
              count:    1
  node_unreclaimable:  0
  start_pfn:           {start}
"""
WITHOUT_MEMORY = """\
Node {node}, zone  Movable
  pages free     0
        min      32
        spanned  0
        present  0
        protection: (0, 0)
"""


def text(*found: tuple[int, int, int]) -> str:
    return "".join(
        ZONE.format(node=node, start=start, spanned=end - start) + WITHOUT_MEMORY.format(node=node)
        for start, end, node in found
    )


def test_zones_ascend_and_those_without_memory_are_none() -> None:
    assert parse_zones(text((4096, 8192, 1), (1, 4096, 0))) == ((1, 4096, 0), (4096, 8192, 1))
    assert parse_zones(WITHOUT_MEMORY.format(node=0)) == ()


@pytest.mark.parametrize("inner", [(100, 200), (0, 1), (999, 2000)])
def test_where_nodes_overlap_nothing_is_told(inner: tuple[int, int]) -> None:
    assert parse_zones(text((0, 1000, 0), (*inner, 1))) == ()
    assert parse_zones(text((0, 1000, 0), (10, 20, 0), (*inner, 1))) == ()
    assert parse_zones(text((0, 1000, 0), (*inner, 0))) != ()


def test_this_machine_has_zones_or_says_nothing() -> None:
    assert all(type(zone) is Zone and zone.start < zone.end for zone in zones())
