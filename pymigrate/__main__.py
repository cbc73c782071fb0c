"""``python -m pymigrate``: the command."""

import sys

from pymigrate.cli import main

sys.exit(main())
