"""Slurm on hosts of its own: a network, mount, UTS and pid namespace for each, all on this machine.

They are gone with their first process, and so is all that runs there: nothing is left behind, not
even where the tests are killed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Callable

from support import ssh

SCRIPTS = Path(__file__).parent
PROGRAMS = ("slurmctld", "slurmd", "srun", "munged", "ip", "nsenter", "unshare", "setpriv")
PATIENCE = 60  # seconds for anything here, on a busy machine

CONFIGURATION = """\
ClusterName=test
SlurmctldHost=control
SlurmUser=root
AuthType=auth/munge
StateSaveLocation=/run/slurm/state
SlurmdSpoolDir=/run/slurm/%n
SlurmctldPidFile=/run/slurm/slurmctld.pid
SlurmdPidFile=/run/slurm/%n.pid
SlurmctldLogFile=/run/slurm/slurmctld.log
SlurmdLogFile=/run/slurm/%n.log
ProctrackType=proctrack/{tracking}
TaskPlugin={tasks}
SwitchType=switch/none
MailProg=/bin/true
PrologFlags=Contain
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=10
GresTypes=fake
SchedulerParameters=sched_min_interval=0,bf_interval=1
SlurmdParameters=config_overrides
KillWait=2
NodeName={hosts} CPUs={cpus} RealMemory=1000 Gres=fake:2 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES State=UP
"""

CGROUPS = """\
CgroupPlugin=cgroup/v2
IgnoreSystemd=yes
ConstrainCores=yes
"""


def missing() -> str:
    """What this machine lacks for it, in words; empty if nothing."""
    programs = [name for name in PROGRAMS if not shutil.which(name)]
    if programs:
        return f"{', '.join(programs)}: scripts/bootstrap launchers installs them"
    return "" if os.geteuid() == 0 else "root, to make hosts of namespaces"


class Slurm:
    """A cluster that runs; commands run on its control host, or on one of ``hosts``.

    Attributes:
        hosts: Their names.
        pid: The first process of the control host; 0 where that is this machine itself.
        has_ssh: Whether ssh reaches the hosts.
    """

    def __init__(self, hosts: Sequence[str], pid: int, has_ssh: bool = False) -> None:
        self.hosts = hosts
        self.pid = pid
        self.has_ssh = has_ssh

    def command(self, *argv: str, host: str = "", user: str = "") -> list[str]:
        """What runs a command there, from here."""
        pid = f"/proc/{self.pid}/root/run/slurm/{host}/pid"
        enter = ["nsenter", "--all", f"--target={self.pid}", "--wd=/"] if self.pid else []
        if host:
            enter += ["nsenter", "--all", f"--target={Path(pid).read_text().strip()}", "--wd=/"]
        if user:
            enter += ["setpriv", f"--reuid={user}", "--regid=nogroup", "--clear-groups"]
        return [*enter, *argv]

    def run(
        self, *argv: str, host: str = "", user: str = "", check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command there to its end."""
        done = subprocess.run(
            self.command(*argv, host=host, user=user),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(
                f"{argv} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return done

    def start(self, *argv: str, **options: Any) -> subprocess.Popen[str]:
        """Starts a command there."""
        streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}
        return subprocess.Popen(self.command(*argv), text=True, **{**streams, **options})

    @contextmanager
    def job(self, hosts: int, tasks: int, *program: str, user: str = "") -> Iterator[str]:
        """A job of one step with tasks that run; its id. It is cancelled with the block."""
        counts = (f"--nodes={hosts}", f"--ntasks={tasks}", f"--ntasks-per-node={tasks // hosts}")
        with self.running("srun", *counts, *program, user=user) as (identity,):
            wait_for(lambda: len(self.tasks(identity)) >= tasks)
            yield identity

    @contextmanager
    def running(self, *command: str, jobs: int = 1, user: str = "") -> Iterator[list[str]]:
        """A command of Slurm, and the numbers of the jobs that it starts, once these run."""
        name = f"job{time.monotonic_ns()}"
        quiet = subprocess.DEVNULL
        words = self.command(command[0], f"--job-name={name}", *command[1:], user=user)
        with subprocess.Popen(words, stdin=quiet, stdout=quiet, stderr=quiet) as started:
            try:
                wait_for(lambda: started.poll() or len(self._named(name)) == jobs)
                assert not started.poll(), f"{command} ended with {started.returncode}"
                yield self._named(name)
            finally:
                self.run("scancel", f"--name={name}", "--full")
                started.wait(PATIENCE)
        wait_for(lambda: not self.run("squeue", "-h", f"--name={name}").stdout)

    def _named(self, name: str) -> list[str]:
        query = ("squeue", "--noheader", f"--name={name}", "--states=R", "--format=%A")
        return sorted(self.run(*query).stdout.split(), key=int)

    def tasks(self, job: str) -> list[tuple[str, int, int]]:
        """Host, pid there and rank of each task of the first step of a job, by rank.

        By its own number, which each task of an array and each component has.
        """
        found = []
        query = ("squeue", "--noheader", f"--jobs={job}", "--states=all", "--format=%A %N")
        rows = [line.partition(" ") for line in self.run(*query).stdout.splitlines()]
        places = {number: nodes.strip() for number, _, nodes in rows}
        nodes = self.run("scontrol", "show", "hostnames", places[job]).stdout
        for host in nodes.split():
            pids = self.run("scontrol", "listpids", f"{job}.0", host=host, check=False).stdout
            words = [line.split() for line in pids.splitlines()]
            found += [(host, int(w[0]), int(w[4])) for w in words if w[-1].isdecimal()]
        return sorted(found, key=lambda task: task[2])


@contextmanager
def slurm(
    hosts: int, *, cpus: int = 2, cgroups: bool = False, with_ssh: bool = False
) -> Iterator[Slurm]:
    """Slurm with so many hosts, h1 and following.

    Args:
        hosts: Their number.
        cpus: Of each, as Slurm is told; all have those of this machine.
        cgroups: Whether it keeps jobs in cgroups, v2, which can have one host alone.
        with_ssh: Whether ssh reaches the hosts too, without anything said to it.
    """
    names = [f"h{number}" for number in range(1, hosts + 1)]
    with tempfile.TemporaryDirectory(prefix="pymigrate-slurm-") as room:
        furnish(Path(room), names, cpus, cgroups)
        if with_ssh:
            ssh.furnish(Path(room, "ssh"))
        if cgroups:
            _delegate_cgroups()
        log = Path(room, "log")
        with log.open("wb") as output, _cluster(room, names, output) as process:
            try:
                cluster = Slurm(names, _first_of(process), with_ssh)
                wait_for(lambda: process.poll() is not None or idle(cluster) == hosts)
                assert process.poll() is None
            except BaseException as error:
                raise AssertionError(f"no cluster: {log.read_text()[-4000:]}") from error
            yield cluster


def wait_for(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Waits until it is true, or fails."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {condition}"
        time.sleep(0.02)


def furnish(room: Path, names: Sequence[str], cpus: int, cgroups: bool) -> None:
    """The folder that the scripts are told: who the hosts are, and the configuration."""
    addresses = [f"10.0.1.{number} {name}" for number, name in enumerate(names, 1)]
    lines = ["127.0.0.1 localhost", "10.0.0.1 control", *addresses]
    (room / "hosts").write_text("\n".join(lines) + "\n")
    (room / "etc").mkdir()
    configuration = CONFIGURATION.format(
        hosts=",".join(names),
        cpus=cpus,
        tracking="cgroup" if cgroups else "linuxproc",
        tasks="task/affinity,task/cgroup" if cgroups else "task/affinity",
    )
    (room / "etc" / "slurm.conf").write_text(configuration)
    if cgroups:
        (room / "etc" / "cgroup.conf").write_text(CGROUPS)
    shutil.copy(SCRIPTS / "host.sh", room)
    room.chmod(0o755)


def _delegate_cgroups() -> None:
    """What Slurm asks systemd for, where there is none."""
    root = Path("/sys/fs/cgroup")
    (root / "system.slice").mkdir(exist_ok=True)
    for folder in (root, root / "system.slice"):
        (folder / "cgroup.subtree_control").write_text("+cpuset +cpu +memory")


@contextmanager
def _cluster(
    room: str, names: Sequence[str], output: IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    """Its processes, which end with the block or with us, whatever ends us."""
    script = str(SCRIPTS / "cluster.sh")
    spaces = ["--pid", "--net", "--uts", "--mount", "--ipc"]
    command = ["setpriv", "--pdeathsig=KILL", "unshare", *spaces, "--fork", "--kill-child=KILL"]
    process = subprocess.Popen(
        [*command, "sh", script, room, *names],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        first = child_of(process.pid)
        process.kill()
        process.wait()
        wait_for(lambda: not (first and Path(f"/proc/{first}").exists()))


def _first_of(process: subprocess.Popen[bytes]) -> int:
    """The first process inside, once it has a /proc of its own."""

    def ready() -> bool:
        pid = child_of(process.pid)
        return bool(pid) and Path(f"/proc/{pid}/root/run/slurm").is_dir()

    wait_for(lambda: process.poll() is not None or ready())
    pid = child_of(process.pid)
    assert pid
    return pid


def child_of(pid: int) -> int:
    """The first child of a process; 0 if there is none."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0
    return int(children[0]) if children else 0


def idle(cluster: Slurm) -> int:
    """How many of its hosts are ready for jobs."""
    listed = cluster.run("sinfo", "--noheader", "--Node", "--format=%N %t", check=False).stdout
    return sum(line.endswith(" idle") for line in listed.splitlines())
