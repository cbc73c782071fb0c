"""Inside the first of two machines: one job over both is moved from outside, by one command.

    python -m support.two_machines

Prints one line of JSON: the report, and what the tasks say of their memory afterwards.
"""

from __future__ import annotations

import json
import os
import sys
import time

from support.holders import holders
from support.slurm import Slurm, idle, wait_for

PATIENCE = 120
HOSTS = ("h1", "h2")
TASKS = 8


def main() -> None:
    """Moves a job of eight tasks from node 0 to node 3 of both machines."""
    os.chdir("/")  # the package that is installed, and not the sources, is in question
    cluster = Slurm(HOSTS, 0)
    wait_for(lambda: idle(cluster) == len(HOSTS), PATIENCE)
    with holders(cluster, len(HOSTS), TASKS) as tasks:
        command = [sys.executable, "-m", "pymigrate", "job", f"slurm:{tasks.job}", "0", "3"]
        start = time.monotonic()
        done = cluster.run(*command, "--json", check=False)
        took = time.monotonic() - start
        told = tasks.ask()
    result = {"status": done.returncode, "error": done.stderr, "took": took, "told": told}
    print(json.dumps({**result, "report": json.loads(done.stdout or "null")}), flush=True)


if __name__ == "__main__":
    main()
