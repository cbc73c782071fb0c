"""Arguments that several subcommands take."""

from __future__ import annotations

import argparse

from pymigrate.errors import InvalidArgument
from pymigrate.nodemask import NodeMask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Subparsers = argparse._SubParsersAction[Any]

__all__ = [
    "add_json",
    "add_nodes",
    "add_pid",
    "add_routes",
    "duration",
    "rate",
    "routes_of",
    "add_pids",
]


def add_pid(parser: argparse.ArgumentParser) -> None:
    """The process."""
    parser.add_argument("pid", metavar="PID", type=_pid, help="the process")


def add_pids(parser: argparse.ArgumentParser) -> None:
    """One process or several."""
    parser.add_argument("pids", metavar="PID", type=_pid, nargs="+", help="a process")


def add_nodes(parser: argparse.ArgumentParser) -> None:
    """The two node lists, in the order of migratepages(8)."""
    parser.add_argument("old", metavar="OLD", type=_nodes, help="nodes to move pages from")
    parser.add_argument("new", metavar="NEW", type=_nodes, help="nodes to move them to")


def add_routes(parser: argparse.ArgumentParser) -> None:
    """Where pages go: two node lists, or a map in their place."""
    for name, what in (("old", "nodes to move pages from"), ("new", "nodes to move them to")):
        parser.add_argument(name, metavar=name.upper(), type=_nodes, nargs="?", help=what)
    parser.add_argument(
        "--map",
        dest="moves",
        type=_map,
        metavar="OLD:NEW,...",
        help="in place of OLD and NEW: which node's pages go to which, 0:2,1:3; 0:1,1:0 swaps two",
    )


def routes_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """What ``add_routes`` took, as keyword arguments of ``Migration`` and ``check``."""
    old, new, moves = arguments.old, arguments.new, arguments.moves
    if (moves is None) == (new is None) or (moves is not None and old is not None):
        raise InvalidArgument("give the nodes OLD and NEW, or --map OLD:NEW in their place")
    return {"old": old, "new": new, "moves": moves}


def add_json(parser: argparse.ArgumentParser) -> None:
    """Output for programs."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _nodes(text: str) -> NodeMask:
    try:
        return NodeMask(text)
    except InvalidArgument as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _pid(text: str) -> int:
    digits = text.isascii() and text.isdecimal() and len(text) <= 10
    if not (digits and 0 < int(text) < 2**31):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no process id")
    return int(text)


def _map(text: str) -> dict[int, int]:
    moves: dict[int, int] = {}
    for pair in text.split(","):
        source, colon, target = pair.partition(":")
        if not colon:
            raise argparse.ArgumentTypeError(f"{pair[:40]!r} is no move; write OLD:NEW, as in 0:2")
        for node in NodeMask(_nodes(source)):
            if node in moves:
                raise argparse.ArgumentTypeError(f"node {node} is given two targets")
            moves[node] = _one_node(target)
    return moves


def _one_node(text: str) -> int:
    nodes = _nodes(text)
    if len(nodes) != 1:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not one node")
    return nodes[0]


_BYTES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SECONDS = {"": 1.0, "s": 1.0, "ms": 1e-3, "us": 1e-6}


def rate(text: str) -> float:
    """Bytes: ``500M`` (binary units)."""
    return _quantity(text.upper(), _BYTES, "a size: write 500M or 2G")


def duration(text: str) -> float:
    """Seconds: ``5ms``."""
    return _quantity(text, _SECONDS, "a time: write 5ms or 0.5s")


def _quantity(text: str, units: dict[str, float] | dict[str, int], what: str) -> float:
    number = text.rstrip("KMGTmsu")
    try:
        value = float(number) * units[text[len(number) :]]
    except (KeyError, ValueError):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not {what}") from None
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text[:40]!r}: it has to be positive and finite")
    return value
