"""Matrix commands at the shell: `python -m platforms --help` in the folder of the tests."""

from __future__ import annotations

import argparse
import sys

from lab import LabError

from platforms import dispatch, guests, kernels, page, pythons, wheels


def main() -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m platforms", description=__doc__)
    commands = parser.add_subparsers(required=True, dest="command", metavar="COMMAND")
    matrices = {
        "arch": (guests.main, guests.MACHINES),
        "dispatch": (dispatch.main, dispatch.NAMES),
        "kernels": (kernels.main, kernels.KERNELS),
        "pythons": (pythons.main, pythons.NAMES),
        "wheels": (wheels.main, wheels.NAMES),
    }
    for name, (_, entries) in matrices.items():
        command = commands.add_parser(name, help=f"of {', '.join(entries)}")
        command.add_argument("names", nargs="*", metavar="NAME")
        command.add_argument("--quick", action="store_true", help="leave out what takes long")
    commands.add_parser("page", help="make docs/platforms.md of the records")
    arguments = parser.parse_args()
    if arguments.command == "page":
        page.write()
        return 0
    run, entries = matrices[arguments.command]
    for name in arguments.names:
        if name not in entries:  # argparse's own choices would count an empty list as one of them
            parser.error(f"{arguments.command} has no {name}: choose of {', '.join(entries)}")
    try:
        return run(arguments.names, quick=arguments.quick)
    except LabError as error:
        print(f"platforms: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
