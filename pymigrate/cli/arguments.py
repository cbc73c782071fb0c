"""Arguments that several subcommands take."""

from __future__ import annotations

import argparse
import shutil
import textwrap

from pymigrate.errors import InvalidArgument
from pymigrate.nodemask import NodeMask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, NoReturn

    Subparsers = argparse._SubParsersAction[Any]

__all__ = [
    "Misuse",
    "Parser",
    "TopParser",
    "add_json",
    "add_nodes",
    "add_parser",
    "add_routes",
    "add_switch",
    "node_set",
    "pid",
    "routes_of",
]


class Misuse(Exception):
    """Arguments that cannot be parsed."""

    def __init__(self, parser: argparse.ArgumentParser, message: str) -> None:
        super().__init__(message)
        self._parser = parser

    def end(self) -> NoReturn:
        """Tells the usage and what is wrong, and ends the program, as the library does."""
        argparse.ArgumentParser.error(self._parser, str(self))


class TopParser(argparse.ArgumentParser):
    """A parser that leaves the telling of what is wrong to whoever knows for whom.

    Options have one spelling each, by which they are known also where the rest cannot be parsed.

    Raises:
        Misuse: Arguments cannot be parsed.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """What is wrong, for the caller."""
        raise Misuse(self, message)


class Parser(TopParser):
    """A parser that takes options between operands, also where some operands may be left out.

    Attributes:
        hints: What to take in place of an option that other subcommands have, by its name.
    """

    hints: Mapping[str, str] = {}
    _within = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As the library's, in the two passes that it has for this, which come here again."""
        if self._within:
            return super().parse_known_args(args, namespace)
        self._within = True
        try:
            found, unknown = self.parse_known_intermixed_args(args, namespace)
        finally:
            self._within = False
        if unknown:  # here, as the parser of all commands would show its own usage
            words = [f"unrecognized arguments: {' '.join(unknown)}"]
            self.error("; ".join(words + [self.hints[it] for it in unknown if it in self.hints]))
        return found, unknown


def add_parser(
    subparsers: Subparsers, name: str, summary: str, description: str, statuses: str
) -> Parser:
    """The parser of a subcommand, whose help ends with its exit statuses."""
    parser: Parser = subparsers.add_parser(
        name,
        help=summary,
        # The formatter that keeps the lines of the epilog keeps those of all.
        description=textwrap.fill(description, shutil.get_terminal_size().columns - 2),
        epilog=f"exit status:\n{statuses}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser


def add_nodes(
    parser: argparse.ArgumentParser,
    old: str = "nodes to move pages from",
    new: str = "nodes to move them to",
) -> None:
    """The two node lists, in the order of migratepages(8), and what they are for."""
    parser.add_argument("old", metavar="OLD", type=node_set, help=old)
    parser.add_argument("new", metavar="NEW", type=node_set, help=new)


def add_routes(parser: argparse.ArgumentParser) -> None:
    """Where pages go: two node lists, or a map in their place."""
    for name, what in (("old", "nodes to move pages from"), ("new", "nodes to move them to")):
        parser.add_argument(name, metavar=name.upper(), type=node_set, nargs="?", help=what)
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


def add_switch(parser: argparse.ArgumentParser, name: str, do: str, leave: str) -> None:
    """``--NAME`` and ``--no-NAME``, which exclude each other; None if neither is given."""
    switch = parser.add_mutually_exclusive_group()
    switch.add_argument(f"--{name}", action="store_true", default=None, help=do)
    switch.add_argument(f"--no-{name}", dest=name, action="store_false", default=None, help=leave)


def add_json(parser: argparse.ArgumentParser) -> None:
    """Output for programs."""
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object, an error as well"
    )


def node_set(text: str) -> NodeMask:
    """A node list."""
    try:
        return NodeMask(text)
    except InvalidArgument as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def pid(text: str) -> int:
    """A process id, written in digits."""
    digits = text.isascii() and text.isdecimal() and len(text) <= 10
    if not (digits and 0 < int(text) < 2**31):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no process id; give a number above 0")
    return int(text)


def _map(text: str) -> dict[int, int]:
    moves: dict[int, int] = {}
    for pair in text.split(","):
        if pair.count(":") != 1:
            fault = "has more than one colon" if ":" in pair else "has no colon"
            raise argparse.ArgumentTypeError(f"{pair[:40]!r} {fault}; write OLD:NEW, as in 0:2,1:3")
        source, _, target = pair.partition(":")
        for node in NodeMask(node_set(source)):
            if node in moves:
                fault = f"node {node} is given two targets; its pages can go to one"
                raise argparse.ArgumentTypeError(fault)
            moves[node] = _one_node(target)
    return moves


def _one_node(text: str) -> int:
    nodes = node_set(text)
    if len(nodes) != 1:
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r} is not one node; write OLD:NEW, as in 0:2,1:3"
        )
    return nodes[0]
