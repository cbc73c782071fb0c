"""What was shown on which platform, by whom: the records behind docs/platforms.md.

Each matrix command (`make test-arch`, `make test-kernels`, `make wheels`, ...) ends by handing over
what it saw, and with a table of that alone. It is kept in one JSON file for each command, and the
page is made of these files and nothing else: `python -m platforms page` makes it anew.
"""
