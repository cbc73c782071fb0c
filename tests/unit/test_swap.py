"""Swap as /proc and the cgroups tell it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pymigrate import _files
from pymigrate.kernel import cgroups, swap
from pymigrate.kernel.swap import Swap, SwapArea, cgroup_room, limited_cgroups


def group(folder: Path, limit: str, used: int) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.swap.max").write_text(f"{limit}\n")
    (folder / "memory.swap.current").write_text(f"{used}\n")
    return str(folder)


def test_the_narrowest_limit_counts(tmp_path: Path) -> None:
    wide = group(tmp_path / "wide", "1000", 100)
    narrow = group(tmp_path / "narrow", "500", 450)
    overdrawn = group(tmp_path / "over", "10", 20)
    assert cgroup_room([]) is None
    assert cgroup_room([wide]) == 900
    assert cgroup_room([wide, narrow]) == 50
    assert cgroup_room([overdrawn]) == 0
    assert cgroup_room([group(tmp_path / "free", "max", 5)]) is None


def test_groups_without_a_limit_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [group(tmp_path / "a", "max", 0), group(tmp_path / "b", "7", 0), str(tmp_path)]
    monkeypatch.setattr(swap, "unified_folders", lambda pid: folders)
    assert limited_cgroups(0) == folders[1:2]


@pytest.mark.parametrize(("room", "expected"), [(None, 600), (1000, 600), (100, 100), (0, 0)])
def test_room(room: int | None, expected: int) -> None:
    assert Swap(total=1000, free=600, areas=(), cgroup_room=room).room == expected


def test_areas(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "/proc/swaps": "Filename Type Size Used Priority\n/dev/zram0 partition 1024 4 100\n"
        "/dev/sda2 partition 10 0 -2\n/swap\\040file\r\v. file 8 8 -3\n",
        "/proc/meminfo": "MemTotal: 9 kB\nSwapTotal: 1042 kB\nSwapFree: 1030 kB\n",
    }
    monkeypatch.setattr(_files, "read_text", files.__getitem__)
    monkeypatch.setattr(swap, "limited_cgroups", lambda pid: [])
    assert Swap.read(0) == Swap(
        total=1042 * 1024,
        free=1030 * 1024,
        areas=(
            SwapArea("/dev/zram0", "zram", 1024 * 1024, 4096),
            SwapArea("/dev/sda2", "partition", 10240, 0),
            SwapArea("/swap\\040file\r\v.", "file", 8192, 8192),
        ),
        cgroup_room=None,
    )


def test_folders_of_a_cgroup_up_to_the_mount(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount = tmp_path / "a mount"
    (mount / "job" / "step").mkdir(parents=True)
    where = str(mount).replace(" ", "\\040")
    files = {
        "/proc/self/mountinfo": "1 2 0:1 / /sys rw - sysfs s rw\n"
        f"3 2 0:2 / {where} rw - cgroup2 c rw\n",
        "/proc/17/cgroup": "4:memory:/elsewhere\n0::/job/step\n",
        "/proc/18/cgroup": "0::/../outside\n",
        "/proc/19/cgroup": "4:memory:/only-v1\n",
    }
    monkeypatch.setattr(_files, "read_text", files.__getitem__)
    assert cgroups.unified_folders(17) == [f"{mount}/job/step", f"{mount}/job", str(mount)]
    assert cgroups.unified_folders(18) == []
    assert cgroups.unified_folders(19) == []
