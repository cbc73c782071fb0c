"""The node that a device is attached to."""

from __future__ import annotations

import os
import re

from pymigrate import _files
from pymigrate._checks import check_root
from pymigrate.errors import InvalidType, UnknownNode, quote

__all__ = ["device_node"]

# A PCI address, with or without its domain.
_PCI = re.compile(r"(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}:[0-9a-f]{2}\.[0-7])", re.IGNORECASE)


def device_node(device: str, root: str = "") -> int:
    """The node of a device.

    Args:
        device: A PCI address (``"0000:3b:00.0"``; a GPU has one too, see nvidia-smi(1) and
            lspci(8)) or a network interface (``"eth0"``).
        root: A folder that stands for ``/``: a copy of ``/sys`` of another machine.

    Returns:
        Its ``numa_node`` in sysfs (Documentation/ABI/testing/sysfs-bus-pci).

    Raises:
        InvalidType: It is no text, or ``root`` is none.
        UnknownNode: There is no such device, it is no hardware, or the firmware does not say where
            it is attached (-1).
    """
    if not isinstance(device, str):
        raise InvalidType(f"device {quote(device)}: a PCI address or the name of an interface")
    check_root(root)
    for path in _folders(device):
        if os.path.isdir(root + path):
            return _node(device, f"{root}{path}")
    raise UnknownNode(
        f"device {quote(device)}: there is no PCI device or network interface of that name; "
        "write it as in /sys/bus/pci/devices or /sys/class/net"
    )


def _folders(device: str) -> list[str]:
    found = _PCI.fullmatch(device)
    if found:
        return [f"/sys/bus/pci/devices/{(found[1] or '0000').lower()}:{found[2].lower()}"]
    if not device or "/" in device or device in (".", ".."):
        return []
    return [f"/sys/class/net/{device}"]


def _node(device: str, folder: str) -> int:
    # An interface is a link to its hardware; a bridge or a tunnel has none.
    for path in (f"{folder}/numa_node", f"{folder}/device/numa_node"):
        try:
            node = int(_files.read_text(path))
        except (OSError, ValueError):
            continue
        if node >= 0:
            return node
        raise UnknownNode(
            f"device {quote(device)}: the firmware does not say on which node it is (numa_node is "
            "-1); name the nodes themselves"
        )
    raise UnknownNode(f"device {quote(device)}: it is no hardware, and has no node")
