"""The ABIs that the C is for, and what it takes to try it on each of them.

Package names are Debian 12's; ``ziglang`` is on the Python index, and has the C libraries of
machines that Debian has no cross compiler for.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Toolchain:
    """A compiler with a C library for one ABI.

    Attributes:
        command: the compiler and the options that select the ABI.
        packages: what to install for it.
        link: how a program is linked that the emulator can run.
    """

    command: tuple[str, ...]
    packages: tuple[str, ...]
    link: tuple[str, ...] = ("-static",)


@dataclass(frozen=True)
class Abi:
    """One way in which programs call the kernel.

    Attributes:
        name: what the tests call it.
        header: the file of ``csrc/arch`` that numbers its calls.
        bits: size of a word, the kernel's ``unsigned long`` as this ABI sees it.
        byteorder: of its memory.
        macros: what its compilers define, as far as ``csrc/arch/abi.h`` asks.
        toolchain: None where no package has one for Linux: then only kernel tables are compared.
        emulator: the command of qemu-user that runs its programs.
        untraced: why a compiled program cannot be run.
    """

    name: str
    header: str
    bits: Literal[32, 64]
    byteorder: Literal["little", "big"]
    macros: tuple[str, ...]
    toolchain: Toolchain | None = None
    emulator: tuple[str, ...] = ()
    untraced: str = ""


def gcc(triplet: str, *options: str, libc: tuple[str, ...]) -> Toolchain:
    """Debian's cross compiler for a triplet, with the packages of its C library."""
    package = "gcc-" + triplet.replace("_", "-")
    return Toolchain((f"{triplet}-gcc", *options), (package, *libc))


def zig(target: str, *options: str) -> Toolchain:
    """The clang in ziglang."""
    return Toolchain(
        (sys.executable, "-m", "ziglang", "cc", "-target", target, *options), ("ziglang",)
    )


