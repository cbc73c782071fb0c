"""Packages of any Debian suite, unpacked without installing them.

A private apt state keeps the host's own untouched: no root is needed, no
source is added, nothing is configured. Signatures are verified as always.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from lab.errors import Missing

MIRROR_VARIABLE = "PYMIGRATE_LAB_MIRROR"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class Suite:
    """One suite for one architecture, as one mirror serves it.

    Args:
        mirror: Base address of the mirror.
        name: The suite, such as `bookworm-backports`.
        architecture: Debian's name of the architecture.
        state: Empty folder for apt's lists and archives.
    """

    def __init__(self, mirror: str, name: str, architecture: str, state: Path) -> None:
        self._state = state
        sources = state / "sources.list"
        sources.write_text(f"deb [signed-by={KEYRING}] {mirror} {name} main\n")
        (state / "status").touch()
        self._options = _options(
            {
                "APT::Architecture": architecture,
                "APT::Architectures": architecture,
                "APT::Sandbox::User": "root",  # apt's own user may not enter the folder
                "APT::Get::Assume-Yes": "true",
                "Acquire::Languages": "none",
                "Dir::Cache": str(state),
                "Dir::Etc::SourceList": str(sources),
                "Dir::Etc::SourceParts": "-",
                "Dir::State": str(state),
                "Dir::State::Status": str(state / "status"),
                "Debug::NoLocking": "true",
            }
        )
        self._run("apt-get", "update", "--error-on=any")

    def requirements(self, package: str) -> list[str]:
        """Return what a package needs, itself included, directly and indirectly."""
        unwanted = ["recommends", "suggests", "enhances", "breaks", "conflicts", "replaces"]
        flags = [f"--no-{relation}" for relation in unwanted]
        listing = self._run("apt-cache", "depends", "--recurse", *flags, package)
        return re.findall(r"^(\w\S*)$", listing, re.MULTILINE)

    def unpack(self, packages: Sequence[str], root: Path) -> None:
        """Fetch packages and unpack them into a folder, made if absent."""
        self._run("apt-get", "download", *packages)
        for archive in self._state.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", archive, root], check=True)
            archive.unlink()

    def install(self, packages: Sequence[str], root: Path) -> None:
        """Fetch packages with all that they depend on, and unpack them into a folder.

        The first package goes first, then those that it depends on: links between folders are its.
        """
        for names in (packages[:1], packages):
            self._run("apt-get", "install", "--download-only", "--no-install-recommends", *names)
            for archive in (self._state / "archives").glob("*.deb"):
                subprocess.run(["dpkg-deb", "-x", archive, root], check=True)

    def _run(self, tool: str, *arguments: str) -> str:
        return subprocess.run(
            [tool, "-q", *self._options, *arguments],
            cwd=self._state,
            check=True,
            capture_output=True,
            text=True,
        ).stdout


@contextlib.contextmanager
def suite(name: str, architecture: str = "amd64") -> Iterator[Suite]:
    """Open a suite on the first mirror of this host that serves it.

    Raises:
        Missing: No tool, keyring or mirror, or the mirror failed; says what would help.
    """
    for tool in ("apt-get", "dpkg-deb"):
        if not shutil.which(tool):
            raise Missing(f"{tool} is not installed: no package of Debian can be fetched")
    if not KEYRING.exists():
        raise Missing(f"{KEYRING} is absent: install the package debian-archive-keyring")
    complaints = []
    for mirror in mirrors():
        with tempfile.TemporaryDirectory(prefix="pymigrate-lab-apt-") as state:
            try:
                opened = Suite(mirror, name, architecture, Path(state))
            except subprocess.CalledProcessError as error:
                complaints.append(f"\n{mirror}: {error.stderr.strip()}")
                continue
            try:
                yield opened
            except subprocess.CalledProcessError as error:
                raise Missing(f"{mirror}: {error.stderr or error}") from error
            return
    raise Missing(
        f"no Debian mirror in this host's apt sources serves {name}; "
        f"set {MIRROR_VARIABLE} to the address of one" + "".join(complaints)
    )


def mirrors() -> list[str]:
    """Return the addresses that may be Debian mirrors, the likeliest first."""
    named = os.environ.get(MIRROR_VARIABLE)
    if named:
        return [named]
    with tempfile.TemporaryDirectory(prefix="pymigrate-lab-apt-") as state:
        # Prints one line for each source whether its lists were ever fetched or not.
        listing = subprocess.run(
            ["apt-get", *_options({"Dir::State": state}), "update", "--print-uris"],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
    found = re.findall(r"^'(\S+/debian/?)/dists/[a-z]+/InRelease'", listing, re.MULTILINE)
    return list(dict.fromkeys(found))


def architecture() -> str:
    """Return Debian's name of this machine's architecture."""
    command = ["dpkg", "--print-architecture"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _options(settings: dict[str, str]) -> list[str]:
    return [f"-o{key}={value}" for key, value in settings.items()]
