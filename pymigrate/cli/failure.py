"""An error as programs read it in the output of ``--json``."""

from __future__ import annotations

from pymigrate.errors import KernelError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pymigrate.errors import Error

__all__ = ["failure"]


def failure(error: Error) -> dict[str, Any]:
    """What ``json.dumps`` takes; reason and errno are None where no kernel has refused."""
    reason, errno = (error.reason, error.errno) if isinstance(error, KernelError) else (None, None)
    return {
        "type": type(error).__name__,
        "message": str(error),
        "reason": reason,
        "errno": errno,
    }
