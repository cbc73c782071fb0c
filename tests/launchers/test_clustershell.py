"""``pymigrate job --hosts``: ClusterShell reaches the hosts, for jobs that the caller may not join.

By OpenSSH, whose daemon runs on each host.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import ssh
from support.slurm import Slurm, child_of, wait_for

from pymigrate import InvalidArgument
from pymigrate.launchers.remote import JobOnHosts
from pymigrate.launchers.wish import Wish

COMMAND = [sys.executable, "-m", "pymigrate", "job"]

pytest.importorskip(
    "ClusterShell", reason="ClusterShell is missing: pip install pymigrate-numa[clustershell]"
)


@pytest.fixture
def folder(cluster: Slurm, tmp_path: Path) -> Path:
    """The configuration of ClusterShell: two groups of hosts, of which it reaches few at once."""
    if not cluster.has_ssh:
        pytest.skip(f"hosts that ssh reaches need {ssh.missing()}")
    (tmp_path / "defaults.conf").write_text("[task.info]\nfanout: 3\n")
    (tmp_path / "groups.conf").write_text(
        f"[Main]\ndefault: local\nautodir: {tmp_path}\n"
        f"[local]\nmap: sed -n 's/^$GROUP: //p' {tmp_path}/groups\n"
    )
    (tmp_path / "groups").write_text("few: h[1-2]\nrack: h[1-4]\n")
    return tmp_path


def within(folder: Path) -> list[str]:
    """What runs a command with that configuration."""
    return ["env", f"CLUSTERSHELL_CFGDIR={folder}"]


def answer(cluster: Slurm, folder: Path, *arguments: str, status: int = 0) -> dict[str, Any]:
    done = cluster.run(*within(folder), *COMMAND, *arguments, "--json", check=False)
    assert done.returncode == status, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def with_ssh(folder: Path, script: str, fanout: int) -> dict[str, str]:
    """An environment in which a script stands in for ssh, and so many are run at once."""
    (folder / "defaults.conf").write_text(f"[task.info]\nfanout: {fanout}\n")
    way = folder / "ssh"
    way.write_text(f"#!/bin/sh\n{script}\n")
    way.chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    return {**os.environ, "CLUSTERSHELL_CFGDIR": str(folder), "PATH": path}


def waiting(folder: Path) -> list[str]:
    """A helper that tells its pid, and waits until it may begin."""
    script = folder / "helper.sh"
    script.write_text(
        f"echo $$ >{folder}/begun.$(hostname)\nuntil [ -e {folder}/go ]; do sleep 0.05; done\n"
        f'exec {sys.executable} -m pymigrate "$@"\n'
    )
    return ["--json", "--command", f"sh {script}", "--hosts", "@few"]


def test_root_reaches_the_job_of_another(cluster: Slurm, folder: Path) -> None:
    with cluster.job(2, 4, "sleep", "1000", user="nobody") as theirs:
        tasks = cluster.tasks(theirs)
        hosts = ",".join({host for host, _, _ in tasks})
        report = answer(cluster, folder, f"slurm:{theirs}", "0", "0", "--hosts", hosts)
        assert [(row["host"], row["pid"], row["rank"]) for row in report["ranks"]] == tasks
        assert report["complete"]


def test_more_hosts_than_at_once(cluster: Slurm, folder: Path, job: str) -> None:
    """Those that wait for their turn (fanout 3) are not silent; where no task is, nothing is."""
    report = answer(cluster, folder, f"slurm:{job}.0", "0", "0", "--hosts", "h[1-8]")
    assert [row["host"] for row in report["hosts"]] == [f"h{n}" for n in range(1, 9)]
    assert report["complete"]
    assert report["processes"] == 8


def test_a_group_of_hosts(cluster: Slurm, folder: Path, job: str) -> None:
    report = answer(cluster, folder, f"slurm:{job}", "--show", "--hosts", "@rack!@few")
    assert [row["host"] for row in report["hosts"]] == ["h3", "h4"]


def test_the_status_of_each_host(cluster: Slurm, folder: Path, job: str) -> None:
    report = answer(cluster, folder, f"slurm:{job}", "0", "0", "--hosts", "h[1,99]", status=2)
    told = {row["host"]: (row["outcome"], row["error"]) for row in report["hosts"]}
    assert told == {"h1": ("done", ""), "h99": ("failed", "NotReached")}
    finding = report["hosts"][1]["finding"]
    assert finding.startswith("exit status 255: ssh: Could not resolve hostname h99")


def test_an_array_and_components_by_their_ids(cluster: Slurm, folder: Path) -> None:
    """By other ids than people have for them, as slurmd knows those alone."""
    submit = ("sbatch", "--array=1-2", "--ntasks=1", "--output=/dev/null", "--wrap")
    with cluster.running(*submit, "srun sleep 1000", jobs=2) as numbers:
        wait_for(lambda: all(cluster.tasks(number) for number in numbers))
        query = ("squeue", "--noheader", f"--jobs={','.join(numbers)}", "--format=%i %A %N")
        listed = [line.split() for line in cluster.run(*query).stdout.splitlines()]
        for identity, number, host in listed:
            report = answer(cluster, folder, f"slurm:{identity}.0", "0", "0", "--hosts", host)
            assert {row["step"] for row in report["ranks"]} == {f"{number}.0"}
        error = answer(
            cluster, folder, f"slurm:{listed[0][0][:-2]}", "0", "0", "--hosts", "@few", status=2
        )["error"]
        assert (error["type"], error["reason"]) == ("NoSuchJob", "several")
    one = ("--nodes=1", "--ntasks=1", "sleep", "1000")
    with cluster.running("srun", *one, ":", *one, jobs=2) as numbers:
        wait_for(lambda: all(cluster.tasks(number) for number in numbers))
        report = answer(cluster, folder, f"slurm:{numbers[0]}+1", "0", "0", "--hosts", "h[1-16]")
        assert {row["step"] for row in report["ranks"]} == {f"{numbers[1]}.0"}
        report = answer(cluster, folder, f"slurm:{numbers[0]}", "0", "0", "--hosts", "h[1-16]")
        assert {row["step"] for row in report["ranks"]} == {f"{number}.0" for number in numbers}


def test_no_slurm_where_the_command_runs(cluster: Slurm, folder: Path) -> None:
    words = [*within(folder), "PATH=/nowhere", *COMMAND, "slurm:9_3", "0", "0", "--hosts", "h1"]
    done = cluster.run(*words, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("pymigrate: there is no squeue on PATH; run this where")
    assert done.stderr.count("\n") == 1


def test_a_suspended_job(cluster: Slurm, folder: Path) -> None:
    """It takes no step; its memory moves all the same."""
    with cluster.job(1, 1, "sleep", "1000") as stopped:
        cluster.run("scontrol", "suspend", stopped)
        (task,) = cluster.tasks(stopped)
        report = answer(cluster, folder, f"slurm:{stopped}", "0", "0", "--hosts", task[0])
        cluster.run("scontrol", "resume", stopped)
    assert (report["complete"], report["processes"]) == (True, 1)


def test_a_cgroup_that_a_host_lacks(cluster: Slurm, folder: Path) -> None:
    report = answer(cluster, folder, "cgroup:nobody/here", "home", "--hosts", "@few", status=2)
    assert {row["error"] for row in report["hosts"]} == {"InvalidArgument"}
    assert "is no cgroup" in report["hosts"][0]["finding"]


def test_a_job_of_which_no_host_has_a_process(cluster: Slurm, folder: Path) -> None:
    error = answer(cluster, folder, "slurm:99999", "0", "0", "--hosts", "@few", status=2)["error"]
    assert (error["type"], error["reason"]) == ("NoSuchJob", "unknown")


def test_a_job_that_is_on_other_hosts(cluster: Slurm, folder: Path, job: str) -> None:
    """Slurm tells on which, and which steps there are."""
    nodes = cluster.run("squeue", "-h", f"--jobs={job}", "--format=%N").stdout.strip()
    others = [
        host for host in cluster.hosts if host not in {host for host, _, _ in cluster.tasks(job)}
    ]
    call = ("0", "0", "--hosts", others[0])
    error = answer(cluster, folder, f"slurm:{job}", *call, status=2)["error"]
    assert (error["type"], error["reason"]) == ("NoSuchJob", "unknown")
    assert "was found on these hosts; " in error["message"]
    assert error["message"].endswith(f"; it is on {nodes}")
    error = answer(cluster, folder, f"slurm:{job}.7", *call, status=2)["error"]
    assert f"has no step 7 that runs; it has {job}.0" in error["message"]


def test_hosts_of_the_job_that_are_not_named(cluster: Slurm, folder: Path, job: str) -> None:
    """That may be meant, and is told beside the report."""
    words = [*within(folder), *COMMAND, f"slurm:{job}", "0", "0", "--hosts"]
    first, *others = sorted({host for host, _, _ in cluster.tasks(job)})
    folded = cluster.run("scontrol", "show", "hostlist", ",".join(others)).stdout.strip()
    (told,) = cluster.run(*words, first).stderr.splitlines()
    assert told == f"pymigrate: slurm:{job} has more hosts than --hosts names: {folded}"
    assert not cluster.run(*words, "h[1-16]").stderr


def test_a_silent_host_is_a_row(cluster: Slurm, folder: Path, job: str) -> None:
    script = folder / "helper.sh"
    script.write_text(
        f'[ "$(hostname)" = h2 ] && exec sleep 1000\nexec {sys.executable} -m pymigrate "$@"\n'
    )
    more = ["--timeout", "6s", "--command", f"sh {script}", "--hosts", "@few"]
    report = answer(cluster, folder, f"slurm:{job}", "0", "0", *more, status=2)
    assert [row["outcome"] for row in report["hosts"]] == ["done", "silent"]


def test_a_frozen_host_is_a_row(cluster: Slurm, folder: Path, job: str) -> None:
    """Its ssh daemon does not answer, and ssh would wait for it."""
    cluster.run("pkill", "-STOP", "sshd", host="h2")
    try:
        more = ["--timeout", "6s", "--hosts", "@few"]
        report = answer(cluster, folder, f"slurm:{job}", "0", "0", *more, status=2)
    finally:
        cluster.run("pkill", "-CONT", "sshd", host="h2")
    told = [(row["outcome"], row["finding"]) for row in report["hosts"]]
    assert told == [("done", ""), ("silent", "no answer within 6 s")]
    assert cluster.run("pgrep", "-x", "ssh", check=False).returncode == 1  # none


def test_a_cancel_reaches_every_host(cluster: Slurm, folder: Path, job: str) -> None:
    more = waiting(folder)
    with cluster.start(*within(folder), *COMMAND, f"slurm:{job}", "0", "0", *more) as command:
        wait_for(lambda: len(list(folder.glob("begun.*"))) == 2)
        os.kill(child_of(command.pid), 15)
        (folder / "go").touch()
        report = json.loads(command.communicate(timeout=60)[0])
    assert command.returncode == 130
    assert [row["outcome"] for row in report["hosts"]] == ["cancelled"] * 2
    assert report["processes"] == 4


def test_a_cancel_from_the_terminal(cluster: Slurm, folder: Path, job: str) -> None:
    """It interrupts all of the process group, and the ways to the hosts are none of it."""
    call = ["setsid", *within(folder), *COMMAND, f"slurm:{job}", "0", "0", *waiting(folder)]
    with cluster.start(*call) as command:
        wait_for(lambda: len(list(folder.glob("begun.*"))) == 2)
        os.killpg(child_of(command.pid), 2)
        (folder / "go").touch()
        report = json.loads(command.communicate(timeout=60)[0])
    assert command.returncode == 130
    told = [(row["outcome"], row["finding"]) for row in report["hosts"]]
    assert told == [("cancelled", "")] * 2  # they have answered
    assert report["processes"] == 4


def test_no_helper_outlives_its_launcher(cluster: Slurm, folder: Path, job: str) -> None:
    """Not even where that is killed on the spot."""
    call = [*within(folder), *COMMAND, f"slurm:{job}", "0", "0", *waiting(folder)]
    with cluster.start(*call) as command:
        wait_for(lambda: len(list(folder.glob("begun.*"))) == 2)
        os.kill(child_of(command.pid), 9)
        (folder / "go").touch()
        command.wait(60)
    wait_for(lambda: not any(lives(cluster, helper) for helper in folder.glob("begun.*")))


def lives(cluster: Slurm, helper: Path) -> bool:
    """Whether the one that has told its pid in this file is there still."""
    process = f"/proc/{helper.read_text().strip()}"
    return not cluster.run("test", "-e", process, host=helper.suffix[1:], check=False).returncode


def test_a_cancel_gives_no_advice(cluster: Slurm, folder: Path, job: str) -> None:
    """Helpers that Ctrl-C has ended before they could answer are no sign of a missing one."""
    script = folder / "helper.sh"
    script.write_text(f"touch {folder}/begun.$(hostname)\ncat >/dev/null\nexit 1\n")
    more = ["--json", "--command", f"sh {script}", "--hosts", "@few"]
    with cluster.start(*within(folder), *COMMAND, f"slurm:{job}", "0", "0", *more) as command:
        wait_for(lambda: len(list(folder.glob("begun.*"))) == 2)
        os.kill(child_of(command.pid), 2)
        report = json.loads(command.communicate(timeout=60)[0])
    told = {(row["outcome"], row["finding"]) for row in report["hosts"]}
    stopped = "stopped before it answered: what has been done there is not known"
    assert told == {("cancelled", stopped)}


def test_a_cancel_begins_with_no_other_host(tmp_path: Path) -> None:
    """Those whose turn has not come are told as such, and nothing is started for them."""
    begun = tmp_path / "begun"
    with subprocess.Popen(
        [*COMMAND, "cgroup:nobody/here", "--show", "--hosts", "h[1-100]", "--json"],
        env=with_ssh(tmp_path, f"echo >>{begun}; exec cat >/dev/null", fanout=3),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    ) as command:
        wait_for(lambda: begun.exists() and begun.stat().st_size == 3)
        command.terminate()
        report = json.loads(command.communicate(timeout=60)[0])
    assert command.returncode == 130
    assert begun.stat().st_size == 3
    assert {row["outcome"] for row in report["hosts"]} == {"cancelled"}
    assert [row["finding"] for row in report["hosts"]].count("not begun with") == 97


def test_silent_hosts_leave_their_turn_to_others(tmp_path: Path) -> None:
    """Also where as many are silent as are worked on at once."""
    done = subprocess.run(
        [*COMMAND, "cgroup:nobody/here", "--show", "--hosts", "h[1-5]", "--json", "--timeout=1s"],
        env=with_ssh(tmp_path, "echo it waits for a license >&2; exec sleep 1000", fanout=2),
        cwd=tmp_path,
        check=False,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 2
    rows = json.loads(done.stdout)["hosts"]
    assert [(row["host"], row["outcome"]) for row in rows] == [
        (f"h{number}", "silent") for number in range(1, 6)
    ]
    assert {row["finding"] for row in rows} == {"no answer within 1 s: it waits for a license"}


def test_a_way_to_the_hosts_that_passes_no_input_on(tmp_path: Path) -> None:
    """No helper could be stopped by it, so none is started."""
    (tmp_path / "defaults.conf").write_text("[task.default]\ndistant_workername: pdsh\n")
    done = subprocess.run(
        [*COMMAND, "cgroup:nobody/here", "home", "--hosts", "h[1-2]"],
        env={**os.environ, "CLUSTERSHELL_CFGDIR": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == (
        "pymigrate: ClusterShell reaches hosts by pdsh here, which passes no input on, so no "
        "helper could be stopped; write distant_workername: ssh into [task.default] of its "
        "defaults.conf\n"
    )


@pytest.mark.parametrize("hosts", ["h[1-", "@nobody", "h1!h1", ""])
def test_what_is_no_set_of_hosts(cluster: Slurm, folder: Path, hosts: str) -> None:
    done = answer(cluster, folder, "slurm:1", "0", "0", "--hosts", hosts, status=2)
    assert done["error"]["type"] == "InvalidArgument"


@pytest.mark.parametrize("hosts", ["h1 h2", "h[1-2] h3", "h1\th2"])
def test_hosts_that_are_separated_by_blanks(hosts: str) -> None:
    """For ClusterShell they are one host, with a blank in its name."""
    operation = JobOnHosts("cgroup:nobody/here", Wish("show"), hosts=hosts)
    with pytest.raises(InvalidArgument, match=r"separate hosts by commas$"):
        operation.run()


@pytest.mark.parametrize(
    ("named", "places", "others"),
    [
        ("h[1-2]", "h[1-4]", "h[3-4]"),
        ("h1.example.org,h2", "h[1-2]", ""),
        ("10.0.0.[1-2]", "h[1-2]", ""),
        ("10.0.0.1", "10.0.0.[1-2]", "10.0.0.2"),
    ],
)
def test_hosts_besides(named: str, places: str, others: str) -> None:
    from pymigrate.launchers.clustershell import besides, node_set

    assert besides(node_set(named), places) == others


def test_a_start_that_is_interrupted_leaves_nobody_in_the_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another operation in the same thread has the same task of ClusterShell."""
    from ClusterShell.Task import Task, task_self

    shell = Task.shell

    def interrupted(self: Task, words: str, **options: Any) -> Any:
        if options["nodes"] == "h3":
            raise KeyboardInterrupt
        return shell(self, words, **options)

    environment = with_ssh(tmp_path, f"echo >>{tmp_path}/begun", fanout=3)
    monkeypatch.setenv("PATH", environment["PATH"])
    monkeypatch.setattr(Task, "shell", interrupted)
    with pytest.raises(KeyboardInterrupt):
        JobOnHosts("cgroup:nobody/here", Wish("show"), hosts="h[1-3]").run()
    task_self().resume()
    assert not (tmp_path / "begun").exists()


def test_blanks_beside_commas() -> None:
    from pymigrate.launchers.clustershell import node_set

    assert node_set(" h1, h2 ,h[4-5] ") == ["h1", "h2", "h4", "h5"]
