"""The nodes of the GPUs that a process has open, by a machine that is put together from files.

No GPU is here: that drivers lay out their files so is their documentation's word.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pymigrate import NodeMask, UnknownNode
from pymigrate.launchers.gpus import gpu_nodes


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two GPUs of NVIDIA's driver, on nodes 1 and 3, and one of the kernel's own, on node 2."""
    for number, (address, node) in enumerate({"0000:3b:00.0": 1, "0000:af:00.0": 3}.items()):
        pci(tmp_path, address, node)
        folder = tmp_path / "proc/driver/nvidia/gpus" / address
        folder.mkdir(parents=True)
        text = f"Model: \t\t NVIDIA H100\nBus Location: \t {address}\nDevice Minor: \t {number}\n"
        (folder / "information").write_text(text)
    pci(tmp_path, "0000:d8:00.0", 2)
    drm = tmp_path / "sys/class/drm/renderD128"
    drm.mkdir(parents=True)
    (drm / "device").symlink_to("../../../bus/pci/devices/0000:d8:00.0")
    return tmp_path


def pci(root: Path, address: str, node: int) -> None:
    folder = root / "sys/bus/pci/devices" / address
    folder.mkdir(parents=True)
    (folder / "numa_node").write_text(f"{node}\n")


def opens(root: Path, *paths: str) -> int:
    """A process that has these files open; its pid."""
    folder = root / "proc/17/fd"
    folder.mkdir(parents=True)
    for number, path in enumerate(paths):
        (folder / str(number)).symlink_to(path)
    return 17


@pytest.mark.parametrize(
    ("paths", "nodes"),
    [
        (["/dev/nvidia0"], "1"),
        (["/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia1", "/dev/nvidia1"], "3"),
        (["/dev/kfd", "/dev/dri/renderD128"], "2"),
        (["/dev/nvidia0", "/dev/dri/renderD128", "pipe:[17]"], "1-2"),
        (["/dev/null", "/dev/nvidiactl"], ""),
    ],
)
def test_by_what_it_has_open(root: Path, paths: list[str], nodes: str) -> None:
    found = gpu_nodes(opens(root, *paths), str(root))
    assert found == (NodeMask(nodes) if nodes else NodeMask())


def test_a_gpu_that_nobody_knows(root: Path) -> None:
    pid = opens(root, "/dev/nvidia7")
    with pytest.raises(UnknownNode, match="no GPU of that minor number"):
        gpu_nodes(pid, str(root))


def test_a_process_that_is_not_there(root: Path) -> None:
    assert gpu_nodes(99, str(root)) == NodeMask()
