"""Tests of the C on other architectures: compiled by cross compilers, traced under qemu-user."""
