"""The emulated machine: measures groups of rows in it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from groups import COUNTED, LARGE
from row import Row

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "tests"))

from lab import LabError, Machine, Missing  # noqa: E402  found by the line above

__all__ = ["Missing", "measure"]


def measure(folder: Path, names: Sequence[str], place: str) -> tuple[str, list[Row]]:
    """Boots the machine for groups of rows.

    Args:
        folder: Where the peers were compiled into.
        names: The groups.
        place: Which machine. Where time is counted, processors execute instructions in turns.

    Returns:
        What the machine is, and the rows; the last of them says so if it failed on the way.

    Raises:
        Missing: This host cannot run it; the message says what would help.
    """
    counted = place == COUNTED
    memory = "9G" if place == LARGE else "1536M"
    machine = Machine(
        nodes=2, cpus=2, memory=memory, swap="1G", parallel=not counted, counted=counted
    )
    output = bytearray()
    command = [sys.executable, str(HERE / "inside.py"), str(folder), *names]
    failures = []
    try:
        status = machine.run(command, stdout=output.extend)
        if status:
            raise LabError(f"the measurement in the machine ended with {status}")
    except Missing:
        raise
    except LabError as error:
        failures.append(Row.failure(", ".join(names), error))
    # What comes after the last newline was being written when the machine failed.
    kernel, *rows = map(json.loads, bytes(output).split(b"\n")[:-1] or [b'"that did not boot"'])
    what = f"Linux {kernel}, emulated: {machine}"
    return what, [Row.from_dict(row) for row in rows] + failures
