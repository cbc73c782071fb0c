#!/usr/bin/env python3
"""Starts a program with a follower beside it: its memory comes to wherever it is bound later.

    followed.py [--session] [--name NAME] PROGRAM [ARGUMENT...]

It stands before a program wherever a launcher takes a command:

    mpiexec -n 8 followed.py ./solver input
    torchrun --no-python --nproc-per-node 8 followed.py python train.py

It runs by the interpreter that has pymigrate. PYMIGRATE_FOLLOW holds options of `pymigrate follow`,
such as "--rate 1G --interval 1s", and PYMIGRATE_FOLLOW_LOG names a file for what it tells. The
follower ends with what it follows. Where it cannot be started, the program is not either.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import IO, NoReturn


def main() -> None:
    """Becomes the program, once the follower has been started."""
    parser = argparse.ArgumentParser(description="start a program whose memory follows it")
    parser.add_argument("--session", action="store_true", help="follow its whole session")
    parser.add_argument("--name", help="what the program is to take for its name (argv[0])")
    parser.add_argument("program")
    arguments = parser.add_argument("arguments", nargs=argparse.REMAINDER)
    arguments.required = False  # some argparse calls for them where the program is missing
    wish = parser.parse_args()
    start_follower(os.getpid(), *["--session"] * wish.session)  # exec keeps the pid
    try:
        os.execvp(wish.program, [wish.name or wish.program, *wish.arguments])  # noqa: S606
    except OSError as error:
        print(f"followed.py: {wish.program}: {error.strerror}", file=sys.stderr)
        sys.exit(127)  # as shells have it


def start_follower(pid: int, *kind: str) -> None:
    """Runs `pymigrate follow` on a process, in a session of its own.

    It is nobody's child, so a program that waits for all of its children does not wait for it.

    Raises:
        SystemExit: It cannot be started, and why.
    """
    wanted = os.environ.get("PYMIGRATE_FOLLOW", "")
    # By its own script, and isolated (-I): it is not to import what the job has in its folder or
    # on PYTHONPATH, nor to look for Python at PYTHONHOME.
    script = Path(sys.executable).with_name("pymigrate")
    if not os.access(script, os.X_OK):
        sys.exit(f"followed.py: there is no {script}: use the interpreter that has pymigrate")
    try:
        options = shlex.split(wanted)
        log = open(os.environ.get("PYMIGRATE_FOLLOW_LOG", os.devnull), "a")  # noqa: SIM115
    except ValueError as error:
        sys.exit(f"followed.py: PYMIGRATE_FOLLOW={wanted!r}: {error}")
    except OSError as error:
        sys.exit(f"followed.py: PYMIGRATE_FOLLOW_LOG: {error}")
    between = os.fork()
    if between == 0:
        detach([sys.executable, "-I", str(script), "follow", *options, *kind, str(pid)], log)
    log.close()
    if os.waitpid(between, 0)[1]:
        sys.exit(f"followed.py: {script} does not start")


def detach(command: list[str], log: IO[str]) -> NoReturn:
    """Starts a command, and ends this process."""
    status = 1
    try:
        # A launcher may wait until everybody has closed the streams that it has given.
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        status = 0
    finally:
        os._exit(status)  # not into what the caller would do next


if __name__ == "__main__":
    main()
