"""Residency as a value, and how lines become one: summed up in a stream, or one by one."""

from __future__ import annotations

import copy
import errno
import json
import os
import pickle
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.numa_lines import NumaLine, numa_lines
from support.processes import in_child

from pymigrate._native import ffi, lib
from pymigrate.errors import InvalidArgument
from pymigrate.kernel._memory_files import MemoryFiles, lines, nameable
from pymigrate.kernel.resident import Residency
from pymigrate.kernel.vma import Vma, vmas
from pymigrate.units import KINDS, PAGE_SIZE, format_bytes

COUNTS = st.dictionaries(
    st.tuples(st.integers(0, 1023), st.sampled_from(KINDS)), st.integers(-(2**40), 2**40)
)
RESIDENCIES = st.builds(
    Residency,
    COUNTS,
    swapped=st.integers(0, 2**50),
    thp=st.one_of(st.none(), st.integers(0, 2**50)),
)
NONE = Residency({})


# -- the value


@given(COUNTS)
def test_sums(counts: dict[tuple[int, str], int]) -> None:
    found = Residency(counts)
    assert found.pages() == sum(counts.values())
    assert found.bytes() == found.pages() * PAGE_SIZE
    assert set(found.nodes) == {node for (node, _), count in counts.items() if count}
    for node in {node for node, _ in counts} | {5}:
        assert found.pages(node) == sum(count for (on, _), count in counts.items() if on == node)
    for kind in KINDS:
        assert found.pages(kind=kind) == sum(c for (_, of), c in counts.items() if of == kind)
        assert found.pages(5, kind) == counts.get((5, kind), 0)


@given(RESIDENCIES, RESIDENCIES)
def test_difference_and_sum(before: Residency, after: Residency) -> None:
    change = after - before
    assert change.pages() == after.pages() - before.pages()
    assert change.swapped == after.swapped - before.swapped
    assert before + after == after + before
    if before.thp is not None and after.thp is not None:
        assert before + change == after
    else:
        assert change.thp is None


@given(RESIDENCIES)
def test_equality(found: Residency) -> None:
    for same in (
        copy.deepcopy(found),
        pickle.loads(pickle.dumps(found)),  # noqa: S301  our own
        found + Residency({}, thp=0),
    ):
        assert same == found
        assert hash(same) == hash(found)
    assert found != found + Residency({(0, "file"): 1}, thp=0)
    assert found != "node 0"
    assert bool(found) == bool(found.nodes)


def test_zeros_are_left_out() -> None:
    assert Residency({(3, "file"): 0}) == NONE
    assert not NONE
    assert not NONE.nodes
    assert str(NONE) == "no pages"


def test_json() -> None:
    found = Residency({(8, "file"): 2, (0, "anonymous"): 7}, swapped=4096)
    assert json.loads(json.dumps(found.to_dict())) == {
        "page_size": PAGE_SIZE,
        "pages": {
            "0": {"anonymous": 7, "file": 0, "shared": 0, "hugetlb": 0},
            "8": {"anonymous": 0, "file": 2, "shared": 0, "hugetlb": 0},
        },
        "total_pages": 9,
        "swapped_bytes": 4096,
        "thp_bytes": None,
    }


def test_text() -> None:
    mib = 2**20 // PAGE_SIZE
    found = Residency({(0, "file"): 3 * mib, (2, "shared"): -mib}, swapped=512)
    assert str(found) == "node 0: 3.0 MiB, node 2: -1.0 MiB; swapped 512 B"
    assert repr(found) == f"<Residency {found}>"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (-1536, "-1.5 KiB"),
        (123 * 2**20, "123.0 MiB"),
        (1023.4, "1023 B"),
        (1023.6, "1.0 KiB"),
        (2**20 - 1, "1.0 MiB"),
        (1 - 2**30, "-1.0 GiB"),
        (1023.94 * 1024, "1023.9 KiB"),
        (1234.5 * 2**20, "1.2 GiB"),
        (2**60, "1.0 EiB"),
        (2**71, "2048.0 EiB"),
    ],
)
def test_bytes_for_people(count: float, text: str) -> None:
    assert format_bytes(count) == text


def test_unknown_kind() -> None:
    with pytest.raises(InvalidArgument, match=r"kinds are anonymous, .* not heap"):
        Residency({(0, "heap"): 1})


def test_what_is_no_residency() -> None:
    with pytest.raises(TypeError):
        NONE + 1  # type: ignore[operator]  # that is the point


# -- the stream


def summed(file: int) -> tuple[int, int, dict[tuple[int, str], int]]:
    """The result, the lines that were read, and pages by node and kind."""
    sums = ffi.new("struct pm_residency *")
    result = lib.pm_residency_read(file, PAGE_SIZE, b"", 0, sums)
    found = {
        (node, kind): pages[node]
        for pages, kind in zip(sums.pages, KINDS)
        for node in range(lib.PM_NUMA_MAPS_NODES)
        if pages[node]
    }
    assert all(node < sums.nodes for node, _ in found)
    return result, sums.vmas, found


