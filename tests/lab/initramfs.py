"""The first root file system of the machine: busybox, a few modules and the init script."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab import cache, debian
from lab.architectures import AMD64, Architecture
from lab.kernel import Kernel

INIT = Path(__file__).with_name("init.sh")
MODULES = ("virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay", "zram", "loop", "minix")


def base(kernel: Kernel, machine: Architecture = AMD64) -> Path:
    """Return the part that is the same for every run of a kernel."""
    shell = busybox(machine)
    made_of = (MODULES, kernel, kernel.image.stat().st_mtime_ns)
    stamp = hashlib.sha256(INIT.read_bytes() + shell.read_bytes() + repr(made_of).encode())

    def make(draft: Path) -> None:
        modules = kernel.modules(MODULES).values()
        files = {f"modules/{number:02}.ko": content for number, content in enumerate(modules)}
        files["init"] = INIT.read_bytes()
        files["bin/busybox"] = shell.read_bytes()
        draft.write_bytes(archive(files))

    return cache.entry(f"initramfs/{kernel.release}-{stamp.hexdigest()[:16]}.cpio", make)


def further_modules(kernel: Kernel, names: Sequence[str]) -> dict[str, bytes]:
    """Return what an archive has to hold besides for the init script to load further modules."""
    if not names:
        return {}
    loaded = kernel.modules(MODULES)
    further = [data for name, data in kernel.modules(names).items() if name not in loaded]
    return {f"modules/further{number:02}.ko": data for number, data in enumerate(further)}


def archive(files: Mapping[str, bytes]) -> bytes:
    """Return files, given by path, as a cpio archive.

    An initramfs may be several of them, one after the other.
    """
    with tempfile.TemporaryDirectory(prefix="pymigrate-lab-initramfs-") as room:
        for name, content in files.items():
            path = Path(room, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o755)
        names = "\n".join(str(path.relative_to(room)) for path in sorted(Path(room).rglob("*")))
        return subprocess.run(
            [busybox(AMD64), "cpio", "-o", "-H", "newc", "-R", "0:0"],
            cwd=room,
            input=names.encode(),
            check=True,
            capture_output=True,
        ).stdout


def busybox(machine: Architecture) -> Path:
    """Return a busybox that needs no libraries: the host's, or one from Debian."""
    found = shutil.which("busybox") if machine is AMD64 else None
    if found and not re.search(rb"/lib(64)?/ld-", Path(found).read_bytes()):  # names a loader
        return Path(found)

    def fetch(root: Path) -> None:
        with debian.suite("trixie", machine.name) as suite:
            suite.unpack(["busybox-static"], root)

    root = cache.entry(f"busybox-{machine.name}", fetch)
    return next(path for path in root.glob("**/bin/busybox"))
