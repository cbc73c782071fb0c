"""Machines of each architecture: what emulates them, and what Debian calls their parts."""

from __future__ import annotations

from dataclasses import dataclass

from lab.errors import LabError


@dataclass(frozen=True)
class Architecture:
    """One kind of machine.

    Attributes:
        name: Debian's.
        emulator: The program of QEMU.
        package: Debian's package of that program.
        options: What the emulator is told, whatever the machine is for.
        cpu: The emulated processor.
        console: The kernel's name of the first serial line.
        image: Debian's package of the kernel, always of the latest version in a suite.
        suites: Kernels by the name that the lab knows them by, and the suite that has each.
        arguments: What this kernel alone is told.
        sockets: How many nodes it can have, with one processor each; None for any, with any.
        parallel: Whether its processors always run at the same time.
        later: Whether that takes a later QEMU than the host's may be, which the lab then fetches.
    """

    name: str
    emulator: str
    package: str
    options: tuple[str, ...]
    cpu: str
    console: str
    image: str
    suites: dict[str, str]
    arguments: tuple[str, ...] = ()
    sockets: int | None = None
    parallel: bool = False
    later: bool = False


AMD64 = Architecture(
    name="amd64",
    emulator="qemu-system-x86_64",
    package="qemu-system-x86",
    options=("-machine", "q35", "-bios", "qboot.rom"),  # the firmware that starts fastest
    # Emulated, string instructions copy byte by byte: without them pages move faster.
    cpu="max,-erms,-fsrm",
    console="ttyS0",
    image="linux-image-amd64",
    suites={"5.10": "bullseye", "6.1": "bookworm", "6.12": "bookworm-backports", "sid": "sid"},
    arguments=("tsc=reliable",),
)

ARM64 = Architecture(
    name="arm64",
    emulator="qemu-system-aarch64",
    package="qemu-system-arm",
    options=("-machine", "virt,gic-version=3"),
    cpu="cortex-a76",  # the latest whose user space may be 32-bit too; later ones sign pointers
    console="ttyAMA0",
    image="linux-image-arm64",
    suites={"5.10": "bullseye", "6.1": "bookworm", "6.12": "bookworm-backports", "sid": "sid"},
)

PPC64EL = Architecture(
    name="ppc64el",
    emulator="qemu-system-ppc64",
    package="qemu-system-ppc",
    # Software emulation has none of the safeguards that firmware reports by default. The small
    # firmware starts faster than SLOF.
    options=(
        "-machine",
        "pseries,x-vof=on,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off",
    ),
    cpu="power9",
    console="hvc0",
    image="linux-image-powerpc64le",  # pages of 64 KiB up to this version
    suites={"6.1": "bookworm"},
)

RISCV64 = Architecture(
    name="riscv64",
    emulator="qemu-system-riscv64",
    package="qemu-system-riscv",
    options=("-machine", "virt"),
    cpu="rv64",
    console="ttyS0",
    image="linux-image-riscv64",
    suites={"6.12": "trixie", "sid": "sid"},
    sockets=4,  # VIRT_SOCKETS_MAX in hw/riscv/virt.h
    parallel=True,
    # With QEMU 7.2 Linux hears only the first of several interrupt controllers, of which each node
    # has one, and PCI is wired to another.
    later=True,
)

KERNELS = {
    "amd64": AMD64,
    "i386": AMD64,
    "arm64": ARM64,
    "armhf": ARM64,
    "ppc64el": PPC64EL,
    "riscv64": RISCV64,
}
"""The kernel that programs of each of Debian's architectures run on."""


def kernel_for(userland: str | None) -> Architecture:
    """Return the kind of machine for programs of one of Debian's architectures.

    Args:
        userland: Debian's name; None for what the host's own programs run on.
    """
    try:
        return KERNELS[userland or "amd64"]
    except KeyError:
        raise LabError(f"no machine for {userland!r}: one of {', '.join(KERNELS)}") from None