@contextmanager
def held(*contents: bytes) -> Iterator[list[int]]:
    """Files in memory with these contents."""
    files = [os.memfd_create("test") for _ in contents]
    try:
        for file, content in zip(files, contents):
            os.write(file, content)
            os.lseek(file, 0, os.SEEK_SET)
        yield files
    finally:
        for file in files:
            os.close(file)


def feed(chunks: Iterator[bytes]) -> int:
    """A pipe that gives one chunk after the other; the caller closes it."""
    reader, writer = os.pipe()

    def write() -> None:
        with open(writer, "wb", buffering=0) as pipe:
            for chunk in chunks:
                pipe.write(chunk)

    threading.Thread(target=write, daemon=True).start()
    return reader


def expected_sums(given_lines: list[NumaLine]) -> dict[tuple[int, str], int]:
    found: dict[tuple[int, str], int] = {}
    for line in given_lines:
        if line.path is None and not line.huge and not line.anon:
            continue  # vdso and its like: the kernel's own
        kind = "hugetlb" if line.huge else "anonymous" if line.path is None else "file"
        span = line.page_size // PAGE_SIZE if line.huge else 1
        for node, pages in line.pages.items():
            found[node, kind] = found.get((node, kind), 0) + pages * span
    return found


@given(st.lists(numa_lines(), max_size=8))
def test_sum_of_lines(given_lines: list[NumaLine]) -> None:
    content = b"".join(line.render() + b"\n" for line in given_lines)
    with held(content) as (file,):
        result, count, found = summed(file)
    assert (result, count) == (0, len(given_lines))
    # Paths that happen to name shared memory are the subject of test_mapping.
    assert found == expected_sums(given_lines)


@given(st.lists(numa_lines(), min_size=1, max_size=4), st.lists(st.integers(1, 5000), min_size=1))
def test_block_boundaries_do_not_matter(given_lines: list[NumaLine], sizes: list[int]) -> None:
    content = b"".join(line.render() + b"\n" for line in given_lines)
    chunks: list[bytes] = []
    while content:
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(content[:size])
        content = content[size:]
    pipe = feed(iter(chunks))
    result, count, found = summed(pipe)
    os.close(pipe)
    assert (result, count) == (0, len(given_lines))
    assert found == expected_sums(given_lines)


def test_a_line_longer_than_the_buffer() -> None:
    long = b"00400000 default file=/" + b"x" * 100_000 + b" N7=1 kernelpagesize_kB=4\n"
    with held(long + b"00500000 default anon=2 N7=2 kernelpagesize_kB=4\n") as (file,):
        assert summed(file) == (0, 2, {(7, "file"): 1, (7, "anonymous"): 2})


def test_pages_of_the_kernel_are_not_counted() -> None:
    """As Linux 7 lists [vvar]."""
    vvar = b"7fff00000000 default mapped=1 mapmax=61 N0=1 kernelpagesize_kB=4\n"
    with held(vvar + b"7fff00004000 default anon=1 N1=1 kernelpagesize_kB=4\n") as (file,):
        assert summed(file) == (0, 2, {(1, "anonymous"): 1})


def test_nothing() -> None:
    with held(b"") as (file,):
        assert summed(file) == (0, 0, {})


@pytest.mark.parametrize(
    "bad", [b"nonsense\n", b"\n", b"00400000 default N0=1 kernelpagesize_kB=4"]
)
def test_malformed_line(bad: bytes) -> None:
    good = b"00400000 default anon=1 N0=1 kernelpagesize_kB=4\n"
    with held(good * 3 + bad) as (file,):
        assert summed(file) == (-errno.EBADMSG, 3, {(0, "anonymous"): 3})


def test_unreadable() -> None:
    assert summed(-1)[0] == -errno.EBADF


def test_memory_is_bounded() -> None:
    block = b"7f0000000000 default anon=1 dirty=1 active=0 N0=1 kernelpagesize_kB=4\n" * 1000

    def grown() -> tuple[int, int]:
        pipe = feed(iter([block] * 200))
        before = peak()
        result, count, _ = summed(pipe)
        assert result == 0
        return count, peak() - before

    count, growth = in_child(grown)
    assert count == 200_000
    assert growth < 2**21  # of 14 MB; qemu-user, where that runs it, takes some itself


def peak() -> int:
    """The most memory that this process has had, in bytes."""
    with open("/proc/self/status") as file:
        fields = dict(line.split(":", 1) for line in file)
    return int(fields["VmHWM"].split()[0]) * 1024


# -- line by line


class Recorded(MemoryFiles):
    """Files of a process that are not in /proc."""

    def __init__(self, numa_maps: bytes, maps: bytes) -> None:
        self.pid = 0
        self.numa_maps, self.maps = (os.memfd_create("test") for _ in range(2))
        os.write(self.numa_maps, numa_maps)
        os.write(self.maps, maps)

    def check(self) -> None:
        """It stays."""


def joined(numa_maps: str, maps: str) -> list[Vma]:
    with Recorded(numa_maps.encode(), maps.encode()) as files:
        return list(vmas(0, files=files))


