"""sample_residency() of real processes, against residency()."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.mappings import Map, anonymous
from support.processes import servant

from pymigrate.errors import InvalidArgument, InvalidType
from pymigrate.kernel.resident import residency
from pymigrate.kernel.sample import sample_residency
from pymigrate.kernel.vma import vmas
from pymigrate.units import PAGE_SIZE

KERNEL_PAGES = ("[vdso]", "[vvar]", "[vvar_vclock]", "[vsyscall]")


@pytest.fixture
def process() -> Iterator[int]:
    """A process with some memory."""
    with servant(anonymous) as child:
        child.ask(Map.touch)
        yield child.pid


def test_a_sample_of_everything_is_exact(process: int) -> None:
    # What the kernel maps into every process is not counted, neither here nor there.
    counted = (vma for vma in vmas(process) if vma.path not in KERNEL_PAGES)
    population = sum(vma.size for vma in counted) // PAGE_SIZE
    if population > 10**7:
        pytest.skip("this interpreter reserves terabytes of addresses, as under AddressSanitizer")
    found = sample_residency(process, samples=2 * population)
    exact = residency(process)
    assert found.samples == found.population == population
    assert found.hidden.pages == 0
    for node in exact.nodes:
        assert found.nodes[node].bound == 0
        assert found.nodes[node].pages == exact.pages(node)


def test_a_sample_is_within_its_bounds(process: int) -> None:
    exact = residency(process)
    runs = [sample_residency(process, samples=500, seed=seed) for seed in range(400)]
    for node in exact.nodes:
        within = sum(
            abs(run.nodes[node].pages - exact.pages(node)) <= run.nodes[node].bound for run in runs
        )
        assert within >= 354  # of 380 expected: 95 %, less six standard errors
    assert all(run.samples == 500 for run in runs)


def test_a_sample_can_be_repeated(process: int) -> None:
    assert sample_residency(process, seed=7, samples=300) == sample_residency(
        process, seed=7, samples=300
    )


@pytest.mark.parametrize("samples", [-1, 0, 1, True, 2.5, "9", None])
def test_no_sample(samples: object) -> None:
    with pytest.raises(InvalidArgument, match="samples"):
        sample_residency(0, samples=samples)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [[], "7", 7.0, True])
def test_no_seed(seed: object) -> None:
    with pytest.raises(InvalidType, match="seed"):
        sample_residency(0, seed=seed)  # type: ignore[arg-type]
