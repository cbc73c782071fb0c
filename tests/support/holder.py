"""A task of a Slurm job that holds memory on one node, and says when asked where it is.

    python -m support.holder NODE PAGES

It prints lines of JSON: one when it has the memory; for each line of its standard input one more,
with pages by node, and whether every byte is as it was. It ends with its standard input.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter

from support.memory import Block
from support.numa import nodes_of


def main() -> None:
    """Lives."""
    node, pages = int(sys.argv[1]), int(sys.argv[2])
    who = {"job": os.environ["SLURM_JOB_ID"], "rank": int(os.environ["SLURM_PROCID"])}
    block = Block([node] * pages)
    print(json.dumps(who), flush=True)
    for _ in sys.stdin:
        nodes = Counter(nodes_of(0, block.addresses))
        told = {"nodes": nodes, "intact": block.intact(), "host": os.environ["SLURMD_NODENAME"]}
        print(json.dumps({**who, **told}), flush=True)


if __name__ == "__main__":
    main()
