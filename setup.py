"""The part of the build that pyproject.toml cannot say: shim, ABI tag, and the sdist's bytes."""

import gzip
import os
import sys
import sysconfig
import tarfile
from typing import Any

from setuptools import setup
from setuptools.command.sdist import sdist

# Free-threaded CPython has no stable ABI, and PyPy has none at all: they get wheels of their own.
free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
stable_abi = sys.implementation.name == "cpython" and not free_threaded


class Sdist(sdist):
    """Packs the same files into the same bytes, if SOURCE_DATE_EPOCH says for when."""

    def make_archive(self, *args: Any, **options: Any) -> str:
        """Pack the folder ``base_dir``: see setuptools."""
        base_name, form = args
        epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
        if not epoch or form != "gztar":
            return str(super().make_archive(*args, **options))

        def fixed(member: tarfile.TarInfo) -> tarfile.TarInfo:
            executable = member.isdir() or member.mode & 0o100
            member.mode = 0o755 if executable else 0o644
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            member.mtime = epoch
            return member

        path = f"{base_name}.tar.gz"
        with gzip.GzipFile(path, "wb", mtime=epoch) as file, tarfile.open(None, "w", file) as tar:
            tar.add(options["base_dir"], filter=fixed)  # each folder in the order of names
        return path


setup(
    cffi_modules=["csrc/ffi_build.py:ffi"],
    cmdclass={"sdist": Sdist},
    options={"bdist_wheel": {"py_limited_api": "cp39"}} if stable_abi else {},
)
