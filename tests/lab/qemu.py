"""The emulator: its command line, and the start of its process."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import socket
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab import emulator
from lab.architectures import AMD64, Architecture
from lab.errors import LabError, Missing
from lab.guest import CONSOLE, STATUS, Guest

KVM_VARIABLE = "PYMIGRATE_LAB_KVM"
"""Set to 1, it trusts the host's KVM, which on some hosts hangs at the first instruction."""

NOTHING_ELSE = ("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot")

KERNEL_ARGUMENTS = (
    "quiet",
    # Memory of the tests' own interpreter would be gathered into huge pages while they look at it.
    "transparent_hugepage=madvise",
    "loglevel=1",
    "oops=panic",
    "panic=-1",  # at once; QEMU was told to end where a machine would restart
    "random.trust_cpu=on",
    # What costs seconds under emulation and protects nobody here.
    "cryptomgr.notests",
    "mitigations=off",
)


def require(machine: Architecture, *, own: bool) -> None:
    """Raise Missing unless the machine can be emulated.

    Args:
        machine: Its kind.
        own: Whether it is to run the host's own programs.
    """
    if own and platform.machine() != "x86_64":
        raise Missing(f"machines run programs of x86_64 hosts only, not of {platform.machine()}")
    if not machine.later and not shutil.which(machine.emulator):
        raise Missing(f"{machine.emulator} is not installed: install the package {machine.package}")


def start(
    machine: Architecture, options: Sequence[str], ramdisk: bytes, ports: Sequence[str], mark: str
) -> Guest:
    """Start a machine.

    Args:
        machine: Its kind.
        options: From `accelerator`, `hardware`, `kernel` and `files`.
        ramdisk: The initramfs.
        ports: Names of the streams out of the machine, besides those of any machine.
        mark: What the machine ends each of them with.

    Returns:
        The machine, from its first instruction on.
    """
    with contextlib.ExitStack() as inherited:
        file = inherited.enter_context(tempfile.TemporaryFile())
        file.write(ramdisk)
        file.flush()
        near, descriptors = {}, {}
        for name in (CONSOLE, STATUS, *ports):
            near[name], far = socket.socketpair()
            descriptors[name] = inherited.enter_context(far).fileno()
        command = [*program(machine), *machine.options, *NOTHING_ELSE, *options]
        command += ["-initrd", f"/proc/self/fd/{file.fileno()}", *_streams(descriptors)]
        inherit = [file.fileno(), *descriptors.values()]
        return Guest(command, near, mark.encode(), descriptors[CONSOLE], inherit)


def program(machine: Architecture) -> list[str]:
    """Return the first words of the command line."""
    if machine.later:
        return emulator.find(machine.package, machine.emulator)
    return [machine.emulator]


def accelerator(machine: Architecture, *, parallel: bool, counted: bool) -> list[str]:
    """Return the options for how the machine's instructions are executed.

    Args:
        machine: Its kind.
        parallel: Whether processors run at the same time rather than in turns.
        counted: Whether the machine's clock counts instructions.
    """
    if os.environ.get(KVM_VARIABLE) == "1" and machine is AMD64:
        return ["-accel", "kvm", "-cpu", "host"]
    threads = "multi" if parallel or machine.parallel else "single"
    clock = ["-icount", "shift=0,sleep=off"] if counted else []
    return ["-accel", f"tcg,thread={threads}", *clock, "-cpu", machine.cpu]


def hardware(*, nodes: int, bare_nodes: int, cpus: int, memory: str) -> list[str]:
    """Return the options for a machine's processors and memory.

    Args:
        nodes: Number of nodes with memory.
        bare_nodes: Number of nodes with a processor alone, which come after these.
        cpus: Number of processors dealt out in turn to the nodes with memory.
        memory: Memory of each node, such as `512M`.
    """
    if nodes < 1 or cpus < 1:
        raise LabError(f"no machine has {nodes} nodes and {cpus} processors")
    total = cpus + bare_nodes
    # A socket for each processor: Linux distrusts a socket that is spread over nodes.
    options = ["-smp", f"{total},sockets={total}"]
    options += ["-m", f"{nodes * mebibytes(memory)}M"]
    for node in range(nodes):
        of_node = "".join(f",cpus={cpu}" for cpu in range(node, cpus, nodes))
        options += ["-object", f"memory-backend-ram,id=memory{node},size={memory}"]
        options += ["-numa", f"node,nodeid={node},memdev=memory{node}{of_node}"]
    for extra in range(bare_nodes):
        options += ["-numa", f"node,nodeid={nodes + extra},cpus={cpus + extra}"]
    return options


def kernel(machine: Architecture, image: Path, arguments: Sequence[str]) -> list[str]:
    """Return the options for the kernel.

    Args:
        machine: The kind of machine.
        image: The kernel's image.
        arguments: What it is told besides what all are.
    """
    told = (f"console={machine.console}", *KERNEL_ARGUMENTS, *machine.arguments, *arguments)
    return ["-kernel", str(image), "-append", " ".join(told)]


def files(system: Path, work: str) -> list[str]:
    """Return the options for what the machine sees of the host's files.

    Args:
        system: The root of its own.
        work: A folder that is not below it; none if empty.
    """
    options: list[str] = []
    how = "security_model=none,readonly=on,multidevs=remap"
    for name, path in {"host": str(system), "work": work}.items():
        if not path:
            continue
        options += ["-fsdev", f"local,id={name},path={path},{how}"]
        options += ["-device", f"virtio-9p-pci,fsdev={name},mount_tag={name}"]
    return options


def _streams(descriptors: Mapping[str, int]) -> list[str]:
    options = ["-device", "virtio-serial-pci", "-serial", f"chardev:{CONSOLE}"]
    for name, descriptor in descriptors.items():
        options += ["-chardev", f"socket,id={name},fd={descriptor}"]
        if name != CONSOLE:
            options += ["-device", f"virtserialport,chardev={name},name={name}"]
    return options


def cable(end: str | None) -> list[str]:
    """Return the options for a network card at one end of a cable, or for none.

    Args:
        end: `listen=127.0.0.1:PORT` or `connect=127.0.0.1:PORT`.
    """
    if end is None:
        return []
    # Cards with the same address would not hear each other.
    number = 1 + end.startswith("connect")
    card = f"virtio-net-pci,netdev=cable,mac=52:54:00:00:00:{number:02x}"
    return ["-netdev", f"socket,id=cable,{end}", "-device", card]


def mebibytes(size: str) -> int:
    """Return the number of mebibytes in a size such as `512M` or `2G`."""
    match = re.fullmatch(r"([1-9]\d*)([MG])", size)
    if not match:
        raise LabError(f"{size!r} is not a size such as 512M or 2G")
    return int(match.group(1)) * {"M": 1, "G": 1024}[match.group(2)]
