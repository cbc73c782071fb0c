"""The report of a job on many hosts: it adds up in any order, and stays small."""

from __future__ import annotations

import json
import random
import resource
from collections.abc import Iterator
from functools import reduce
from operator import add

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.processes import in_child

from pymigrate import ClusterReport, HostRow, InvalidArgument, InvalidType, RankRow
from pymigrate.launchers.amounts import Amounts
from pymigrate.launchers.cluster_report import RANKS_KEPT
from pymigrate.launchers.natural import natural
from pymigrate.launchers.outcomes import DONE, LEFT, STATUSES
from pymigrate.operations.ledger import Counts

few = st.integers(0, 50)
names = st.sampled_from(["h1", "h01", "h2", "h10", "gpu-a3", "gpu-a12"])
reasons = st.dictionaries(st.sampled_from(["shared", "busy", "pinned"]), st.integers(1, 9))
by_node = st.dictionaries(st.integers(0, 7), few, max_size=3)
outcomes = st.sampled_from(sorted(STATUSES))
amounts = st.builds(
    Amounts.of, st.builds(Counts, few, few, few, few, reasons), st.sampled_from([4096, 65536])
)
host_rows = st.builds(
    HostRow,
    host=names,
    outcome=outcomes,
    amounts=amounts,
    appeared=few,
    nodes=by_node,
    processes=few,
    troubled=few,
    elapsed=st.floats(0, 100),
    topology=st.sampled_from(["", "nodes 0-3, 2 CPUs each #1", "nodes 0, 4 CPUs each #2"]),
    error=st.sampled_from(["", "NotPermitted", "NoSuchProcess"]),
    finding=st.sampled_from(["", "no answer", "gone"]),
)
rank_rows = st.builds(
    RankRow,
    host=names,
    pid=few,
    rank=st.one_of(st.none(), few),
    outcome=outcomes,
    moved=few,
    left=reasons,
    nodes=by_node,
    finding=st.sampled_from(["", "pinned memory"]),
    step=st.sampled_from(["", "7.0", "7.10", "7.batch"]),
)
# As reports come about: from those of single hosts.
parts = st.builds(
    ClusterReport,
    action=st.sampled_from(["", "migrate", "show"]),
    hosts=host_rows.map(lambda row: (row,)),
    ranks=st.lists(rank_rows, max_size=4).map(lambda rows: tuple(sorted(rows, key=RankRow.order))),
    elapsed=st.floats(0, 100),
)
reports = st.lists(parts, max_size=4).map(ClusterReport.merged)


@given(reports, reports, reports)
def test_adding_is_associative(a: ClusterReport, b: ClusterReport, c: ClusterReport) -> None:
    assert (a + b) + c == a + (b + c) == ClusterReport.merged([a, b, c])


@given(reports, reports)
def test_the_order_of_hosts_makes_no_difference(a: ClusterReport, b: ClusterReport) -> None:
    assert a + b == b + a
    assert (a + b).to_json() == (b + a).to_json()


@given(reports)
def test_nothing_changes_nothing(a: ClusterReport) -> None:
    assert a + ClusterReport() == ClusterReport() + a == a


@given(reports)
def test_json_there_and_back(a: ClusterReport) -> None:
    assert ClusterReport.from_json(a.to_json()) == a


@given(reports, reports)
def test_sums(a: ClusterReport, b: ClusterReport) -> None:
    both = a + b
    assert both.processes == a.processes + b.processes
    assert both.total.bytes.asked == a.total.bytes.asked + b.total.bytes.asked
    assert both.total.pages.left_behind == a.total.pages.left_behind + b.total.pages.left_behind
    assert both.status == max(a.status, b.status)
    names = [row.host for row in both.hosts]
    assert names == sorted(set(names), key=natural)


@given(st.integers())
@settings(max_examples=10)
def test_what_is_kept_of_many_ranks_depends_on_no_order(seed: int) -> None:
    """The choice of rows is where adding in another order could go wrong."""
    rng = random.Random(seed)
    rows = [
        RankRow(f"h{number % 7}", number, number, DONE if number % 3 else LEFT)
        for number in range(RANKS_KEPT + 500)
    ]
    rng.shuffle(rows)
    cuts = sorted(rng.sample(range(len(rows)), 5))
    pieces = [rows[start:end] for start, end in zip([0, *cuts], [*cuts, len(rows)])]
    whole = ClusterReport.merged([ClusterReport("migrate", ranks=tuple(rows))])
    assert reduce(add, (ClusterReport("migrate", ranks=tuple(piece)) for piece in pieces)) == whole
    assert len(whole.ranks) == RANKS_KEPT
    assert sum(row.in_trouble for row in whole.ranks) == sum(row.in_trouble for row in rows)


def test_hosts_are_in_the_order_of_people() -> None:
    hosts = ["h10", "h2", "h1", "h01", "a", "10", "9x1y2", "9x1y10", ""]
    assert sorted(hosts, key=natural) == [
        "",
        "9x1y2",
        "9x1y10",
        "10",
        "a",
        "h01",
        "h1",
        "h2",
        "h10",
    ]


