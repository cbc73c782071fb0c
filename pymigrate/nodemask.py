"""``NodeMask``: a set of NUMA nodes, and every form that it is written in."""

from __future__ import annotations

import sys

# The abstract class itself: the package "collections" around it costs a sixth of a bare start.
from _collections_abc import Set
from _operator import index

from pymigrate import _files, _nodelist
from pymigrate._checks import check_pid
from pymigrate._native import ffi, lib
from pymigrate.errors import InvalidNodes, InvalidType, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, Union

    from typing_extensions import Buffer

    # What every function that takes nodes accepts.
    Nodes = Union["NodeMask", str, int, Iterable[int]]

__all__ = ["NodeMask"]

_BITS_MAX = lib.PM_NODES_MAX
_BIG_ENDIAN = sys.byteorder == "big"
_HEX_GROUP = 8  # %*pb prints 32 bits at a time
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")

_new = object.__new__
_parse_small = lib.pm_nodelist_parse_small
_SMALL_MAX = lib.PM_LIST_SMALL_MAX


class NodeMask(Set[int]):
    """An immutable set of NUMA node numbers, in ascending order.

    It is a ``collections.abc.Set``: hashable, comparable with any set of ints, and combined by
    ``& | ^ -``. ``mask[0]`` is the lowest node, ``mask[-1]`` the highest, ``mask[i]`` that of rank
    i.

    Args:
        nodes: One of

            * a NodeMask, which is returned as it is;
            * one node number;
            * an iterable of node numbers;
            * a node list as text. The kernel's grammar: ``0-3,8``, ``0-31:2/8`` (of each run of 8
              the first 2), ``all`` (the nodes that the cpuset of the caller allows), white space
              around items as in sysfs. And libnuma's prefixes: ``!0-1`` (the allowed nodes but
              these), ``+0-1`` (counted by rank among the allowed nodes), ``!+0``.

    Raises:
        InvalidNodes: A number below 0 or above 32,767, or text that is no node list.
        InvalidType: Something that is no node number: a bool, a float, bytes.
    """

    __slots__ = ("_bits", "_words")

    _bits: int
    _words: bytes | None  # once they were asked for

    LIMIT = _BITS_MAX
    """Node numbers are below this: 32,768, the most that the kernel reads from a mask."""

    def __new__(cls, nodes: Nodes = ()) -> NodeMask:  # noqa: D102  documented by the class
        if type(nodes) is str:  # others may have a length of their own making
            bits = -1
            size = len(nodes)
            if size <= _SMALL_MAX:  # nearly every list there is
                try:
                    # So many bytes are all of them, or one at least is not ASCII and refused.
                    bits = _parse_small(nodes.encode(), size)
                except UnicodeEncodeError:
                    bits = -1  # a lone surrogate: refused below, with its position
            if bits < 0:
                bits = _nodelist.parse(nodes, _allowed_bits)
        elif type(nodes) is cls:
            return nodes
        elif isinstance(nodes, str):
            bits = _nodelist.parse(nodes, _allowed_bits)
        else:
            bits = _bits_of(nodes)
        self = _new(cls)
        self._bits = bits
        self._words = None
        return self

    # -- the other ways in

    @classmethod
    def from_bits(cls, bits: int) -> NodeMask:
        """The nodes whose bits are set in an int: bit n is node n.

        Raises:
            InvalidNodes: The int is negative, or has a bit above 32,767.
            InvalidType: It is not an int.
        """
        if isinstance(bits, bool) or not isinstance(bits, int):
            raise InvalidType(f"bits {quote(bits)}: an int has to be given")
        if bits < 0 or bits.bit_length() > _BITS_MAX:
            raise InvalidNodes(f"bits {quote(bits)}: 0 up to {_BITS_MAX} bits can be set", bits)
        self = _new(cls)
        self._bits = int(bits)  # an enum.IntFlag computes in its own way
        self._words = None
        return self

    @classmethod
    def from_hex(cls, text: str) -> NodeMask:
        """The nodes of a mask as the kernel prints it in hexadecimal.

        ``Mems_allowed`` of ``/proc/PID/status`` and the sysfs bitmap files have this form: groups
        of eight digits with commas between them, the highest nodes first. The first group may be
        shorter.

        Raises:
            InvalidNodes: The text is not such a mask, or has a node above 32,767.
            InvalidType: It is not a str.
        """
        if not isinstance(text, str):
            raise InvalidType(f"hexadecimal mask {quote(text)}: a str has to be given")
        if len(text) > _BITS_MAX:
            raise InvalidNodes(
                f"hexadecimal mask {quote(text)} has {len(text)} characters: more than the "
                f"{_BITS_MAX} that are read",
                text,
            )
        groups = text.strip().split(",")
        position = len(text) - len(text.lstrip())
        for number, group in enumerate(groups):
            short = 1 <= len(group) <= _HEX_GROUP and number == 0
            if not (short or len(group) == _HEX_GROUP) or not _HEX_DIGITS.issuperset(group):
                raise InvalidNodes(
                    f"hexadecimal mask {quote(text)}, position {position}, at {quote(group)}: "
                    "groups of eight digits have to stand here, as in 00000000,0000000f",
                    text,
                    position,
                )
            position += len(group) + 1
        bits = int("".join(groups), 16)
        if bits.bit_length() > _BITS_MAX:
            raise InvalidNodes(
                f"hexadecimal mask {quote(text)}: node numbers go from 0 to {_BITS_MAX - 1}",
                text,
            )
        return cls.from_bits(bits)

    @classmethod
    def from_words(cls, words: Buffer) -> NodeMask:
        """The nodes of a mask in memory as the kernel reads and writes it (see ``to_words``).

        Raises:
            InvalidNodes: The size is no multiple of 8 bytes or more than 4,096.
            InvalidType: It is no buffer, such as bytes, an array or a memoryview.
        """
        try:
            view = memoryview(words)
        except (TypeError, BufferError):
            raise InvalidType(f"words {quote(words)}: bytes or a buffer has to be given") from None
        size = view.nbytes
        if size % 8 or size > lib.PM_BITMAP_MAX:
            raise InvalidNodes(f"{size} bytes of words: a multiple of 8 up to 4096", words)
        # A copy: a buffer may begin where no word can be read.
        buffer = ffi.from_buffer("unsigned long[]", view.tobytes())
        bitmap = ffi.new("uint8_t[]", size)
        lib.pm_bitmap_from_words(buffer, size, bitmap)
        return cls.from_bits(int.from_bytes(ffi.buffer(bitmap), "little"))

    @classmethod
    def possible(cls) -> NodeMask:
        """The nodes that could ever come online (``/sys/devices/system/node/possible``)."""
        return cls._from_file("possible")

    @classmethod
    def online(cls) -> NodeMask:
        """The nodes that are there now (``/sys/devices/system/node/online``)."""
        return cls._from_file("online")

    @classmethod
    def has_memory(cls) -> NodeMask:
        """The nodes that have memory (``/sys/devices/system/node/has_memory``)."""
        return cls._from_file("has_memory")

    @classmethod
    def allowed(cls, pid: int = 0) -> NodeMask:
        """The nodes on which a process may have memory: its ``Mems_allowed`` (cpuset(7)).

        Args:
            pid: A process or thread; 0 is the calling thread.

        Raises:
            InvalidArgument: It is no pid.
            NoSuchProcess: There is none with that id.
            NotPermitted: /proc hides it from this user.
            Unsupported: /proc is not mounted.
        """
        check_pid(pid)
        return cls.from_hex(_files.read_status(pid)["Mems_allowed"])

    @classmethod
    def _from_file(cls, name: str) -> NodeMask:
        text = _files.read_node_set(name)
        return cls(text) if text else cls()  # an empty file is how the kernel writes no nodes

    # -- the ways out

    def __str__(self) -> str:
        """The node list, ``0-3,8``; empty for no nodes."""
        return _nodelist.render(self._bits)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})" if self._bits else f"{type(self).__name__}()"

    def __reduce__(self) -> tuple[Callable[[str], NodeMask], tuple[str]]:
        # As text: the oldest pickle protocols write an int in decimal, which has a limit.
        return type(self).from_hex, (self.to_hex(),)

    def __copy__(self) -> NodeMask:
        return self

    def __deepcopy__(self, memo: object) -> NodeMask:
        return self

    def to_bits(self) -> int:
        """An int in which bit n is node n."""
        return self._bits

    def to_hex(self) -> str:
        """The mask as the kernel prints it: ``00000001,00000000``; ``00000000`` for no nodes."""
        groups = max(1, -(-self._bits.bit_length() // 32))
        digits = f"{self._bits:0{groups * _HEX_GROUP}x}"
        return ",".join(digits[i : i + _HEX_GROUP] for i in range(0, len(digits), _HEX_GROUP))

    def to_bitmap(self) -> bytes:
        """Bytes in which node n is bit n % 8 of byte n // 8, on every machine.

        As few as hold the highest node; none for no nodes.
        """
        return _nodelist.to_bitmap(self._bits)

    def to_words(self) -> bytes:
        """The mask in memory as system calls read it: an array of ``unsigned long``.

        Node n is bit n % BITS of word n // BITS, in the word size and byte order of this
        interpreter. The size is a multiple of 8 bytes, the tail is zero, and the ``maxnode``
        argument to go with it is ``8 * len(words) + 1`` (set_mempolicy(2); the kernel counts one
        bit less than it is told).
        """
        words = self._words
        if words is None:
            bits = self._bits
            words = bits.to_bytes((bits.bit_length() + 63) // 64 * 8, "little")
            if _BIG_ENDIAN:  # elsewhere bitmap and words are the same bytes, whatever the word size
                words = _words_from_bitmap(words)
            self._words = words
        return words

    # -- the set

    def __contains__(self, node: object) -> bool:
        try:
            number = index(node)  # type: ignore[arg-type]  # what index() refuses is no node
        except TypeError:
            return False
        return number >= 0 and self._bits >> number & 1 == 1

    def __iter__(self) -> Iterator[int]:
        digits = bin(self._bits)[:1:-1]
        node = digits.find("1")
        while node >= 0:
            yield node
            node = digits.find("1", node + 1)

    def __len__(self) -> int:
        return bin(self._bits).count("1")

    def __bool__(self) -> bool:
        return self._bits != 0

    def __getitem__(self, rank: int) -> int:
        """The node of a rank: 0 is the lowest, -1 the highest.

        Raises:
            IndexError: There are not so many nodes.
        """
        return list(self)[rank]

    @property
    def lowest(self) -> int:
        """The lowest node.

        Raises:
            InvalidNodes: There are no nodes.
        """
        return (self._nonempty() & -self._bits).bit_length() - 1

    @property
    def highest(self) -> int:
        """The highest node.

        Raises:
            InvalidNodes: There are no nodes.
        """
        return self._nonempty().bit_length() - 1

    def _nonempty(self) -> int:
        if not self._bits:
            raise InvalidNodes("an empty NodeMask has no lowest and no highest node", self)
        return self._bits

    def __hash__(self) -> int:
        # Equal to a frozenset of the same nodes, so it has to hash like one.
        return hash(frozenset(self))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, NodeMask):
            return self._bits == other._bits
        return super().__eq__(other)

    def __le__(self, other: Set[Any]) -> bool:
        if isinstance(other, NodeMask):
            return self._bits & ~other._bits == 0
        return super().__le__(other)

    # The base would go through text and lists too: mask & "0-1" would be empty, mask - "0-1" not.

    def __and__(self, other: Set[Any]) -> NodeMask:
        if isinstance(other, NodeMask):
            return self.from_bits(self._bits & other._bits)
        if not isinstance(other, Set):
            return NotImplemented
        return super().__and__(other)  # type: ignore[return-value]  # made by _from_iterable

    def __sub__(self, other: Set[Any]) -> NodeMask:
        if isinstance(other, NodeMask):
            return self.from_bits(self._bits & ~other._bits)
        if not isinstance(other, Set):
            return NotImplemented
        return super().__sub__(other)  # type: ignore[return-value]

    # Set[int] | Set[str] is a set of both for the base; a NodeMask holds node numbers only.

    def __or__(self, other: Set[int]) -> NodeMask:  # type: ignore[override]
        if isinstance(other, NodeMask):
            return self.from_bits(self._bits | other._bits)
        if not isinstance(other, Set):
            return NotImplemented
        return super().__or__(other)  # type: ignore[return-value]

    def __xor__(self, other: Set[int]) -> NodeMask:  # type: ignore[override]
        if isinstance(other, NodeMask):
            return self.from_bits(self._bits ^ other._bits)
        if not isinstance(other, Set):
            return NotImplemented
        return super().__xor__(other)  # type: ignore[return-value]

    def __rsub__(self, other: Set[int]) -> NodeMask:
        if not isinstance(other, Set):
            return NotImplemented
        return type(self)(node for node in other if node not in self)

    __rand__ = __and__
    __ror__ = __or__
    __rxor__ = __xor__


def _bits_of(nodes: object) -> int:
    """Bits of anything but text."""
    if isinstance(nodes, NodeMask):
        return nodes._bits
    if isinstance(nodes, (bytes, bytearray, memoryview)):
        # Iterating would yield character codes: b"0-3" is not the nodes 45, 48 and 51.
        raise InvalidType(f"nodes {quote(nodes)}: give a node list as str, not as bytes")
    try:
        iterator = iter(nodes)  # type: ignore[call-overload]  # what iter() refuses is one node
    except TypeError:
        return 1 << _node(nodes)
    bits = 0
    for node in iterator:
        bits |= 1 << _node(node)
    return bits


def _node(value: object) -> int:
    """One node number, of any type that is an integer (``__index__``)."""
    if isinstance(value, bool):
        raise InvalidType(f"node {value!r}: a bool is not a node number; write {int(value)}")
    try:
        node = index(value)  # type: ignore[arg-type]  # what index() refuses is refused here
    except TypeError:
        message = f"node {quote(value)}: a node number is an int, not {type(value).__name__}"
        raise InvalidType(message) from None
    if not 0 <= node < _BITS_MAX:
        raise InvalidNodes(f"node {quote(node)}: node numbers go from 0 to {_BITS_MAX - 1}", value)
    return node


def _allowed_bits() -> int:
    return NodeMask.allowed()._bits


def _words_from_bitmap(bitmap: bytes) -> bytes:
    words = ffi.new("unsigned long[]", lib.PM_BITMAP_MAX // ffi.sizeof("unsigned long"))
    lib.pm_words_from_bitmap(bitmap, len(bitmap), words)
    return bytes(ffi.buffer(words, len(bitmap)))
