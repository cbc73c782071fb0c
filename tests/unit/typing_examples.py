"""How people write pymigrate in typed code. mypy reads this file; nothing runs it.

Lines that a type checker has to refuse carry an ignore, which mypy reports where it is not needed.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Set

from typing_extensions import assert_type

import pymigrate
from pymigrate import NodeMask, migrate, plan

# What takes nodes takes them in each form.
assert_type(migrate(0, NodeMask("0"), "1-3"), int)
assert_type(migrate(0, 0, [1, 2]), int)
assert_type(migrate(0, {0}, range(3)), int)
assert_type(migrate(0, (n for n in (0, 1)), frozenset([2])), int)
assert_type(plan("0-1", 2), list[tuple[int, int]])

migrate("1", 0, 0)  # type: ignore[arg-type]
migrate(0, 0.5, 0)  # type: ignore[arg-type]
migrate(0, None, 0)  # type: ignore[arg-type]
migrate(0, ["0"], 0)  # type: ignore[list-item]
migrate(0, 0)  # type: ignore[call-arg]

mask = NodeMask("0-3,8")
assert_type(mask, NodeMask)
assert_type(NodeMask(), NodeMask)
assert_type(NodeMask.online(), NodeMask)
assert_type(NodeMask.allowed(1), NodeMask)
assert_type(NodeMask.from_hex("f"), NodeMask)
assert_type(NodeMask.from_words(mask.to_words()), NodeMask)
assert_type(NodeMask.from_bits(mask.to_bits()), NodeMask)

# It is a set of ints.
as_set: Set[int] = mask
as_key: Hashable = mask
assert_type(iter(mask), Iterator[int])
assert_type(list(mask), list[int])
assert_type(mask[0], int)
assert_type(mask.lowest, int)
assert_type(3 in mask, bool)
assert_type(mask <= {1, 2}, bool)
assert_type(mask & {1, 2}, NodeMask)
assert_type(mask | {1, 2}, NodeMask)
assert_type(mask - {1, 2}, NodeMask)
assert_type(mask ^ NodeMask("1"), NodeMask)
mask | {"1"}  # type: ignore[arg-type]
mask & "0-1"  # type: ignore[operator]
mask.lowest = 1  # type: ignore[misc]

# Errors are the builtin ones, with more to them.
try:
    migrate(1, 0, 1)
except pymigrate.NoSuchProcess as gone:
    builtin_gone: ProcessLookupError = gone
    assert_type(gone.pid, "int | None")
except pymigrate.NotPermitted as refused:
    builtin_refused: PermissionError = refused
    assert_type(refused.reason, str)
    assert_type(refused.new, "NodeMask | None")
except pymigrate.InvalidNodes as wrong:
    builtin_wrong: ValueError = wrong
    assert_type(wrong.position, "int | None")
except pymigrate.KernelError as error:
    builtin_error: OSError = error
    assert_type(error.remedy, str)

assert_type(pymigrate.__version__, str)
