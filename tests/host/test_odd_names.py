"""Names with every sign that ends a line for Python, and that the kernel leaves as it is."""

from __future__ import annotations

import mmap
from pathlib import Path

from support import mounts, requires
from support.processes import in_child

from pymigrate import residency, vmas
from pymigrate._files import read_status
from pymigrate.kernel.cgroups import controller_folders, unified_folders
from pymigrate.kernel.swap import Swap

ODD = "a\rb\v\f\x1c\x1d\x1e\x85\u2028c"


@requires.root
def test_a_mount_with_an_odd_name(tmp_path: Path) -> None:
    place = tmp_path / ODD
    place.mkdir()

    def look() -> tuple[int, str]:
        before = unified_folders(0), controller_folders(0, "cpuset")
        mounts.mount_tmpfs(str(place))
        assert (unified_folders(0), controller_folders(0, "cpuset")) == before
        Swap.read(0)
        with open(place / ODD, "w+b") as file:
            file.write(bytes(mmap.PAGESIZE))
            file.flush()
            with mmap.mmap(file.fileno(), mmap.PAGESIZE) as mapped:
                mapped[0] = 1
                (vma,) = (vma for vma in vmas(0) if vma.path.endswith("c/" + ODD))
                return residency(0).pages(kind="shared"), vma.kind

    pages, kind = in_child(look)
    assert pages > 0
    assert kind == "shared"


def test_a_process_with_an_odd_name() -> None:
    def renamed() -> dict[str, str]:
        Path("/proc/self/comm").write_bytes(b"x\rUid: 7\vz")
        return read_status(0)

    status = in_child(renamed)
    assert status["Name"] == "x\rUid: 7\vz"
    assert set(status) == set(read_status(0))
