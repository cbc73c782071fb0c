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

from lab.errors import LabError, Missing
from lab.guest import CONSOLE, STATUS, Guest

PROGRAM = "qemu-system-x86_64"
KVM_VARIABLE = "PYMIGRATE_LAB_KVM"
"""Set to 1, it trusts the host's KVM, which on some hosts hangs at the first instruction."""

KERNEL_ARGUMENTS = (
    "console=ttyS0",
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
    "tsc=reliable",
)


def require() -> None:
    """Raise Missing unless the emulator can run the host's own programs."""
    if platform.machine() != "x86_64":
        raise Missing(f"machines run on x86_64 hosts only, not on {platform.machine()}")
    if not shutil.which(PROGRAM):
        raise Missing(f"{PROGRAM} is not installed: install the package qemu-system-x86")


def start(
    machine: Sequence[str], kernel: Path, ramdisk: bytes, ports: Sequence[str], mark: str
) -> Guest:
    """Start a machine.

    Args:
        machine: Options from `accelerator` and `hardware`.
        kernel: The kernel's image.
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
        command = [PROGRAM, *machine, *_software(kernel, file.fileno()), *_streams(descriptors)]
        inherit = [file.fileno(), *descriptors.values()]
        return Guest(command, near, mark.encode(), descriptors[CONSOLE], inherit)


def accelerator(*, parallel: bool, counted: bool) -> list[str]:
    """Return the options for how the machine's instructions are executed.

    Args:
        parallel: Whether processors run at the same time rather than in turns.
        counted: Whether the machine's clock counts instructions.
    """
    if os.environ.get(KVM_VARIABLE) == "1":
        return ["-accel", "kvm", "-cpu", "host"]
    threads = "multi" if parallel else "single"
    # Emulated, string instructions copy byte by byte: without them pages move faster.
    clock = ["-icount", "shift=0,sleep=off"] if counted else []
    return ["-accel", f"tcg,thread={threads}", *clock, "-cpu", "max,-erms,-fsrm"]


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
    options = ["-machine", "q35", "-smp", f"{total},sockets={total}"]
    options += ["-m", f"{nodes * mebibytes(memory)}M"]
    for node in range(nodes):
        of_node = "".join(f",cpus={cpu}" for cpu in range(node, cpus, nodes))
        options += ["-object", f"memory-backend-ram,id=memory{node},size={memory}"]
        options += ["-numa", f"node,nodeid={node},memdev=memory{node}{of_node}"]
    for extra in range(bare_nodes):
        options += ["-numa", f"node,nodeid={nodes + extra},cpus={cpus + extra}"]
    return options


def _software(kernel: Path, ramdisk: int) -> list[str]:
    options = ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
    options += ["-bios", "qboot.rom", "-kernel", str(kernel)]  # the firmware that starts fastest
    options += ["-initrd", f"/proc/self/fd/{ramdisk}", "-append", " ".join(KERNEL_ARGUMENTS)]
    options += ["-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap"]
    return [*options, "-device", "virtio-9p-pci,fsdev=host,mount_tag=host"]


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
