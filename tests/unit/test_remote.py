"""What makes no sense for a job on hosts is refused before any engine is asked."""

from __future__ import annotations

from typing import Any

import pytest

from pymigrate import InvalidArgument, InvalidType, LauncherError
from pymigrate.launchers import remote
from pymigrate.launchers.flux import FluxJob
from pymigrate.launchers.remote import JobOnHosts
from pymigrate.launchers.wish import Wish


@pytest.mark.parametrize(
    ("arguments", "kind", "told"),
    [
        ({"target": 1234}, InvalidType, "1234.* ENGINE:ID, such as 'slurm:1234'"),
        ({"target": "1234"}, InvalidArgument, "'1234' is no job; write ENGINE:ID"),
        ({"wish": "migrate"}, InvalidType, "wish 'migrate': give a Wish"),
        ({"hosts": ["h1", "h2"]}, InvalidType, r"hosts .*'h1'.*: give a node set as text"),
        ({"hosts": ""}, InvalidArgument, "hosts '': name one at the least"),
        ({"timeout": "9s"}, InvalidType, "timeout '9s'"),
        ({"timeout": 0.001}, InvalidArgument, "timeout 0.001: give 1 s at the least"),
        ({"timeout": None}, InvalidType, "timeout None"),
        ({"timeout": 1e300}, InvalidArgument, "timeout 1e.300: give a year at the most"),
        ({"command": []}, InvalidArgument, r"command \[\]: give the words of a command"),
        ({"command": [""]}, InvalidArgument, r"command \[''\]: give the words of a command"),
        ({"command": "pymigrate"}, InvalidType, "command 'pymigrate': give the words of a command"),
        ({"command": ["pymigrate", 3]}, InvalidType, "command .*3.*: give the words of a command"),
        ({"command": 3}, InvalidType, "command 3: give the words of a command"),
    ],
)
def test_arguments_that_make_no_sense(
    arguments: dict[str, Any], kind: type[Exception], told: str
) -> None:
    given: dict[str, Any] = {"target": "slurm:1234", "wish": Wish(old=0, new=1), **arguments}
    with pytest.raises(kind, match=told):
        JobOnHosts(**given)


class Nowhere(FluxJob):
    """A job whose engine answers, and names no host."""

    def find(self) -> str:
        """What it always is."""
        return "flux:f1"

    def hosts(self) -> list[str]:
        """None."""
        return []


def test_a_job_without_hosts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "engine_of", lambda _: Nowhere("f1"))
    with pytest.raises(LauncherError, match="the engine names no host of flux:f1"):
        JobOnHosts("flux:f1", Wish(new="home")).run()
