"""Exit statuses of the command."""

DONE = 0
PAGES_LEFT = 1
FAILED = 2
