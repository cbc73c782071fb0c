"""The wheels of all platforms, built here by cross compilers and tried under emulation.

`python -m wheels` in the folder of the tests makes and tries them (`make wheels`).
"""
