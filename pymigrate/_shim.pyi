"""Types of the compiled shim: csrc/shim.cdef in Python's words."""

from collections.abc import Sequence
from typing import Final, Literal, NewType, Protocol, overload

from typing_extensions import Buffer

Bitmap = bytes  # node n is bit n % 8 of byte n // 8

class CArray(Protocol):
    """A C array that Python owns."""

    def __getitem__(self, index: int) -> int: ...
    def __len__(self) -> int: ...

class NumaLine(Protocol):
    """struct pm_numa_line of csrc/numa_maps.h."""

    start: int
    policy: int
    policy_length: int
    path: int
    path_length: int
    heap: bool
    stack: bool
    huge: bool
    page_size: int
    total: int
    anon: int
    dirty: int
    mapmax: int
    swapcache: int
    active: int
    writeback: int
    nodes: int
    node: CArray
    pages: CArray

class ResidencySums(Protocol):
    """struct pm_residency of csrc/residency.h."""

    pages: Sequence[CArray]
    nodes: int
    vmas: int

class Tally(Protocol):
    """struct pm_tally of csrc/tally.h."""

    marks: CArray
    counts: CArray
    once: bool

class Cursor(Protocol):
    """struct pm_cursor of csrc/present.h."""

    address: int
    segment: int

class ActionStep(Protocol):
    """struct pm_step of csrc/step.h."""

    start: int
    end: int
    segments: CArray
    count: int
    tally: Tally
    limit: int
    cursor: Cursor
    looked_at: int
    hidden: int

class Subject(Protocol):
    """struct pm_subject of csrc/step.h."""

    memory: object
    pid: int
    hides: bool
    nodes: int
    routes: CArray
    zones: CArray
    zone_count: int

class MoverSetup(Protocol):
    """struct pm_mover of csrc/mover.h."""

    subject: Subject
    pidfd: int
    flags: int
    targets: CArray

class Caches(Protocol):
    """struct pm_caches of csrc/cache.h."""

    kpageflags: int
    map_files: int
    own: bool
    areas: CArray
    count: int

class EvictorSetup(Protocol):
    """struct pm_evictor of csrc/evictor.h."""

    subject: Subject
    pidfd: int
    caches: Caches
    without_swap: bool
    swap_room: int
    def __getitem__(self, index: int) -> object: ...

CType = NewType("CType", object)
Arrays = Literal[
    "uint8_t[]",
    "unsigned long[]",
    "int64_t[]",
    "int32_t[]",
    "int[]",
    "uintptr_t[]",
    "void *[]",
    "char[]",
    "pm_mark[]",
    "struct pm_memory[]",
    "struct pm_segment[]",
    "struct pm_route[]",
    "struct pm_area[]",
    "struct pm_zone[]",
]

class _FFI:
    NULL: Final[CArray]
    def sizeof(self, declaration: str) -> int: ...
    def typeof(self, declaration: str) -> CType: ...
    @overload
    def new(self, ctype: Literal["struct pm_numa_line *"]) -> NumaLine: ...
    @overload
    def new(self, ctype: Literal["struct pm_residency *"]) -> ResidencySums: ...
    @overload
    def new(self, ctype: Literal["struct pm_step *"]) -> ActionStep: ...
    @overload
    def new(self, ctype: Literal["struct pm_mover *"]) -> MoverSetup: ...
    @overload
    def new(self, ctype: Literal["struct pm_evictor *"], init: object = ...) -> EvictorSetup: ...
    @overload
    def new(self, ctype: CType | Arrays, init: object = ...) -> CArray: ...
    def cast(self, ctype: CType | str, value: CArray) -> CArray: ...
    def buffer(self, cdata: CArray, size: int = ...) -> Buffer: ...
    def from_buffer(self, declaration: str, python_buffer: Buffer) -> CArray: ...

