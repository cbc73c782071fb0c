"""Node sets and node lists as hypothesis makes them up."""

from __future__ import annotations

from hypothesis import strategies as st

LIMIT = 32768
"""Node numbers are below this."""

SPACE = " \t\n\v\f\r"
"""White space, as in isspace() of the C locale."""


def node_sets(limit: int = LIMIT) -> st.SearchStrategy[frozenset[int]]:
    """Node numbers below a limit: few or many, near zero or far from it, single or in runs."""
    near = st.integers(0, min(limit, 70) - 1)
    far = st.integers(0, limit - 1)
    starts = st.tuples(st.one_of(near, far), st.integers(1, 130))
    runs = starts.map(lambda run: frozenset(range(run[0], min(sum(run), limit))))
    several = st.lists(runs, max_size=4).map(lambda them: frozenset[int]().union(*them))
    return st.one_of(st.frozensets(near), st.frozensets(far), several)


def node_lists(limit: int = LIMIT) -> st.SearchStrategy[str]:
    """Text that is an absolute node list, or would be but for a number or two."""
    return _lists(limit, words=[], prefixes=[""])


def relative_node_lists(limit: int = LIMIT) -> st.SearchStrategy[str]:
    """The same, with what takes a cpuset to mean something: ``all``, ``!`` and ``+``."""
    return _lists(limit, words=["all", "ALL", "aLl"], prefixes=["", "!", "+", "!+"])


def scribbles() -> st.SearchStrategy[str]:
    """Any text at all, and any made of the characters of node lists."""
    anything = st.characters(exclude_categories=())  # lone surrogates too
    return st.one_of(st.text("0123456789,-:/ \n\0al!+"), st.text(anything))


def _lists(limit: int, words: list[str], prefixes: list[str]) -> st.SearchStrategy[str]:
    space = st.text(SPACE, max_size=2)
    number = st.one_of(
        st.integers(0, 12).map(str),
        st.integers(0, limit + 1).map(str),
        st.integers(0, 12).map("{:05}".format),
    )
    span = st.one_of(number, _join(number, st.just("-"), number), *map(st.just, words))
    group = _join(st.just(":"), number, st.just("/"), number)
    region = st.one_of(span, _join(span, group))
    separator = st.one_of(_join(space, st.just(","), space), st.sampled_from(SPACE))
    further = st.lists(_join(separator, region), max_size=4).map("".join)
    return _join(space, st.sampled_from(prefixes), region, further, space)


def _join(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map("".join)
