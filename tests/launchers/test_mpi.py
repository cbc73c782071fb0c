"""``migrate_job()`` under mpirun of MPICH and Open MPI, for real; on one node nothing can move."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from support import requires
from support.mpi import ENGINES, MPICH, OPEN_MPI, Engine, rank_program, run

from pymigrate import ClusterReport, InvalidType

pytest.importorskip("mpi4py", reason="mpi4py is missing: pip install pymigrate-numa[mpi]")

HERE = socket.gethostname().partition(".")[0]


def need(engine: Engine) -> None:
    if not engine.folder.exists():
        pytest.skip(f"{engine.name} is not in {engine.folder}: `make test` installs it there")


@pytest.fixture(scope="module", params=ENGINES, ids=lambda engine: engine.name)
def engine(request: pytest.FixtureRequest) -> Engine:
    need(request.param)
    chosen: Engine = request.param
    return chosen


@pytest.fixture(scope="module")
def answers(engine: Engine) -> list[dict[str, Any]]:
    """What four ranks have answered to one scenario after the other."""
    scenarios = ["everywhere", "at_root", "refused", "failing_host", "halves"]
    found = engine.run(4, scenarios)
    assert [answer["rank"] for answer in found] == [0, 1, 2, 3]
    return found


def report_of(answer: Any) -> ClusterReport:
    return ClusterReport.from_dict(answer["report"])


def test_every_rank_gets_the_report_of_all(answers: list[dict[str, Any]]) -> None:
    report, *others = [report_of(answer["everywhere"]) for answer in answers]
    assert others == [report] * 3
    assert report.complete
    assert report.action == "migrate"
    assert [(row.rank, row.pid) for row in report.ranks] == [
        (answer["rank"], answer["pid"]) for answer in answers
    ]
    assert [row.host for row in report.hosts] == [HERE]
    assert report.total.pages.asked == report.total.pages.already_there > 0
    assert report.total.pages.closes()


def test_the_root_alone_gets_it(answers: list[dict[str, Any]]) -> None:
    *others, root = [answer["at_root"]["report"] for answer in answers]
    assert others == [None] * 3
    assert ClusterReport.from_dict(root).processes == 4


REFUSALS = [
    (["InvalidNodes"] * 4, "'x'"),
    (["InvalidArgument"] * 4, "rate -1"),
    (["InvalidArgument", "InvalidArgument", "InvalidNodes", "InvalidArgument"], "'x'"),
    (["InvalidArgument", "RuntimeError", "InvalidArgument", "InvalidArgument"], "not now"),
    (["InvalidArgument"] * 4, "rank 0 was given '0 0 --workers 2', and rank 1 '0 1 --workers 2'"),
    (["InvalidArgument"] * 4, "root=1"),
    (["InvalidArgument"] * 4, "root 99: give an int from 0 to 3"),
    (["InvalidArgument"] * 4, "name the nodes OLD and NEW"),
    (["InvalidNodes"] * 4, "new is empty"),
]


@pytest.mark.parametrize("case", range(len(REFUSALS)))
def test_what_makes_no_sense_is_refused_on_every_rank(
    answers: list[dict[str, Any]], case: int
) -> None:
    types, words = REFUSALS[case]
    errors = [answer["refused"][case]["error"] for answer in answers]
    assert [error["type"] for error in errors] == types
    assert all(words in error["message"] for error in errors)


def test_ranks_are_told_which_of_them_was_refused(answers: list[dict[str, Any]]) -> None:
    errors = [answer["refused"][2]["error"]["message"] for answer in answers]
    assert [error.startswith("rank 2: InvalidNodes: ") for error in errors] == [
        True,
        True,
        False,
        True,
    ]


def test_after_refusals_all_of_them_meet_again(answers: list[dict[str, Any]]) -> None:
    assert len(answers[0]["refused"]) == len(REFUSALS) + 1
    assert {report_of(answer["refused"][-1]).processes for answer in answers} == {4}


def test_what_fails_on_a_host_is_its_row_on_every_rank(answers: list[dict[str, Any]]) -> None:
    for answer in answers:
        without_device, without_node = map(report_of, answer["failing_host"])
        (host,) = without_device.hosts
        assert (host.outcome, host.error) == ("failed", "UnknownNode")
        assert "'ib7'" in host.finding
        (host,) = without_node.hosts
        assert (host.outcome, host.error) == ("failed", "NodesRefused")
        assert [row.rank for row in without_node.ranks] == [0, 1, 2, 3]
        assert all("node 1023" in row.finding for row in without_node.ranks)


def test_two_communicators_at_the_same_time(answers: list[dict[str, Any]]) -> None:
    found = [[row.pid for row in report_of(answer["halves"]).ranks] for answer in answers]
    pids = [answer["pid"] for answer in answers]
    assert found == [pids[0::2], pids[1::2]] * 2


@pytest.fixture(scope="module")
def two_hosts(engine: Engine) -> list[dict[str, Any]]:
    """The same of two ranks on each of two hosts."""
    separate = ("--host" if engine is OPEN_MPI else "-hosts", "h2:2,h10:2")
    return engine.run(4, ["everywhere", "one_host_fails"], *engine.hosts, *separate)


@requires.root
def test_hosts_are_rows_of_their_own(two_hosts: list[dict[str, Any]]) -> None:
    for answer in two_hosts:
        report = report_of(answer["everywhere"])
        assert [row.host for row in report.hosts] == ["h2", "h10"]
        assert [row.processes for row in report.hosts] == [2, 2]
        assert [(row.host, row.rank, row.pid) for row in report.ranks] == [
            ("h2" if other["rank"] < 2 else "h10", other["rank"], other["pid"])
            for other in two_hosts
        ]


@requires.root
def test_a_host_that_fails_stops_no_other(two_hosts: list[dict[str, Any]]) -> None:
    for answer in two_hosts:
        failed, again = map(report_of, answer["one_host_fails"])
        found = [(row.host, row.outcome) for row in failed.hosts]
        assert found == [("h2", "done"), ("h10", "failed")]
        assert "Too many open files" in failed.hosts[1].finding
        assert [row.rank for row in failed.ranks] == [0, 1]
        assert again.complete


@requires.root
def test_ranks_in_containers_are_not_taken_for_others() -> None:
    need(MPICH)
    inside = ["unshare", "--pid", "--fork", "--mount-proc", *rank_program("everywhere")]
    command = [*MPICH.command(1), *rank_program("everywhere"), ":", "-n", "2", *inside]
    # By shared memory UCX wants to name processes of other namespaces.
    answers = run(command, {**MPICH.environment(), "MPIR_CVAR_CH4_NETMOD": "ofi"})
    for answer in answers:
        report = report_of(answer["everywhere"])
        assert report.complete
        assert [(row.rank, row.pid) for row in report.ranks] == [
            (other["rank"], other["pid"]) for other in answers
        ]


def test_every_rank_that_is_interrupted_has_the_report_all_the_same() -> None:
    """By MPICH, whose mpiexec passes Ctrl-C on; that of Open MPI ends its ranks."""
    need(MPICH)
    answers = MPICH.run(2, ["all_interrupted", "everywhere"])
    reports = [report_of(answer["all_interrupted"]) for answer in answers]
    assert reports[0] == reports[1]
    assert [row.outcome for row in reports[0].hosts] == ["cancelled"]
    assert [row.pid for row in reports[0].ranks] == [answer["pid"] for answer in answers]
    assert report_of(answers[0]["everywhere"]).complete


def test_a_launcher_of_another_mpi_is_recognised() -> None:
    need(MPICH)
    need(OPEN_MPI)
    command = [*MPICH.command(2), *rank_program("alone")]
    for answer in run(command, OPEN_MPI.environment()):
        world, myself = answer["alone"]
        assert world["error"]["type"] == "WorldOfOne"
        assert world["error"]["reason"] == "world-of-one"
        assert "PMI_SIZE=2" in world["error"]["message"]
        assert "Open MPI" in world["error"]["message"]
        assert "--mpi=pmi2" in world["error"]["message"]
        assert report_of(myself).processes == 1


def test_what_is_no_communicator_is_refused() -> None:
    from pymigrate.launchers.mpi import migrate_job

    with pytest.raises(InvalidType, match="such as MPI"):
        migrate_job("world", 0, 0)  # type: ignore[arg-type]
