"""A laboratory: Linux machines with several NUMA nodes, for hosts that have one.

A machine boots a real kernel under QEMU's software emulation and runs one command of the
host's own environment in it. `python -m lab` does so by hand, `lab.pytest_plugin` for tests.
Kernels come from Debian's packages, unpacked into a cache and never installed.

The environment can say:
    PYMIGRATE_LAB_KERNEL: root of an unpacked kernel package, to use instead of Debian's.
    PYMIGRATE_LAB_MIRROR: address of a Debian mirror, where apt's sources on the host name none.
    PYMIGRATE_LAB_KVM: 1 to use the host's KVM.
    XDG_CACHE_HOME: where the cache lies.
"""

from lab.errors import GuestDied, GuestHung, LabError, Missing
from lab.machine import Machine

__all__ = ["GuestDied", "GuestHung", "LabError", "Machine", "Missing"]
