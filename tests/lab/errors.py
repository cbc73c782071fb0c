"""What can go wrong between a test and the machine that should run it."""

from __future__ import annotations


class LabError(Exception):
    """Any failure of the laboratory itself, as opposed to the command it runs."""


class Missing(LabError):
    """The host lacks something; the message names it and says how to get it."""


class GuestDied(LabError):
    """The machine stopped before its command had ended."""


class GuestHung(LabError):
    """The machine said nothing for longer than it was allowed to."""
