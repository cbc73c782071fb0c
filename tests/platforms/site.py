"""The package under test, built for other architectures: what machines of theirs import."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from wheels import cross
from wheels.targets import TARGETS

from platforms.run import ROOT


def find(userland: str) -> Path:
    """Return the folder with the package for one of Debian's architectures, made anew.

    It is below the checkout, which is all that such a machine sees of the host.
    """
    (target,) = (target for target in TARGETS.values() if target.userland == userland)
    (sdist,) = (ROOT / "dist").glob("*.tar.gz")
    work, site = ROOT / "build" / "cross" / userland, ROOT / "build" / "guests" / userland
    for folder in (work, site):
        shutil.rmtree(folder, ignore_errors=True)
    zipfile.ZipFile(cross.wheel(target, sdist, work)).extractall(site)
    return site
