"""The node of a device, by what sysfs says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pymigrate import InvalidArgument, InvalidType, UnknownNode, device_node, topology


@pytest.fixture
def root(tmp_path: Path) -> str:
    """A machine with two PCI devices, one of them a network card, and a bridge."""
    for address, node in (("0000:3b:00.0", "1"), ("0000:00:02.0", "-1"), ("10000:01:00.1", "3")):
        folder = tmp_path / "sys/bus/pci/devices" / address
        folder.mkdir(parents=True)
        (folder / "numa_node").write_text(f"{node}\n")
    net = tmp_path / "sys/class/net"
    (net / "eth0").mkdir(parents=True)
    (net / "eth0/device").symlink_to("../../../bus/pci/devices/0000:3b:00.0")
    (net / "eth1").mkdir()
    (net / "eth1/device").symlink_to("../../../bus/pci/devices/0000:00:02.0")
    (net / "br0").mkdir()
    return str(tmp_path)


@pytest.mark.parametrize(
    ("device", "node"),
    [("0000:3b:00.0", 1), ("3B:00.0", 1), ("10000:01:00.1", 3), ("eth0", 1)],
)
def test_its_node(root: str, device: str, node: int) -> None:
    # lspci leaves out the domain, and nvidia-smi writes capitals.
    assert device_node(device, root) == node


@pytest.mark.parametrize("device", ["0000:00:02.0", "eth1"])
def test_the_firmware_does_not_say(root: str, device: str) -> None:
    with pytest.raises(UnknownNode, match=r"numa_node is -1\); name the nodes themselves"):
        device_node(device, root)


@pytest.mark.parametrize(
    "device", ["0000:ff:00.0", "eth9", "", "..", ".", "../net/eth0", "a" * 999]
)
def test_no_such_device(root: str, device: str) -> None:
    with pytest.raises(UnknownNode, match="there is no PCI device or network interface") as error:
        device_node(device, root)
    assert len(str(error.value)) < 300


def test_no_hardware(root: str) -> None:
    with pytest.raises(UnknownNode, match="it is no hardware"):
        device_node("br0", root)


def test_no_name() -> None:
    with pytest.raises(InvalidType):
        device_node(3)  # type: ignore[arg-type]


@pytest.mark.parametrize("root", [None, 1, b"/", Path("/")])
def test_no_root(root: Any) -> None:
    for look in (lambda: device_node("eth0", root), lambda: topology(root)):
        with pytest.raises(InvalidType, match="root"):
            look()
    with pytest.raises(InvalidArgument, match="root"):
        topology("a\0b")
