"""Ground: arguments that make no sense, refused before any call is made."""

from __future__ import annotations

from pymigrate.errors import InvalidArgument, InvalidType, quote

__all__ = ["check_count", "check_pid", "check_positive"]

_PID_MAX = 2**31 - 1  # pid_t is an int
_FLOAT_MAX = 1.7976931348623157e308  # sys.float_info.max


def check_pid(pid: int) -> None:
    """Refuses what is no process id; 0 is the caller.

    Raises:
        InvalidType: It is no int.
        InvalidArgument: It is negative, or larger than any pid.
    """
    if isinstance(pid, bool) or not isinstance(pid, int):
        raise InvalidType(f"pid {quote(pid)}: a pid is an int, not {type(pid).__name__}")
    if not 0 <= pid <= _PID_MAX:
        raise InvalidArgument(f"pid {quote(pid)}: a pid is positive; 0 is the calling process")


def check_positive(name: str, value: float | None) -> None:
    """Refuses what is no positive, finite number; None stands for no bound.

    Raises:
        InvalidType: It is no number.
        InvalidArgument: It is zero, negative, infinite or not a number.
    """
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidType(f"{name} {quote(value)}: a number has to be given")
    if not 0 < value <= _FLOAT_MAX:
        raise InvalidArgument(f"{name} {quote(value)}: a positive, finite number has to be given")


def check_count(name: str, value: int, lowest: int, highest: int) -> None:
    """Refuses what is no int in a range.

    Raises:
        InvalidType: It is no int.
        InvalidArgument: It is outside the range.
    """
    if type(value) is not int:
        raise InvalidType(f"{name} {quote(value)}: an int has to be given")
    if not lowest <= value <= highest:
        raise InvalidArgument(f"{name} {quote(value)}: {lowest} up to {highest}")