class _Lib:
    PM_NODES_MAX: Final[int]
    PM_BITMAP_MAX: Final[int]
    def pm_words_size(self, size: int) -> int: ...
    def pm_words_from_bitmap(self, bitmap: Bitmap, size: int, ret_words: CArray) -> None: ...
    def pm_bitmap_from_words(self, words: CArray, size: int, ret_bitmap: CArray) -> None: ...

    PM_LIST_EMPTY: Final[int]
    PM_LIST_NO_NUMBER: Final[int]
    PM_LIST_TRAILING: Final[int]
    PM_LIST_TOO_LARGE: Final[int]
    PM_LIST_REVERSED: Final[int]
    PM_LIST_GROUP: Final[int]
    PM_LIST_RANK: Final[int]
    PM_LIST_NEEDS_ALLOWED: Final[int]
    def pm_nodelist_parse(
        self,
        text: bytes,
        length: int,
        allowed: Bitmap | CArray,
        allowed_size: int,
        ret_bitmap: CArray,
        ret_where: CArray,
    ) -> int: ...
    PM_LIST_SMALL_MAX: Final[int]
    def pm_nodelist_parse_small(self, text: bytes, length: int) -> int: ...
    def pm_nodelist_length_max(self, size: int) -> int: ...
    def pm_nodelist_format(self, bitmap: Bitmap, size: int, ret_text: CArray) -> int: ...
    def pm_migrate(
        self, pid: int, old_bitmap: Bitmap, old_size: int, new_bitmap: Bitmap, new_size: int
    ) -> int: ...

    PM_KINDS: Final[int]
    PM_NUMA_MAPS_NODES: Final[int]
    def pm_numa_line_parse(self, text: bytes, length: int, ret_line: NumaLine) -> int: ...
    def pm_mapping_kind(
        self, line: NumaLine, text: bytes, mounts: bytes, mounts_size: int
    ) -> int: ...
    def pm_mapping_is_kernels(self, line: NumaLine) -> bool: ...
    def pm_residency_read(
        self, fd: int, base_page: int, mounts: bytes, mounts_size: int, ret_sums: ResidencySums
    ) -> int: ...
    def pm_move_pages(
        self,
        pid: int,
        count: int,
        pages: CArray,
        nodes: CArray,
        ret_status: CArray,
        flags: int,
    ) -> int: ...
    PM_MPOL_MF_MOVE: Final[int]
    PM_MPOL_MF_MOVE_ALL: Final[int]
    PM_MADV_PAGEOUT: Final[int]
    def pm_process_madvise(
        self, pidfd: int, vec: CArray, vlen: int, advice: int, flags: int
    ) -> int: ...
    def pm_pidfd_open(self, pid: int, flags: int) -> int: ...

    PM_ASKED: Final[int]
    PM_MOVED: Final[int]
    PM_VANISHED: Final[int]
    PM_SHARED_PAGE: Final[int]
    PM_BUSY: Final[int]
    PM_NO_MEMORY: Final[int]
    PM_NOT_ALLOWED: Final[int]
    PM_HIDDEN: Final[int]
    PM_UNMOVABLE: Final[int]
    PM_LOCKED: Final[int]
    PM_HUGETLB_PAGE: Final[int]
    PM_NO_SWAP_SPACE: Final[int]
    PM_WRITEBACK: Final[int]
    PM_OUT_BUSY: Final[int]
    PM_OUT_WRITEBACK: Final[int]
    PM_OUT_NO_SWAP: Final[int]
    PM_UNSEEN: Final[int]
    PM_COLUMNS: Final[int]
    PM_RANKS_MAX: Final[int]
    def pm_can_scan(self, memory: CArray) -> bool: ...
    def pm_first_present(self, memory: CArray, start: int, end: int) -> int: ...
    def pm_is_present(self, memory: CArray, address: int) -> bool: ...
    def pm_count_exclusive(self, memory: CArray, start: int, end: int, of_files: bool) -> int: ...
    def pm_hides_pages(self) -> bool: ...
    def pm_query(self, pid: int, addresses: CArray, count: int, ret_status: CArray) -> int: ...
    def pm_move_step(self, mover: MoverSetup, step: ActionStep) -> int: ...
    def pm_recall(self, mem: int, step: ActionStep, page_size: int) -> None: ...
    def pm_drain(self) -> None: ...
    def pm_evict_step(self, evictor: EvictorSetup, step: ActionStep) -> int: ...

ffi: _FFI
lib: _Lib
