"""Tests marked `numa` run on a machine with several nodes: here, or in an emulated one."""

pytest_plugins = ["lab.pytest_plugin"]
