"""Moves the memory of running processes between NUMA nodes, and tells what moved.

``migrate(pid, old, new)`` makes the system call; ``plan(old, new)`` says beforehand which node's
pages go where; ``NodeMask`` is a set of nodes in every form that it is written in.
"""

from pymigrate.errors import (
    Error,
    InvalidArgument,
    InvalidNodes,
    InvalidType,
    KernelError,
    NodesRefused,
    NoSuchProcess,
    NotPermitted,
    NoUserMemory,
    OutOfMemory,
    Unsupported,
)
from pymigrate.migrate import migrate
from pymigrate.nodemask import NodeMask
from pymigrate.plan import plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate.nodemask import Nodes as Nodes

__all__ = [
    "migrate",
    "plan",
    "NodeMask",
    "Error",
    "InvalidArgument",
    "InvalidType",
    "InvalidNodes",
    "KernelError",
    "NoSuchProcess",
    "NotPermitted",
    "NodesRefused",
    "NoUserMemory",
    "OutOfMemory",
    "Unsupported",
]


def __getattr__(name: str) -> str:
    if name == "__version__":
        # Looked up on request: the one place of the number is pyproject.toml.
        from importlib.metadata import version

        return version("pymigrate-numa")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
