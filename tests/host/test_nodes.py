"""What NodeMask reads from the kernel is what the kernel says, by whatever way one asks."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support import mounts, requires
from support.processes import ended, idle_process, in_child

from pymigrate import InvalidNodes, NodeMask, NoSuchProcess, Unsupported

NODES = Path("/sys/devices/system/node")


def status(name: str, task: str = "thread-self") -> str:
    """A field of /proc/.../status."""
    lines = Path(f"/proc/{task}/status").read_text(encoding="utf-8").splitlines()
    return dict(line.split(":", 1) for line in lines)[name].strip()


@pytest.mark.parametrize("name", ["possible", "online", "has_memory"])
def test_files_of_sysfs(name: str) -> None:
    mask: NodeMask = getattr(NodeMask, name)()
    assert str(mask) == (NODES / name).read_text(encoding="ascii").strip()


def test_online_nodes_have_a_directory() -> None:
    assert NodeMask.online() == {int(path.name[4:]) for path in NODES.glob("node[0-9]*")}


def test_nested() -> None:
    assert NodeMask.has_memory() <= NodeMask.online() <= NodeMask.possible()
    assert NodeMask.allowed() <= NodeMask.possible()
    assert NodeMask.allowed() & NodeMask.has_memory()


def test_allowed_of_the_caller() -> None:
    mask = NodeMask.allowed()
    assert str(mask) == status("Mems_allowed_list")
    assert mask == NodeMask.from_hex(status("Mems_allowed"))
    assert mask == NodeMask.allowed(os.getpid()) == NodeMask.allowed(threading.get_native_id())


def test_allowed_of_others() -> None:
    with idle_process() as pid:
        assert str(NodeMask.allowed(pid)) == status("Mems_allowed_list", str(pid))
    with ThreadPoolExecutor(1) as pool:
        thread = pool.submit(threading.get_native_id).result()
        assert str(NodeMask.allowed(thread)) == status("Mems_allowed_list", str(thread))


def test_allowed_of_nobody() -> None:
    pid = ended()
    with pytest.raises(NoSuchProcess, match=f"pid {pid}"):
        NodeMask.allowed(pid)


def test_lists_relative_to_the_cpuset() -> None:
    allowed = NodeMask(status("Mems_allowed_list"))
    assert NodeMask("all") == NodeMask("+all") == allowed
    assert NodeMask("+0") == {allowed.lowest}
    assert NodeMask(f"+0-{len(allowed) - 1}") == allowed
    assert NodeMask("!all") == NodeMask(f"!{allowed}") == NodeMask()
    assert NodeMask("!+0") == allowed - {allowed.lowest}
    with pytest.raises(InvalidNodes, match="has fewer nodes"):
        NodeMask(f"+{len(allowed)}")


@requires.root
def test_a_kernel_without_nodes_in_sysfs() -> None:
    def blindfolded() -> NodeMask:
        mounts.hide_nodes()
        return NodeMask.online()

    with pytest.raises(Unsupported, match=f"there is no {NODES}/online"):
        in_child(blindfolded)
