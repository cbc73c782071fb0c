"""Types of the compiled shim: csrc/shim.cdef in Python's words."""

from typing import Final, NewType, Protocol

from typing_extensions import Buffer

Bitmap = bytes  # node n is bit n % 8 of byte n // 8

class CArray(Protocol):
    """A C array that Python owns."""

    def __getitem__(self, index: int) -> int: ...

CType = NewType("CType", object)

class _FFI:
    NULL: Final[CArray]
    def sizeof(self, declaration: str) -> int: ...
    def typeof(self, declaration: str) -> CType: ...
    def new(self, ctype: CType | str, init: object = ...) -> CArray: ...
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
    def pm_nodelist_parse_small(self, text: bytes, length: int) -> int: ...
    def pm_nodelist_length_max(self, size: int) -> int: ...
    def pm_nodelist_format(self, bitmap: Bitmap, size: int, ret_text: CArray) -> int: ...
    def pm_migrate(
        self, pid: int, old_bitmap: Bitmap, old_size: int, new_bitmap: Bitmap, new_size: int
    ) -> int: ...

ffi: _FFI
lib: _Lib
