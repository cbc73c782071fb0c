"""Where the memory of a process ought to be that works with GPUs: on the nodes of these."""

from __future__ import annotations

import errno
import os
import re

from pymigrate import _files
from pymigrate.errors import NodesRefused, UnknownNode
from pymigrate.jobs.places import Places
from pymigrate.kernel.devices import device_node
from pymigrate.kernel.nodes import topology
from pymigrate.nodemask import NodeMask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["GpuPlaces", "gpu_nodes"]

# Device files of the direct rendering manager (drivers of AMD, Intel and others) and of NVIDIA's
# own driver, which tells in a file of its own which PCI device has which minor number.
_DRM = re.compile(r"/dev/dri/((?:renderD|card)[0-9]+)")
_NVIDIA = re.compile(r"/dev/nvidia([0-9]+)")
_NVIDIA_GPUS = "/proc/driver/nvidia/gpus"
_MINOR = re.compile(r"^Device Minor:\s*([0-9]+)$", re.MULTILINE)


class GpuPlaces:
    """The places of processes by the GPUs that they have open; who has none stays where it is."""

    def __init__(self) -> None:
        self._machine = topology()
        self._memory = NodeMask(node.number for node in self._machine if node.memory_total)

    def of(self, pid: int) -> NodeMask:
        """The nodes where the memory of a process ought to be.

        Raises:
            NodesRefused: It is not told where one of its GPUs is: that is about this process, and
                no reason not to deal with the others.
        """
        nodes = _nodes(pid)
        return Places(self._machine, nodes=nodes).of(pid) if nodes else self._memory

    def moves(self, pid: int) -> dict[int, int]:
        """A map for a migration of a process, as of ``Places``; raises as ``of()``."""
        nodes = _nodes(pid)
        if not nodes:
            return {node: node for node in self._memory}
        return Places(self._machine, nodes=nodes).moves(pid)


def _nodes(pid: int) -> NodeMask:
    try:
        return gpu_nodes(pid)
    except UnknownNode as error:
        raise NodesRefused(
            errno.ENODEV,
            str(error).partition("; ")[0],
            pid=pid,
            reason="unknown-node",
            remedy="name the nodes themselves",
        ) from error


def gpu_nodes(pid: int, root: str = "") -> NodeMask:
    """The nodes of the GPUs that a process has open; none if it has none, or may not be looked at.

    Args:
        pid: The process.
        root: A folder that stands for ``/``: a copy of another machine.

    Raises:
        UnknownNode: It is not told where one of them is.
    """
    found = {_node(path, root) for path in _open_files(pid, root)}
    return NodeMask(node for node in found if node is not None)


def _open_files(pid: int, root: str) -> set[str]:
    folder = f"{root}/proc/{pid}/fd"
    found = set()
    try:
        for name in os.listdir(folder):
            found.add(os.readlink(f"{folder}/{name}"))
    except OSError:  # of somebody else, or gone meanwhile
        pass
    return found


def _node(path: str, root: str) -> int | None:
    """The node of the GPU that a device file is of; None if it is of none."""
    drm = _DRM.fullmatch(path)
    if drm:
        # A link to the PCI device.
        device = os.path.realpath(f"{root}/sys/class/drm/{drm[1]}/device")
        return device_node(os.path.basename(device), root)
    nvidia = _NVIDIA.fullmatch(path)
    if nvidia:
        for address, minor in _nvidia_minors(root):
            if minor == nvidia[1]:
                return device_node(address, root)
        raise UnknownNode(f"device {path}: {_NVIDIA_GPUS} has no GPU of that minor number")
    return None


def _nvidia_minors(root: str) -> Iterator[tuple[str, str]]:
    """PCI address and minor number of each GPU of NVIDIA's driver."""
    folder = root + _NVIDIA_GPUS
    for address in os.listdir(folder) if os.path.isdir(folder) else ():
        found = _MINOR.search(_files.read_text(f"{folder}/{address}/information"))
        if found:
            yield address, found[1]
