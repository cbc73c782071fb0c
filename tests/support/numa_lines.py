"""Lines of numa_maps as the kernel writes them: show_numa_map() and mpol_to_str(), in Python."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

MODES = ("default", "prefer", "bind", "interleave", "local", "prefer (many)", "weighted interleave")
FLAGS = ((), ("static",), ("relative",), ("balancing",), ("static", "balancing"))
NODES_MAX = 1024
KIB = 1024


@dataclass(frozen=True)
class NumaLine:
    """What a line says. Counts are pages of ``page_size``."""

    start: int
    policy: str
    path: bytes | None
    mark: str
    huge: bool
    page_size: int
    pages: dict[int, int]
    anon: int
    dirty: int
    mapmax: int
    swapcache: int
    active: int
    writeback: int

    @property
    def total(self) -> int:
        """Pages on all nodes."""
        return sum(self.pages.values())

    def render(self) -> bytes:
        """The line, without its newline."""
        parts = [f"{self.start:08x} {self.policy}".encode()]
        if self.path is not None:
            parts.append(b"file=" + escape(self.path))
        elif self.mark:
            parts.append(self.mark.encode())
        if self.huge:
            parts.append(b"huge")
        if self.total:
            parts.append(self._counts().encode())
        return b" ".join(parts)

    def _counts(self) -> str:
        total = self.total
        fields = {
            "anon": self.anon,
            "dirty": self.dirty,
            "mapped": total if total not in (self.anon, self.dirty) else 0,
            "mapmax": self.mapmax if self.mapmax > 1 else 0,
            "swapcache": self.swapcache,
        }
        counts = [f"{name}={count}" for name, count in fields.items() if count]
        if self.active < total and not self.huge:
            counts.append(f"active={self.active}")
        if self.writeback:
            counts.append(f"writeback={self.writeback}")
        counts += [f"N{node}={count}" for node, count in sorted(self.pages.items()) if count]
        return " ".join([*counts, f"kernelpagesize_kB={self.page_size // KIB}"])


def escape(path: bytes) -> bytes:
    """A path as seq_path() writes it for numa_maps."""
    return b"".join(b"\\%03o" % c if c in b"\n\t= " else bytes([c]) for c in path)


def node_list(nodes: frozenset[int]) -> str:
    """A node list in which no two nodes are joined to a range."""
    return ",".join(map(str, sorted(nodes)))


@st.composite
def policies(draw: st.DrawFn) -> str:
    """Texts of memory policies, cut as show_numa_map() cuts them."""
    mode, flags = draw(st.sampled_from(MODES)), draw(st.sampled_from(FLAGS))
    nodes = draw(st.frozensets(st.integers(0, NODES_MAX - 1), max_size=40))
    text = (
        mode + (f"={'|'.join(flags)}" if flags else "") + (f":{node_list(nodes)}" if nodes else "")
    )
    return text[:63]


@st.composite
def numa_lines(draw: st.DrawFn) -> NumaLine:
    """Lines of mappings of every sort."""
    huge = draw(st.booleans())
    pages = draw(st.dictionaries(st.integers(0, NODES_MAX - 1), st.integers(1, 2**40), max_size=9))
    total = sum(pages.values())
    part = st.integers(0, total)
    is_file = draw(st.booleans())
    name = st.binary(max_size=60).map(lambda tail: b"/" + tail.replace(b"\0", b"-"))
    return NumaLine(
        start=draw(st.integers(0, 2**64 - 1)),
        policy=draw(policies()),
        path=draw(name) if is_file else None,
        mark="" if is_file else draw(st.sampled_from(["", "heap", "stack"])),
        huge=huge,
        page_size=draw(st.sampled_from([64, 2048, 32768, 1048576] if huge else [4, 64])) * KIB,
        pages=pages,
        anon=draw(part),
        dirty=draw(part),
        mapmax=draw(st.integers(0, 2**31)),
        swapcache=draw(part),
        active=draw(part),
        writeback=draw(part),
    )
