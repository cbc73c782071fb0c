"""csrc/arch/abi.h picks the right header from macros alone: no cross compiler is needed."""

from __future__ import annotations

import re

import pytest

from arch.abis import ABIS, Abi
from arch.tools import CALLS, CSRC, header_chosen, run, succeed

PROBE = '#include "arch/abi.h"\n' + "".join(f"{call} = PM_NR_{call.upper()}\n" for call in CALLS)
# The preprocessor alone, without what it knows of its own machine.
PREPROCESS = ("gcc", "-E", "-undef", "-nostdinc", f"-I{CSRC}", "-")


def preprocessed(*macros: str) -> str:
    """The probe where exactly these macros are defined."""
    return succeed(*PREPROCESS, *(f"-D{macro}" for macro in macros), text=PROBE).stdout


def numbers_in(text: str) -> dict[str, int]:
    """The number of each call in the preprocessed probe."""
    # x32 writes a sum: the bit that marks its calls, and the number.
    return {
        call: sum(int(term, 0) for term in re.findall(r"\w+", value))
        for call, value in re.findall(r"^(\w+) = (.*)$", text, re.MULTILINE)
    }


@pytest.mark.parametrize("abi", ABIS, ids=lambda abi: abi.name)
def test_selects_the_header_and_has_every_number(abi: Abi) -> None:
    text = preprocessed("__linux__", *abi.macros)
    assert header_chosen(text) == abi.header
    numbers = numbers_in(text)
    assert tuple(numbers) == CALLS
    assert len(set(numbers.values())) == len(CALLS)


def test_every_header_is_of_some_abi() -> None:
    listed = {abi.header for abi in ABIS} | {"abi.h", "numbers.h", "unlisted.h"}
    assert {path.name for path in (CSRC / "arch").iterdir()} == listed


def test_other_machines_are_unlisted() -> None:
    assert header_chosen(preprocessed("__linux__", "__no_such_machine__")) == "unlisted.h"


def test_other_systems_are_refused() -> None:
    refused = run(*PREPROCESS, "-D__x86_64__", text=PROBE)
    assert refused.returncode != 0
    assert "pymigrate calls Linux" in refused.stderr


def test_powerpc_never_calls_278() -> None:
    """The number of the 2005 patch; spu_run since."""
    for width in ((), ("__powerpc64__",)):
        numbers = numbers_in(preprocessed("__linux__", "__powerpc__", *width))
        assert 278 not in numbers.values()
