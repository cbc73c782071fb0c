"""What the tests share: real processes in real situations. Nothing here imitates a kernel."""
