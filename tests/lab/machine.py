"""The machine with several NUMA nodes: its make, and the command it is booted for."""

from __future__ import annotations

import os
import secrets
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from lab import initramfs, kernel, qemu, root
from lab.architectures import Architecture, kernel_for
from lab.errors import GuestDied
from lab.guest import STATUS, Guest
from lab.kernel import Kernel

INSIDE_VARIABLE = "PYMIGRATE_LAB_INSIDE"
"""Set in the environment of whatever runs inside a machine."""

BOOT_ATTEMPTS = 3
"""How often a machine with parallel processors may die before its command starts (see there)."""

Sink = Callable[[bytes], object]


@dataclass(frozen=True)
class Machine:
    """A Linux machine, emulated, on which commands of the host's environment run.

    It sees all files of the host; what it writes vanishes with it. One of another architecture
    sees a Debian of its own instead, and of the host the folder that the command starts in.

    Attributes:
        kernel: One that `lab.architectures` has for the machine.
        userland: Debian's architecture of the programs that run; None for the host's own.
        nodes: Nodes with memory, all of them online.
        bare_nodes: Further nodes, with a processor each and no memory.
        cpus: Processors, dealt out in turn to the nodes with memory.
        memory: Memory of each node, such as `512M`.
        swap: Size of a compressed swap in memory, or None for no swap.
        balancing: Whether the kernel balances memory between nodes by itself.
        parallel: Whether the processors run at the same time, each in a thread of the host.
            In turns they finish most work sooner, and QEMU before 8.1 is then free of a race
            that makes Linux stumble over its own code patching (`Oops: int3`).
        counted: Whether time inside goes by the instructions that are executed, a nanosecond for
            each, so that the same work takes the same time. Not for processors in parallel.
        modules: Further modules of the kernel that are loaded.
        network: A cable to one other machine of this host: ``listen=127.0.0.1:PORT`` at one end,
            ``connect=127.0.0.1:PORT`` at the other. None for no network card.
        arguments: What the kernel is told besides.
    """

    kernel: str = "6.12"
    userland: str | None = None
    nodes: int = 4
    bare_nodes: int = 0
    cpus: int = 4
    memory: str = "512M"
    swap: str | None = None
    balancing: bool = False
    parallel: bool = False
    counted: bool = False
    modules: tuple[str, ...] = ()
    network: str | None = None
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [self.userland] if self.userland else []
        parts += [f"kernel {self.kernel}", f"{self.nodes} nodes of {self.memory}"]
        parts += [f"{self.bare_nodes} without memory"] if self.bare_nodes else []
        parts += [f"{self.cpus} processors" + " in parallel" * self.parallel]
        parts += [f"{self.swap} of swap"] if self.swap else []
        parts += ["balancing"] if self.balancing else []
        parts += ["time counted in instructions"] if self.counted else []
        parts += ["with " + ", ".join(self.modules)] if self.modules else []
        return ", ".join(parts)

    def obstacle(self) -> str:
        """Return why nothing emulates such a machine, or nothing where something does."""
        most = kernel_for(self.userland).sockets
        if most is None or (self.cpus == self.nodes <= most - self.bare_nodes):
            return ""
        return f"needs another machine than of {self.userland}: up to {most} nodes of one processor"

    def parts(self) -> tuple[Architecture, Kernel, Path]:
        """Return its kind, its kernel and its initramfs, got if they are not there.

        Raises:
            Missing: The host lacks what the machine needs.
        """
        kind = kernel_for(self.userland)
        qemu.require(kind, own=self.userland is None)
        linux = kernel.find(self.kernel, kind)
        return kind, linux, initramfs.base(linux, kind)

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: str | os.PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        stdout: Sink | None = None,
        stderr: Sink | None = None,
        timeout: float | None = None,
    ) -> int:
        """Boot the machine, run a command as root, and return its exit status.

        Args:
            argv: The command and its arguments.
            cwd: Folder to run it in; the caller's by default.
            env: Its whole environment; the caller's by default.
            stdin: What it reads.
            stdout: Takes its output as it comes; the caller's own by default.
            stderr: Takes its error output likewise.
            timeout: Seconds for everything together, the boot included.

        Returns:
            The exit status, as a shell gives it: 128 + N after signal N.

        Raises:
            Missing: The host lacks what the machine needs.
            GuestDied: The machine stopped before the command did.
            GuestHung: The time was up.
        """
        sinks = {"stdout": stdout or _writer(1), "stderr": stderr or _writer(2)}
        deadline = None if timeout is None else time.monotonic() + timeout
        with self.boot(argv, cwd=cwd, env=env, stdin=stdin, deadline=deadline) as guest:
            while True:
                said = guest.read(deadline)
                if said is None:
                    return guest.status
                port, data = said
                sinks[port](data)

    def boot(
        self,
        argv: Sequence[str],
        *,
        cwd: str | os.PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        ports: Sequence[str] = (),
        deadline: float | None = None,
    ) -> Guest:
        """Boot the machine for a command, for callers that follow it themselves.

        Args:
            argv: As for `run`.
            cwd: As for `run`.
            env: As for `run`.
            stdin: As for `run`.
            ports: Names of further streams out of the machine. The command finds
                each as /dev/virtio-ports/NAME and may open it for writing.
            deadline: Time on the monotonic clock at which to give the boot up.

        Returns:
            The machine, about to start the command; the caller has to close it.
        """
        kind, linux, base = self.parts()
        cwd = os.path.abspath(cwd or os.getcwd())
        work = cwd if self.userland else ""
        ports = ("stdout", "stderr", *ports)
        mark = f"\4{secrets.token_hex(16)}"  # EOT, and what no output has by chance
        job = {
            "job/command": _command(argv, cwd, os.environ if env is None else env),
            "job/settings": self._settings([STATUS, *ports], work, mark),
            "job/stdin": stdin,
            **initramfs.further_modules(linux, self._modules()),
        }
        ramdisk = base.read_bytes() + initramfs.archive(job)
        options = [
            *qemu.accelerator(kind, parallel=self.parallel, counted=self.counted),
            *qemu.hardware(
                nodes=self.nodes, bare_nodes=self.bare_nodes, cpus=self.cpus, memory=self.memory
            ),
            *qemu.cable(self.network),
            *qemu.kernel(kind, linux.executable(), self.arguments),
            *qemu.files(self._system(), work),
        ]
        attempts = BOOT_ATTEMPTS if self.parallel else 1
        while True:
            guest = qemu.start(kind, options, ramdisk, ports, mark)
            attempts -= 1
            try:
                guest.wait_for_boot(deadline)
                return guest
            except BaseException as error:
                guest.close()
                if not attempts or not isinstance(error, GuestDied):
                    raise

    def _modules(self) -> tuple[str, ...]:
        return self.modules if self.network is None else (*self.modules, "virtio_net")

    def _system(self) -> Path:
        """Return the root of what it sees."""
        return root.find(self.userland) if self.userland else Path("/")

    def _settings(self, ports: Sequence[str], work: str, mark: str) -> bytes:
        """Return what the init script has to know, as shell variables."""
        settings = {
            "ports": " ".join(ports),
            "work": work,
            "end": mark,
            "balancing": str(int(self.balancing)),
            "swap": f"{qemu.mebibytes(self.swap)}M" if self.swap else "",
        }
        return "".join(
            f"{name}={shlex.quote(value)}\n" for name, value in settings.items()
        ).encode()


def _command(argv: Sequence[str], cwd: str, env: Mapping[str, str]) -> bytes:
    """Return the shell command that enters the host's tree and becomes the command."""
    variables = [f"{name}={value}" for name, value in {**env, INSIDE_VARIABLE: "1"}.items()]
    words = ["chroot", ".", "/usr/bin/env", "-i", "-C", cwd, *variables, *argv]
    return os.fsencode("exec " + shlex.join(words))


def _writer(descriptor: int) -> Sink:
    def write(data: bytes) -> None:
        while data:
            data = data[os.write(descriptor, data) :]

    return write
