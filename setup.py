"""The part of the build that pyproject.toml cannot say: the C shim and the wheel's ABI tag."""

import sysconfig

from setuptools import setup

# Free-threaded CPython has no stable ABI: it gets a wheel of its own.
free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))

setup(
    cffi_modules=["csrc/ffi_build.py:ffi"],
    options={} if free_threaded else {"bdist_wheel": {"py_limited_api": "cp39"}},
)
