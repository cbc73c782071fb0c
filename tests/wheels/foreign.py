"""Pythons of other architectures, in which a wheel is installed and tested here."""

from __future__ import annotations

import email
import json
import os
import re
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import cache, root

from wheels import runner
from wheels.cross import run

FACTS = """
import json, platform, struct, sys
print(json.dumps({
    "bits": 8 * struct.calcsize("P"),
    "byteorder": sys.byteorder,
    "python": f"{platform.python_implementation()} {platform.python_version()}",
}))
"""


@dataclass(frozen=True)
class Python:
    """Debian's Python of one architecture.

    Attributes:
        command: runs it.
        by: what runs it, in words.
        version: major and minor.
    """

    command: tuple[str, ...]
    by: str
    version: str

    def run(self, *arguments: str, path: tuple[Path, ...] = ()) -> str:
        """Run it with folders to import from, and return what it said.

        Raises:
            Failed: its exit status was not 0.
        """
        return run(*self.command, *arguments, env=self.environment(*path))

    def environment(self, *path: Path) -> dict[str, str]:
        """The environment in which it imports from these folders, and never from the current."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "PYTHONSAFEPATH": "1",
        }

    def facts(self) -> Mapping[str, Any]:
        """What it says of itself and of its machine."""
        told: Mapping[str, Any] = json.loads(self.run("-c", FACTS))
        return told

    def install(self, wheel: Path, folder: Path) -> None:
        """Have its own pip install a wheel, which refuses one that is not for this platform."""
        pip = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile")
        self.run(*pip, "--target", str(folder), str(wheel), path=(self.tools(wheel),))

    def tools(self, wheel: Path) -> Path:
        """The folder with pip, and with what the tests of a wheel take: pure Python only."""
        (name,) = (n for n in zipfile.ZipFile(wheel).namelist() if n.endswith("/METADATA"))
        metadata = email.message_from_bytes(zipfile.ZipFile(wheel).read(name))
        needed = [
            line.partition(";")[0].strip()
            for line in metadata.get_all("Requires-Dist", [])
            if re.search(r"extra == .test\b", line)
        ]
        kind = ("--platform", "any", "--abi", "none", "--implementation", "py")

        def make(folder: Path) -> None:
            install = ("-m", "pip", "install", "--quiet", "--only-binary", ":all:")
            version = ("--python-version", self.version)
            run(sys.executable, *install, *kind, *version, "--target", folder, "pip", *needed)

        named = re.sub(r"[^\w.]+", "-", " ".join(needed))
        return cache.entry(f"python-tools/{self.version}-{named}", make)


def find(userland: str) -> Python:
    """Return the Python of one of Debian's architectures.

    Raises:
        Missing: it is not to be had, or nothing here runs it.
    """
    system = root.find(userland)
    (program,) = system.glob("usr/bin/python3.*[0-9]")
    command, by = runner.of(userland, system, program)
    return Python(command, by, program.name[len("python") :])
