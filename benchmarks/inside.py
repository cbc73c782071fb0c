"""The part of the comparison that runs inside the emulated machine, which machine.py starts."""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path

import groups
from compiled import Peers


def main(folder: str, *names: str) -> None:
    """Prints the kernel's name, and then each row as a line of JSON.

    Args:
        folder: Where the peers were compiled into.
        names: Groups of rows.
    """
    print(json.dumps(platform.release()), flush=True)
    for row in groups.measure(names, Peers(Path(folder))):
        print(json.dumps(row.to_dict()), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