ABIS = (
    Abi(
        name="x86_64",
        header="x86_64.h",
        bits=64,
        byteorder="little",
        macros=("__x86_64__",),
        toolchain=gcc("x86_64-linux-gnu", libc=("libc6-dev",)),
        emulator=("qemu-x86_64",),
    ),
    Abi(
        name="x32",
        header="x32.h",
        bits=32,
        byteorder="little",
        macros=("__x86_64__", "__ILP32__"),
        toolchain=gcc("x86_64-linux-gnux32", libc=("libc6-dev-x32-cross",)),
        untraced="is not known to qemu-user",
    ),
    Abi(
        name="i386",
        header="i386.h",
        bits=32,
        byteorder="little",
        macros=("__i386__",),
        toolchain=gcc("i686-linux-gnu", libc=("libc6-dev-i386-cross",)),
        emulator=("qemu-i386",),
    ),
    Abi(
        name="aarch64",
        header="generic.h",
        bits=64,
        byteorder="little",
        macros=("__aarch64__",),
        toolchain=gcc("aarch64-linux-gnu", libc=("libc6-dev-arm64-cross",)),
        emulator=("qemu-aarch64",),
    ),
    Abi(
        name="armhf",
        header="arm-eabi.h",
        bits=32,
        byteorder="little",
        macros=("__arm__", "__ARM_EABI__"),
        toolchain=gcc("arm-linux-gnueabihf", libc=("libc6-dev-armhf-cross",)),
        emulator=("qemu-arm",),
    ),
    Abi(
        name="armel",
        header="arm-eabi.h",
        bits=32,
        byteorder="little",
        macros=("__arm__", "__ARM_EABI__"),
        toolchain=gcc("arm-linux-gnueabi", libc=("libc6-dev-armel-cross",)),
        emulator=("qemu-arm",),
    ),
    Abi(
        name="ppc64le",
        header="powerpc.h",
        bits=64,
        byteorder="little",
        macros=("__powerpc__", "__powerpc64__"),
        toolchain=gcc("powerpc64le-linux-gnu", libc=("libc6-dev-ppc64el-cross",)),
        emulator=("qemu-ppc64le",),
    ),
    Abi(
        name="ppc64",
        header="powerpc.h",
        bits=64,
        byteorder="big",
        macros=("__powerpc__", "__powerpc64__"),
        toolchain=gcc("powerpc64-linux-gnu", libc=("libc6-dev-ppc64-cross",)),
        emulator=("qemu-ppc64",),
    ),
    Abi(
        name="ppc32",
        header="powerpc.h",
        bits=32,
        byteorder="big",
        macros=("__powerpc__",),
        toolchain=gcc("powerpc-linux-gnu", libc=("libc6-dev-powerpc-cross",)),
        emulator=("qemu-ppc",),
    ),
    Abi(
        name="s390x",
        header="s390.h",
        bits=64,
        byteorder="big",
        macros=("__s390__", "__s390x__"),
        toolchain=gcc("s390x-linux-gnu", libc=("libc6-dev-s390x-cross",)),
        emulator=("qemu-s390x",),
    ),
    Abi(
        name="s390",
        header="s390.h",
        bits=32,
        byteorder="big",
        macros=("__s390__",),
        toolchain=gcc("s390x-linux-gnu", "-m31", libc=("libc6-dev-s390-s390x-cross",)),
        untraced="is not known to qemu-user",
    ),
    Abi(
        name="riscv64",
        header="generic.h",
        bits=64,
        byteorder="little",
        macros=("__riscv",),
        toolchain=gcc("riscv64-linux-gnu", libc=("libc6-dev-riscv64-cross",)),
        emulator=("qemu-riscv64",),
    ),
    Abi(
        name="riscv32",
        header="generic.h",
        bits=32,
        byteorder="little",
        macros=("__riscv",),
        toolchain=zig("riscv32-linux-musl"),
        emulator=("qemu-riscv32",),
    ),
    Abi(
        name="loongarch64",
        header="generic.h",
        bits=64,
        byteorder="little",
        macros=("__loongarch__",),
        # qemu-user learnt the vector instructions later than the architecture.
        toolchain=zig("loongarch64-linux-musl", "-mcpu=generic_la64-lsx"),
        emulator=("qemu-loongarch64",),
    ),
    Abi(
        name="mips-o32",
        header="mips-o32.h",
        bits=32,
        byteorder="big",
        macros=("__mips__", "_ABIO32=1", "_MIPS_SIM=_ABIO32"),
        toolchain=gcc("mips-linux-gnu", libc=("libc6-dev-mips-cross",)),
        emulator=("qemu-mips",),
    ),
    Abi(
        name="mipsel-o32",
        header="mips-o32.h",
        bits=32,
        byteorder="little",
        macros=("__mips__", "_ABIO32=1", "_MIPS_SIM=_ABIO32"),
        toolchain=gcc("mipsel-linux-gnu", libc=("libc6-dev-mipsel-cross",)),
        emulator=("qemu-mipsel",),
    ),
    Abi(
        name="mips-n32",
        header="mips-n32.h",
        bits=32,
        byteorder="big",
        macros=("__mips__", "_ABIN32=2", "_MIPS_SIM=_ABIN32"),
        toolchain=gcc(
            "mips64-linux-gnuabi64",
            "-mabi=n32",
            libc=("libc6-dev-mipsn32-mips64-cross", "libn32gcc-12-dev-mips64-cross"),
        ),
        emulator=("qemu-mipsn32",),
    ),
    Abi(
        name="mips-n64",
        header="mips-n64.h",
        bits=64,
        byteorder="big",
        macros=("__mips__", "_ABI64=3", "_MIPS_SIM=_ABI64"),
        toolchain=gcc("mips64-linux-gnuabi64", libc=("libc6-dev-mips64-cross",)),
        emulator=("qemu-mips64",),
    ),
    Abi(
        name="mipsel-n64",
        header="mips-n64.h",
        bits=64,
        byteorder="little",
        macros=("__mips__", "_ABI64=3", "_MIPS_SIM=_ABI64"),
        toolchain=gcc("mips64el-linux-gnuabi64", libc=("libc6-dev-mips64el-cross",)),
        emulator=("qemu-mips64el",),
    ),
    Abi(
        name="sparc64",
        header="sparc.h",
        bits=64,
        byteorder="big",
        macros=("__sparc__",),
        toolchain=gcc("sparc64-linux-gnu", libc=("libc6-dev-sparc64-cross",)),
        emulator=("qemu-sparc64",),
    ),
    Abi(
        name="sparc32",
        header="sparc.h",
        bits=32,
        byteorder="big",
        macros=("__sparc__",),
        toolchain=gcc(
            "sparc64-linux-gnu",
            "-m32",
            libc=("libc6-dev-sparc-sparc64-cross", "lib32gcc-12-dev-sparc64-cross"),
        ),
        emulator=("qemu-sparc32plus",),
    ),
    Abi(
        name="parisc",
        header="parisc.h",
        bits=32,
        byteorder="big",
        macros=("__hppa__",),
        toolchain=gcc("hppa-linux-gnu", libc=("libc6-dev-hppa-cross",)),
        emulator=("qemu-hppa",),
    ),
    Abi(
        name="alpha",
        header="alpha.h",
        bits=64,
        byteorder="little",
        macros=("__alpha__",),
        # Debian's static start-up code for Alpha jumps to NULL; the shared library works.
        toolchain=Toolchain(
            ("alpha-linux-gnu-gcc",), ("gcc-alpha-linux-gnu", "libc6.1-dev-alpha-cross"), link=()
        ),
        emulator=("qemu-alpha", "-L", "/usr/alpha-linux-gnu"),
    ),
    Abi(
        name="sh4",
        header="sh.h",
        bits=32,
        byteorder="little",
        macros=("__sh__",),
        toolchain=gcc("sh4-linux-gnu", libc=("libc6-dev-sh4-cross",)),
        untraced="has a C library in Debian 12 that loops before main()",
    ),
    Abi(
        name="m68k",
        header="m68k.h",
        bits=32,
        byteorder="big",
        macros=("__m68k__",),
        toolchain=gcc("m68k-linux-gnu", libc=("libc6-dev-m68k-cross",)),
        emulator=("qemu-m68k",),
    ),
    Abi(
        name="arc",
        header="generic.h",
        bits=32,
        byteorder="little",
        macros=("__arc__",),
        toolchain=gcc("arc-linux-gnu", libc=("libc6-dev-arc-cross",)),
        untraced="is not known to qemu-user",
    ),
    Abi(
        name="hexagon",
        header="generic.h",
        bits=32,
        byteorder="little",
        macros=("__hexagon__",),
        toolchain=zig("hexagon-linux-musl"),
        emulator=("qemu-hexagon", "-cpu", "v67"),
    ),
    Abi("ia64", "ia64.h", 64, "little", ("__ia64__",)),
    Abi("xtensa", "xtensa.h", 32, "little", ("__xtensa__",)),
    Abi("microblaze", "microblaze.h", 32, "big", ("__microblaze__",)),
    Abi("loongarch32", "generic.h", 32, "little", ("__loongarch__",)),
    Abi("csky", "generic.h", 32, "little", ("__csky__",)),
    Abi("openrisc", "generic.h", 32, "big", ("__or1k__",)),
    Abi("nios2", "generic.h", 32, "little", ("__nios2__",)),
)

#: Those that the tests can compile for, and those whose programs they can run.
COMPILED = tuple(abi for abi in ABIS if abi.toolchain)
TRACED = tuple(abi for abi in COMPILED if abi.emulator)
