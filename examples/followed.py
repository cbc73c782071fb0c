#!/usr/bin/env python3
"""Starts a program with a follower beside it: its memory comes to wherever it is bound later.

    followed.py [--session] [--name NAME] PROGRAM [ARGUMENT...]

It stands before a program wherever a launcher takes a command:

    mpiexec -n 8 followed.py ./solver input
    torchrun --no-python --nproc-per-node 8 followed.py python train.py

PYMIGRATE_FOLLOW holds options of `pymigrate follow`, such as "--rate 1G --interval 1s", and
PYMIGRATE_FOLLOW_LOG names a file for what it tells. The follower ends with what it follows.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from pathlib import Path


def main() -> None:
    """Becomes the program, once the follower has been started."""
    parser = argparse.ArgumentParser(description="start a program whose memory follows it")
    parser.add_argument("--session", action="store_true", help="follow its whole session")
    parser.add_argument("--name", help="what the program is to take for its name (argv[0])")
    parser.add_argument("program")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    wish = parser.parse_args()
    start_follower(os.getpid(), *["--session"] * wish.session)  # exec keeps the pid
    os.execvp(wish.program, [wish.name or wish.program, *wish.arguments])  # noqa: S606


def start_follower(pid: int, *kind: str) -> None:
    """Runs `pymigrate follow` on a process, in a session of its own.

    It is nobody's child, so a program that waits for all of its children does not wait for it.
    """
    options = shlex.split(os.environ.get("PYMIGRATE_FOLLOW", ""))
    # By its own script: `python -m` would import what lies in the folder of the job by that name.
    script = str(Path(sys.executable).with_name("pymigrate"))
    command = [script, "follow", *options, *kind, str(pid)]
    between = os.fork()
    if between:
        os.waitpid(between, 0)
        return
    try:
        with open(os.environ.get("PYMIGRATE_FOLLOW_LOG", os.devnull), "a") as log:
            # A launcher may wait until everybody has closed the streams that it has given.
            subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
