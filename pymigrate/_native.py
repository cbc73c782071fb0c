"""The ground: the one module that imports the compiled shim.

``_shim.pyi`` gives its functions and constants types, so that no ``Any`` leaves this room. What
each function does is documented beside its declaration in ``csrc/``.
"""

from pymigrate._shim import ffi, lib

__all__ = ["ffi", "lib"]