def test_unlike_pages_in_bytes() -> None:
    small = HostRow("h1", amounts=Amounts.of(Counts(asked=16, moved=16), 4096))
    large = HostRow("h2", amounts=Amounts.of(Counts(asked=1, moved=1), 65536))
    total = ClusterReport("migrate", (small, large)).total
    assert (total.pages.moved, total.bytes.moved) == (17, 2 * 65536)


def test_in_words() -> None:
    report = ClusterReport.merged(
        [
            ClusterReport(
                "migrate",
                (
                    HostRow(
                        "h2",
                        LEFT,
                        Amounts.of(Counts(asked=3, moved=1, left={"busy": 2}), 4096),
                        processes=2,
                        topology="nodes 0-3, 1 CPUs each #aa",
                    ),
                ),
                (RankRow("h2", 17, 3, LEFT, finding="it may not be traced"),),
                elapsed=0.5,
            ),
            ClusterReport(
                "migrate",
                (HostRow("h10", "silent", finding="no answer in 5 s", topology="nodes 0 #bb"),),
            ),
        ]
    )
    assert str(report) == (
        "2 hosts, 2 processes: silent in 0.500 s\n"
        "  asked for      3 pages, 12.0 KiB\n"
        "  moved          1 pages, 4.0 KiB\n"
        "  left behind    2 pages, 8.0 KiB\n"
        "    busy: 2 pages, 8.0 KiB\n"
        "  h2: left\n"
        "  h10: silent: no answer in 5 s\n"
        "  h2, rank 3, pid 17: it may not be traced\n"
        "  unlike topologies: a node number means another node here and there\n"
        "    nodes 0-3, 1 CPUs each #aa: h2\n"
        "    nodes 0 #bb: h10\n"
        "  1 processes have no row of their own here"
    )


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", '{"format": 1}', '{"format": 2, "hosts": []}', "{"]
)
def test_what_is_no_report(text: str) -> None:
    with pytest.raises(InvalidArgument):
        ClusterReport.from_json(text)


def test_another_release_says_what_helps() -> None:
    with pytest.raises(InvalidArgument, match="the same release of pymigrate on all hosts"):
        ClusterReport.from_dict({"format": 99})


HOSTS, RANKS_EACH, ROWS_EACH = 10_000, 64, 8
LARGEST_SUM = 96 << 20  # bytes, some 9 KiB for each host


def answers() -> Iterator[str]:
    """What the hosts answer, as it comes in: one process of each is in trouble."""
    for number in range(HOSTS):
        host = f"node{number:05}"
        ranks = tuple(
            RankRow(
                host,
                1000 + local,
                number * RANKS_EACH + local,
                LEFT if local == 0 else DONE,
                moved=1 << 30,
                left={"shared": 4096} if local == 0 else {},
                nodes={local % 8: 1 << 30},
                finding="pages were left behind" if local == 0 else "",
            )
            for local in range(ROWS_EACH)
        )
        pages = Counts(asked=5000, moved=4999, left={"shared": 1})
        row = HostRow(
            host,
            LEFT,
            Amounts.of(pages, 4096),
            nodes=dict.fromkeys(range(8), 1 << 36),
            processes=RANKS_EACH,
            troubled=1,
            topology="nodes 0-7, 16 CPUs each #0123abcd",
        )
        yield ClusterReport("migrate", (row,), ranks).to_json()


def peak_memory() -> int:
    """Bytes that this process has had in memory at the most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def gather() -> tuple[ClusterReport, int]:
    """The sum of all answers, and how much memory it took to get it."""
    before = peak_memory()
    report = ClusterReport.merged(map(ClusterReport.from_json, answers()))
    return report, peak_memory() - before


def test_ten_thousand_hosts_in_bounded_memory() -> None:
    """What is held is the sum: it grows by a row for each host, and not with the processes."""
    report, taken = in_child(gather)
    assert taken < LARGEST_SUM
    assert len(report.hosts) == HOSTS
    assert report.hosts[-1].host == "node09999"
    assert report.processes == HOSTS * RANKS_EACH
    assert report.total.pages.moved == HOSTS * 4999
    assert report.total.bytes.left == {"shared": HOSTS * 4096}
    assert len(report.ranks) == RANKS_KEPT
    assert report.ranks_omitted == HOSTS * RANKS_EACH - RANKS_KEPT
    assert all(row.in_trouble for row in report.ranks)
    assert json.loads(report.to_json())["exit_status"] == 1
    assert len(str(report).splitlines()) < 50


def test_each_host_has_an_exit_status() -> None:
    rows = [HostRow(f"h{n}", outcome) for n, outcome in enumerate(STATUSES)]
    report = ClusterReport(hosts=tuple(rows))
    told = report.to_dict()["hosts"]
    assert [row["exit_status"] for row in told] == list(STATUSES.values())
    assert ClusterReport.from_dict(report.to_dict()) == report


def test_what_is_no_report_is_not_added() -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        ClusterReport() + 1  # type: ignore[operator]
    with pytest.raises(InvalidType, match="3 is no ClusterReport"):
        ClusterReport.merged([ClusterReport(), 3])  # type: ignore[list-item]
