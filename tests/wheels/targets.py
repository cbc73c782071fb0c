"""The platforms that a wheel is made for."""

from __future__ import annotations

from dataclasses import dataclass

from arch.abis import ABIS, Abi, Toolchain, zig


@dataclass(frozen=True)
class Target:
    """One platform.

    Attributes:
        name: the machine, as wheels name it.
        abi: how its programs call the kernel.
        userland: Debian's name of the architecture.
        toolchain: what compiles for it.
    """

    name: str
    abi: Abi
    userland: str
    toolchain: Toolchain


def _target(
    name: str, abi: str, userland: str, toolchain: Toolchain | None = None
) -> tuple[str, Target]:
    (found,) = (each for each in ABIS if each.name == abi)
    compiles = toolchain or found.toolchain
    assert compiles is not None
    return name, Target(name, found, userland, compiles)


TARGETS = dict(
    (
        _target("x86_64", "x86_64", "amd64"),
        _target("i686", "i386", "i386"),
        _target("aarch64", "aarch64", "arm64"),
        _target("armv7l", "armhf", "armhf"),
        _target("ppc64le", "ppc64le", "ppc64el"),
        _target("s390x", "s390x", "s390x"),
        _target("riscv64", "riscv64", "riscv64"),
        # Debian 12 has no compiler for it. 2.36 is the first glibc that knows it.
        _target("loongarch64", "loongarch64", "loong64", zig("loongarch64-linux-gnu.2.36")),
    )
)
