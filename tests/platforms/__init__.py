"""What was shown on which platform, by whom: the records behind docs/platforms.md.

Each matrix command (`make test-arch`, `make test-kernels`, `make wheels`, ...) ends by handing over
what it saw. That is kept in one JSON file for each command, and the page is made of these files
alone: `python -m platforms` makes it anew.
"""
