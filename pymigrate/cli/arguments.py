"""Arguments that several subcommands take."""

from __future__ import annotations

import argparse

from pymigrate.errors import InvalidArgument
from pymigrate.nodemask import NodeMask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Subparsers = argparse._SubParsersAction[Any]

__all__ = ["add_json", "add_nodes", "add_pid"]


def add_pid(parser: argparse.ArgumentParser) -> None:
    """The process."""
    parser.add_argument("pid", metavar="PID", type=_pid, help="the process")


def add_nodes(parser: argparse.ArgumentParser) -> None:
    """The two node lists, in the order of migratepages(8)."""
    parser.add_argument("old", metavar="OLD", type=_nodes, help="nodes to move pages from")
    parser.add_argument("new", metavar="NEW", type=_nodes, help="nodes to move them to")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Output for programs."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _nodes(text: str) -> NodeMask:
    try:
        return NodeMask(text)
    except InvalidArgument as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _pid(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:11]) < 2**31):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no process id")
    return int(text)
