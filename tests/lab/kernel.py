"""A Linux kernel to boot: its image and its modules, ready for use."""

from __future__ import annotations

import hashlib
import lzma
import os
import re
import shutil
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab import cache, debian
from lab.architectures import AMD64, Architecture
from lab.errors import Missing

KERNEL_VARIABLE = "PYMIGRATE_LAB_KERNEL"

_DECOMPRESSORS = {
    b"\xfd7zXZ\0": ["xz", "--decompress"],
    b"\x28\xb5\x2f\xfd": ["zstd", "--decompress"],
}
"""How to decompress what starts with these bytes, from standard input to standard output."""


@dataclass(frozen=True)
class Kernel:
    """A kernel as its package lays it out.

    Attributes:
        image: The image, compressed or not.
        tree: The folder of its modules; its name is the kernel's release.
    """

    image: Path
    tree: Path

    @property
    def release(self) -> str:
        """The release, as `uname -r` prints it."""
        return self.tree.name

    def executable(self) -> Path:
        """Return the image in the form that boots fastest.

        QEMU enters an uncompressed kernel directly, which spares the emulated processors
        some seconds. Where nothing here can decompress it, the image stays as it is. Those of
        other architectures are not compressed.
        """
        payload = _payload(self.image.read_bytes())
        for magic, command in _DECOMPRESSORS.items():
            if payload.startswith(magic) and shutil.which(command[0]):

                def decompress(draft: Path, command: list[str] = command) -> None:
                    with draft.open("wb") as output:
                        subprocess.run(command, input=payload, stdout=output, check=True)

                digest = hashlib.sha256(payload).hexdigest()[:16]
                return cache.entry(f"vmlinux/{self.release}-{digest}", decompress)
        return self.image

    def modules(self, names: Sequence[str]) -> dict[str, bytes]:
        """Return modules and whatever they depend on, uncompressed, in loading order.

        Args:
            names: The modules' names; those that are built into the kernel are passed over.
        """
        files = {_module_name(path): path for path in self.tree.glob("kernel/**/*.ko*")}
        builtin = {
            _module_name(Path(line))
            for line in (self.tree / "modules.builtin").read_text().splitlines()
        }
        loaded: dict[str, bytes] = {}

        def load(name: str) -> None:
            if name in loaded or name in builtin:
                return
            if name not in files:
                raise Missing(f"kernel {self.release} has no module {name}")
            content = files[name].read_bytes()
            if files[name].suffix == ".xz":
                content = lzma.decompress(content)
            # The packages ship no modules.dep: that is made at installation.
            depends = re.search(rb"\0depends=([^\0]*)\0", content)
            for other in depends.group(1).decode().split(",") if depends else ():
                if other:
                    load(other)
            loaded[name] = content

        for name in names:
            load(name)
        return loaded


def find(version: str, machine: Architecture = AMD64) -> Kernel:
    """Return the kernel that goes by a name, fetching it if need be.

    Args:
        version: One that the machine has; without meaning where the environment names a kernel.
        machine: What it is for.

    Raises:
        Missing: Not to be had; the message says what would help.
    """
    named = os.environ.get(KERNEL_VARIABLE)
    if named:
        return _unpacked(Path(named))
    if version not in machine.suites:
        raise Missing(
            f"kernel {version!r} is not one of {', '.join(machine.suites)}; "
            f"set {KERNEL_VARIABLE} to the root of an unpacked kernel package to use another"
        )
    name = f"kernel/{version}-{machine.name}"
    return _unpacked(cache.entry(name, lambda root: _fetch(version, machine, root)))


def _fetch(version: str, machine: Architecture, root: Path) -> None:
    try:
        with debian.suite(machine.suites[version], machine.name) as suite:
            needed = suite.requirements(machine.image)
            parts = [
                name for name in needed if re.match(r"linux-(image|binary|modules|base)-\d", name)
            ]
            suite.unpack(parts, root)
    except Missing as error:
        raise Missing(
            f"kernel {version} cannot be fetched: {error}\n"
            f"(or set {KERNEL_VARIABLE} to the root of an unpacked kernel package)"
        ) from error


def _unpacked(root: Path) -> Kernel:
    for tree in sorted([*root.glob("lib/modules/*"), *root.glob("usr/lib/modules/*")]):
        for image in (*root.glob(f"boot/vmlinu[xz]-{tree.name}"), *tree.glob("vmlinu[xz]")):
            return Kernel(image, tree)
    raise Missing(f"no kernel in {root}: expected boot/vmlinuz-* and lib/modules/*")


def _payload(image: bytes) -> bytes:
    """Return the compressed kernel inside a bzImage (the kernel's Documentation/arch/x86/boot)."""
    if image[0x202:0x206] != b"HdrS":
        return b""
    sectors = image[0x1F1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (sectors + 1) * 512 + offset
    return image[start : start + length - 4]  # the last word is the size of the content


def _module_name(path: Path) -> str:
    return path.name.split(".ko")[0].replace("-", "_")
