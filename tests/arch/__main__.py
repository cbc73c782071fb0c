"""Prints Debian's packages of the cross compilers for all ABIs: `python -m arch` in its folder."""

import platform

from arch.abis import ABIS

# The host's own compiler is called by another name.
toolchains = {abi.toolchain for abi in ABIS if abi.toolchain and abi.name != platform.machine()}
packages = {package for toolchain in toolchains for package in toolchain.packages}
print(*sorted(packages - {"ziglang"}))  # that one is on the Python index
