"""What has to hold for the report of every migration, whatever happened meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterable

from pymigrate.nodemask import NodeMask
from pymigrate.operations.ledger import Counts
from pymigrate.operations.report import Report


def check_sums(report: Report) -> None:
    """Every page that was asked for is in one column, as a whole, by source and by kind."""
    assert report.total.closes()
    for rows in (report.by_source, report.by_kind):
        assert all(counts.closes() for counts in rows.values())
        assert _without_hidden(_sum(rows.values())) == _without_hidden(report.total)
    assert json.loads(report.to_json()) == report.to_dict()
    assert str(report).count("\n") >= 3


def check_idle(report: Report) -> None:
    """The same; and as the process did nothing meanwhile, residency tells it to the page."""
    check_sums(report)
    assert report.outcome == "done"
    assert report.before is not None
    assert report.after is not None
    assert report.appeared == 0
    sources = NodeMask(report.sources)
    named = sources | NodeMask(report.by_source) | NodeMask(report.moves.values())
    assert report.total.asked == sum(report.before.pages(node) for node in named), report.to_json()
    after = {node: report.before.pages(node) for node in named}
    for source in sources & NodeMask(report.by_source):
        row = report.by_source[source]
        # Where the kernel splits a huge page, parts that hold zeros only may vanish.
        after[source] -= row.moved + row.vanished
        if source in report.moves:
            after[report.moves[source]] += row.moved
    assert after == {node: report.after.pages(node) for node in named}, report.to_json()


def _sum(rows: Iterable[Counts]) -> Counts:
    total = Counts()
    for counts in rows:
        total.include(counts)
    return total


def _without_hidden(counts: Counts) -> tuple[object, ...]:
    """Of pages that the kernel hides, the node and the kind are not known."""
    left = {reason: pages for reason, pages in counts.left.items() if reason != "hidden"}
    asked = counts.asked - counts.left.get("hidden", 0)
    return asked, counts.moved, counts.already_there, counts.vanished, left
