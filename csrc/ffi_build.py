"""Builds pymigrate._shim from the C in this folder. Run by setup.py, never at run time."""

import os
import sys
import sysconfig
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).parent if "__file__" in globals() else Path("csrc")
UNITS = (
    *("nodemask", "nodelist", "syscalls", "migrate"),
    *("numa_maps", "mapping", "residency"),
    *("present", "tally", "frames", "batch", "mover", "cache", "spots", "recall", "evictor"),
)

# The oldest CPython whose stable ABI the wheels keep to, whatever interpreter builds them.
# Free-threaded CPython has no stable ABI, and PyPy has none at all.
ABI3_FLOOR = ("Py_LIMITED_API", "0x03090000")
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
STABLE_ABI = sys.implementation.name == "cpython" and not FREE_THREADED

# Debug information would name the folder of the build, which is another one each time.
ANYWHERE = f"-ffile-prefix-map={Path.cwd()}=."

# Set to 1 to build with AddressSanitizer and UndefinedBehaviorSanitizer (see CONTRIBUTING.md).
SANITIZE = os.environ.get("PYMIGRATE_SANITIZE") == "1"

SANITIZER_FLAGS = ["-fsanitize=address,undefined", "-fno-omit-frame-pointer", "-g"]

ffi = FFI()
ffi.cdef((HERE / "shim.cdef").read_text(encoding="ascii"))
ffi.set_source(
    "pymigrate._shim",
    "\n".join(f'#include "{unit}.h"' for unit in UNITS),
    sources=[f"csrc/{unit}.c" for unit in UNITS],
    include_dirs=["csrc"],
    depends=[f"csrc/{header.relative_to(HERE)}" for header in HERE.rglob("*.h")],
    define_macros=[ABI3_FLOOR] if STABLE_ABI else [],
    extra_compile_args=[
        *("-std=c11", "-fvisibility=hidden", ANYWHERE),
        *(SANITIZER_FLAGS if SANITIZE else []),
    ],
    extra_link_args=SANITIZER_FLAGS if SANITIZE else [],
)
