"""Exit statuses of the command."""

DONE = 0
PAGES_LEFT = 1
FAILED = 2
INTERRUPTED = 130  # 128 + SIGINT, as a shell tells of a program that Ctrl-C ended
