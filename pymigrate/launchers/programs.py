"""Programs of an engine: run, and their absence told in one line."""

from __future__ import annotations

import os
import shutil
import subprocess
from signal import strsignal

from pymigrate.errors import EngineMissing, LauncherError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ask", "require", "words_of"]

_PATIENCE = 60.0  # seconds for a question to a controller that is busy


def require(program: str, package: str) -> str:
    """Where a program is.

    Raises:
        EngineMissing: It is not on PATH.
    """
    found = shutil.which(program)
    if found is None:
        raise EngineMissing(
            f"there is no {program} on PATH",
            reason="no-engine",
            remedy=f"run this where the commands of {package} are installed",
        )
    return found


def ask(
    command: Sequence[str], package: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Asks an engine's program something; what it answers and its status are for the caller.

    Ctrl-C reaches us, and not the program: it is no failure of the engine.

    Raises:
        EngineMissing: It is not on PATH.
        LauncherError: It does not answer.
    """
    program = require(command[0], package)
    try:
        return subprocess.run(
            [program, *command[1:]],
            env={**(os.environ if env is None else env), "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        raise LauncherError(
            f"{command[0]} does not answer within {_PATIENCE:g} s",
            remedy=f"see whether {package} works at all",
        ) from None


def words_of(answer: subprocess.CompletedProcess[str]) -> str:
    """What a program that has failed says of it, in one line; else how it ended."""
    told = " ".join(answer.stderr.split())
    if told:
        return told
    status = answer.returncode
    end = f"by signal {-status}, {strsignal(-status)}" if status < 0 else f"with status {status}"
    return f"{os.path.basename(answer.args[0])} ended {end}"
