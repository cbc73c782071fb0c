"""Of which kind a mapping is, by its line in numa_maps and the mounts of its process."""

from __future__ import annotations

import pytest
from support.numa_lines import escape

from pymigrate._native import ffi, lib
from pymigrate.kernel._mounts import compile_table
from pymigrate.units import KINDS

MOUNTS = r"""
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
23 22 0:5 / /dev rw,nosuid - devtmpfs devtmpfs rw
24 23 0:23 / /dev/shm rw,nosuid shared:4 - tmpfs tmpfs rw
25 22 0:24 / /run rw,nosuid master:1 - tmpfs tmpfs rw
26 25 0:25 / /run/disk rw - xfs /dev/sdb rw
27 26 0:26 / /run/disk/scratch rw - tmpfs tmpfs rw
28 22 0:27 / /with\040space\134and\011tab rw - tmpfs none rw
29 22 0:28 / /covered rw - tmpfs tmpfs rw
30 29 254:1 / /covered rw - ext4 /dev/vdb rw
31 22 0:29 / /tmpfs\043 rw - tmpfs tmpfs rw
""".lstrip()


def kind(fields: str, mounts: bytes | None = None) -> str:
    """The kind of a line with these fields."""
    text = f"7f0000000000 default {fields}".rstrip().encode()
    line = ffi.new("struct pm_numa_line *")
    assert lib.pm_numa_line_parse(text, len(text), line) == 0
    table = compile_table(MOUNTS, "") if mounts is None else mounts
    return KINDS[lib.pm_mapping_kind(line, text, table, len(table))]


def test_kinds_are_those_of_the_shim() -> None:
    names = ("PM_ANONYMOUS", "PM_FILE", "PM_SHARED", "PM_HUGETLB")
    assert [getattr(lib, name) for name in names] == [0, 1, 2, 3]
    assert len(KINDS) == lib.PM_KINDS


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("", "anonymous"),
        ("heap", "anonymous"),
        ("stack anon=1 N0=1 kernelpagesize_kB=4", "anonymous"),
        ("file=/dev/zero", "anonymous"),  # mapped private
        (r"file=/dev/zero\040(deleted)", "shared"),  # MAP_SHARED without a file
        (r"file=/memfd:x\040(deleted)", "shared"),
        (r"file=/SYSV0000002a\040(deleted)", "shared"),
        ("file=/dev/shm/x", "shared"),
        (r"file=/dev/shm/x\040(deleted)", "shared"),
        ("file=/dev/shmx", "file"),
        ("file=/dev/shm", "file"),  # the folder below the mount
        ("file=/dev/nvme0", "file"),
        ("file=/run/x", "shared"),
        ("file=/run/disk/x", "file"),
        ("file=/run/disk/scratch/x", "shared"),
        ("file=/running", "file"),
        ("file=/covered/x", "file"),
        ("file=/usr/lib/libc.so.6", "file"),
        ("file=/tmpfs#/x", "shared"),
        (r"file=/with\040space\and\011tab/x", "shared"),
        ("huge", "hugetlb"),
        ("heap huge", "hugetlb"),
        (r"file=/anon_hugepage\040(deleted) huge", "hugetlb"),
        ("file=/dev/shm/huge huge", "hugetlb"),
    ],
)
def test_kind(fields: str, expected: str) -> None:
    assert kind(fields) == expected


def test_without_mounts_every_path_is_a_file() -> None:
    assert kind("file=/dev/shm/x", mounts=b"") == "file"


def test_a_root_on_tmpfs() -> None:
    table = compile_table("1 0 0:1 / / rw - tmpfs tmpfs rw\n2 1 8:1 / /home rw - ext4 a rw\n", "")
    assert kind("file=/usr/bin/python", table) == "shared"
    assert kind("file=/home/x", table) == "file"


def test_a_process_in_another_root() -> None:
    table = compile_table("24 23 0:23 / /dev/shm rw - tmpfs tmpfs rw\n", "/srv/jail")
    assert kind("file=/srv/jail/dev/shm/x", table) == "shared"
    assert kind("file=/dev/shm/x", table) == "file"


def test_names_that_are_not_text() -> None:
    table = compile_table("1 0 0:1 / /m\udcff rw - tmpfs tmpfs rw\n", "")
    path = escape(b"/m\xff/x").decode("latin-1")
    text = f"7f00 default file={path}".encode("latin-1")
    line = ffi.new("struct pm_numa_line *")
    assert lib.pm_numa_line_parse(text, len(text), line) == 0
    assert KINDS[lib.pm_mapping_kind(line, text, table, len(table))] == "shared"
