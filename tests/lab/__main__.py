"""The laboratory at the shell: `python -m lab --help`."""

from __future__ import annotations

import argparse
import signal
import sys

from lab import LabError, Machine, doctor, initramfs, kernel
from lab.architectures import AMD64, KERNELS

FAILURE = 125
"""Exit status where the laboratory itself failed, as `env` and its like have it."""


def main() -> int:
    """Run the command line and return its exit status."""
    arguments = _parser().parse_args()
    try:
        return int(arguments.function(arguments))
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return FAILURE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _run(arguments: argparse.Namespace) -> int:
    machine = Machine(
        kernel=arguments.kernel,
        userland=arguments.userland,
        nodes=arguments.nodes,
        bare_nodes=arguments.bare_nodes,
        cpus=arguments.cpus,
        memory=arguments.memory,
        swap=arguments.swap,
        balancing=arguments.balancing,
        parallel=arguments.parallel,
    )
    return machine.run(arguments.command, timeout=arguments.timeout)


def _fetch(arguments: argparse.Namespace) -> int:
    for version in arguments.kernels or [Machine.kernel]:
        linux = kernel.find(version)
        initramfs.base(linux)
        print(f"{version}: {linux.executable()}")
    return 0


def _doctor(arguments: argparse.Namespace) -> int:
    findings = doctor.findings()
    for finding in findings:
        print(finding)
    return 1 if findings else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lab", description="Linux machines with several NUMA nodes, emulated."
    )
    rooms = parser.add_subparsers(required=True, metavar="COMMAND")

    run = rooms.add_parser("run", help="boot a machine for one command of this environment")
    run.add_argument("--kernel", default=Machine.kernel, help=f"one of {', '.join(AMD64.suites)}")
    run.add_argument("--userland", help=f"a Debian of its own: one of {', '.join(KERNELS)}")
    run.add_argument("--nodes", type=int, default=Machine.nodes, help="nodes with memory")
    run.add_argument("--bare-nodes", type=int, default=0, help="nodes with a processor alone")
    run.add_argument("--cpus", type=int, default=Machine.cpus, help="processors in all")
    run.add_argument("--memory", default=Machine.memory, help="of each node, such as 512M")
    run.add_argument("--swap", metavar="SIZE", help="add compressed swap in memory")
    run.add_argument("--balancing", action="store_true", help="let the kernel balance nodes")
    run.add_argument("--parallel", action="store_true", help="run processors at the same time")
    run.add_argument("--timeout", type=float, metavar="SECONDS", help="for everything together")
    run.add_argument("command", nargs="+", metavar="ARGUMENT", help="the command, after --")
    run.set_defaults(function=_run)

    fetch = rooms.add_parser("fetch", help="get kernels ready beforehand")
    fetch.add_argument("kernels", nargs="*", metavar="KERNEL")
    fetch.set_defaults(function=_fetch)

    doctor_ = rooms.add_parser("doctor", help="say what this host lacks")
    doctor_.set_defaults(function=_doctor)
    return parser


if __name__ == "__main__":
    sys.exit(main())
