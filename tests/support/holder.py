"""A task of a job that holds memory on one node, and in the end says where it is.

    python -m support.holder FOLDER NODE PAGES

It writes FOLDER/held.RANK when it has the memory, waits for FOLDER/tell, and then writes
FOLDER/told.RANK: as JSON, pages by node, and whether every byte is as it was. Then it waits for its
end.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from support.memory import Block
from support.numa import nodes_of


def main() -> None:
    """Lives."""
    folder, node, pages = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    rank = os.environ["SLURM_PROCID"]
    block = Block([node] * pages)
    _write(folder / f"held.{rank}", {})
    while not (folder / "tell").exists():
        time.sleep(0.1)
    nodes = Counter(nodes_of(0, block.addresses))
    _write(folder / f"told.{rank}", {"nodes": nodes, "intact": block.intact()})
    signal.pause()


def _write(path: Path, values: object) -> None:
    """As a whole or not at all."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(values))
    draft.rename(path)


if __name__ == "__main__":
    main()
