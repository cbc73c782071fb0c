"""Ground: arguments that make no sense, refused before any call is made."""

from __future__ import annotations

from _collections_abc import Mapping

from pymigrate.errors import InvalidArgument, InvalidNodes, InvalidType, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate.nodemask import NodeMask  # for the checker alone: the ground knows no sets

__all__ = [
    "SECONDS_MAX",
    "check_bounds",
    "check_count",
    "check_flag",
    "check_folder",
    "check_no_map",
    "check_pid",
    "check_positive",
    "check_root",
    "check_targets",
    "check_time",
]

_PID_MAX = 2**31 - 1  # pid_t is an int
_FLOAT_MAX = 1.7976931348623157e308  # sys.float_info.max
_RATE_MIN = 1  # byte in a second: a page then takes an hour
SECONDS_MAX = 366 * 24 * 3600.0
"""The longest time that anybody can mean."""


def check_pid(pid: int) -> None:
    """Refuses what is no process id; 0 is the caller.

    Raises:
        InvalidType: It is no int.
        InvalidArgument: It is negative, or larger than any pid.
    """
    if isinstance(pid, bool) or not isinstance(pid, int):
        raise InvalidType(f"pid {quote(pid)}: a pid is an int, not {type(pid).__name__}")
    if not 0 <= pid <= _PID_MAX:
        raise InvalidArgument(
            f"pid {quote(pid)}: pids go from 1 to {_PID_MAX}; 0 is the calling process"
        )


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


def check_time(name: str, value: float | None) -> None:
    """Refuses what is no time that anybody waits, in seconds; None stands for no bound.

    Raises:
        InvalidType: It is no number.
        InvalidArgument: It is not positive, or longer than a year.
    """
    check_positive(name, value)
    if value is not None and value > SECONDS_MAX:
        raise InvalidArgument(f"{name} {quote(value)}: give a year at the most, in seconds")


def check_bounds(rate: float | None, max_stall: float | None) -> None:
    """Refuses bounds within which no operation can be meant to work; None stands for no bound.

    Raises:
        InvalidType: One of them is no number.
        InvalidArgument: One of them is out of range.
    """
    check_positive("rate", rate)
    if rate is not None and rate < _RATE_MIN:
        raise InvalidArgument(f"rate {quote(rate)}: give {_RATE_MIN} byte in a second at the least")
    check_time("max_stall", max_stall)


def check_count(name: str, value: int, lowest: int, highest: int) -> None:
    """Refuses what is no int in a range.

    Raises:
        InvalidType: It is no int.
        InvalidArgument: It is outside the range.
    """
    if type(value) is not int:
        raise InvalidType(f"{name} {quote(value)}: give an int from {lowest} to {highest}")
    if not lowest <= value <= highest:
        raise InvalidArgument(f"{name} {quote(value)}: give an int from {lowest} to {highest}")


def check_flag(name: str, value: bool | None, *, optional: bool = False) -> None:
    """Refuses what is neither True nor False, nor None where that stands for a third.

    Raises:
        InvalidType: It is something else.
    """
    if not isinstance(value, bool) and not (optional and value is None):
        choices = "None, True or False" if optional else "True or False"
        raise InvalidType(f"{name} {quote(value)}: give {choices}")


def check_folder(folder: str) -> None:
    """Refuses what is no name of a folder.

    Raises:
        InvalidType: It is no text, and no path.
        InvalidArgument: It is empty, which would mean the working directory.
    """
    remedy = "give the path of a cgroup, such as /sys/fs/cgroup/job"
    if not isinstance(folder, str) and not hasattr(folder, "__fspath__"):
        raise InvalidType(f"folder {quote(folder)}: {remedy}")
    if not folder:
        raise InvalidArgument(f"folder {quote(folder)}: {remedy}")


def check_root(root: str) -> None:
    """Refuses what cannot stand for ``/``.

    Raises:
        InvalidType: It is no text.
        InvalidArgument: It is no path.
    """
    if not isinstance(root, str):
        raise InvalidType(f"root {quote(root)}: give the path of a folder, as a str")
    if "\0" in root:
        raise InvalidArgument(f"root {quote(root)}: give the path of a folder")


def check_no_map(name: str, nodes: object) -> None:
    """Refuses a map for a node set: its keys would be taken, and its values dropped in silence.

    Raises:
        InvalidType: It is a map.
    """
    # Asking the abstract class takes three times as long, and this is asked for each bare call.
    if hasattr(nodes, "keys") and isinstance(nodes, Mapping):
        remedy = "give node sets as old and new, or the map as moves= to Migration or check()"
        raise InvalidType(f"{name} {quote(nodes)}: a map is no node set; {remedy}")


def check_targets(new: NodeMask) -> None:
    """Refuses a set of targets that is empty.

    Raises:
        InvalidNodes: It is.
    """
    if not new:
        raise InvalidNodes("new is empty: name a node that the pages can go to", new)