NUMA_MAPS = """\
00400000 default file=/opt/a\\040b anon=1 mapped=9 mapmax=7 active=4 N0=5 N3=4 kernelpagesize_kB=4
00600000 bind:3 heap anon=6 dirty=6 swapcache=2 writeback=1 N3=6 kernelpagesize_kB=4
00a00000 default file=/anon_hugepage\\040(deleted) huge anon=2 dirty=2 N1=2 kernelpagesize_kB=2048
00e00000 default file=/anon_hugepage\\040(deleted) huge
7ffc00000000 default stack
"""
MAPS = """\
00400000-00409000 r-xp 00000000 fe:10 1234                               /opt/a b
00600000-00700000 rw-p 00000000 00:00 0                                  [heap]
00a00000-00e00000 rw-p 00000000 00:0f 99                                 /anon_hugepage (deleted)
00e00000-01000000 rw-p 00000000 00:0f 99                                 /anon_hugepage (deleted)
7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0                          [stack]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
"""


@pytest.mark.skipif(PAGE_SIZE != 4096, reason="the text is of a machine with pages of 4 KiB")
def test_join() -> None:
    text, heap, huge, empty, stack = joined(NUMA_MAPS, MAPS)
    assert (text.start, text.end, text.size) == (0x400000, 0x409000, 9 * 4096)
    assert (text.kind, text.path, text.permissions) == ("file", "/opt/a b", "r-xp")
    assert text.device == (0xFE, 0x10)
    assert text.pages == {0: 5, 3: 4}
    assert (text.anonymous, text.sharers, text.active) == (1, 7, 4)
    assert (heap.kind, heap.path, str(heap.policy)) == ("anonymous", "[heap]", "bind:3")
    assert (heap.swap_cached, heap.writeback, heap.sharers, heap.active) == (2, 1, 1, 6)
    assert (huge.kind, huge.page_size, huge.pages) == ("hugetlb", 2**21, {1: 1024})
    assert (huge.anonymous, huge.dirty, huge.resident) == (1024, 1024, 1024)
    assert (empty.page_size, empty.resident, empty.end) == (0, 0, 0x1000000)
    assert (stack.kind, stack.path, stack.pages) == ("anonymous", "[stack]", {})
    assert json.loads(json.dumps(text.to_dict()))["device"] == "fe:10"


def test_mappings_that_are_gone_from_maps() -> None:
    numa = "00400000 default N0=5 kernelpagesize_kB=4\n00500000 default heap\n"
    gone, empty = joined(numa, "00300000-00400000 rw-p 00000000 00:00 0\n")
    assert (gone.end, gone.permissions) == (0x400000 + 5 * PAGE_SIZE, "")
    assert (empty.end, empty.path) == (0x500000 + PAGE_SIZE, "[heap]")


def test_mappings_that_were_split_or_merged_meanwhile() -> None:
    numa = "00400000 default N0=5 kernelpagesize_kB=4\n00410000 default\n00420000 default\n"
    maps = f"00400000-{0x400000 + PAGE_SIZE:08x} r--p 0 00:00 0\n00405000-00430000 rw-p 0 00:00 0\n"
    split, merged, too = joined(numa, maps)
    assert split.end == 0x400000 + 5 * PAGE_SIZE
    assert (merged.end, too.end) == (0x430000, 0x430000)
    assert merged.permissions == "rw-p"


def test_mappings_that_are_new_in_maps() -> None:
    maps = "".join(
        f"{a:08x}-{a + 0x1000:08x} rw-p 00000000 00:00 0\n" for a in range(0, 2**20, 4096)
    )
    (only,) = joined("00080000 default\n", maps)
    assert (only.start, only.end) == (0x80000, 0x81000)


def test_names_that_are_not_text() -> None:
    with Recorded(
        b"00400000 default file=/\xff\\012\n", b"00400000-00401000 r--p 0 8:1 7 /\xff\\012\n"
    ) as f:
        (only,) = vmas(0, files=f)
    assert only.path == os.fsdecode(b"/\xff\n")


@given(st.binary(max_size=300), st.integers(0, 70_000))
def test_lines(text: bytes, padding: int) -> None:
    whole = b"x" * padding + text
    *complete, rest = whole.split(b"\n")
    with held(whole) as (file,):
        assert list(lines(file)) == complete + ([rest] if rest else [])


@pytest.mark.parametrize(
    ("line", "narrow"),
    [
        ("08048000-0804a000 r-xp 00000000 00:00 0", True),
        ("fffdd000-100000000 rw-p 00000000 00:00 0 [stack]", True),
        ("100000000-100001000 rw-p 00000000 00:00 0", False),
        ("7ffc1d4e3000-7ffc1d504000 rw-p 00000000 00:00 0 [stack]", False),
        ("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]", True),
    ],
)
def test_addresses_that_fit_into_pointers(line: str, narrow: bool) -> None:
    text = f"00010000-00020000 rw-p 00000000 00:00 0\n{line}\n".encode()
    assert nameable(Recorded(b"", text), highest=2**32 - 1) == narrow
    assert nameable(Recorded(b"", text), highest=2**64 - 1)
