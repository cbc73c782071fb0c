"""ssh(1) to hosts of namespaces: a real daemon on each, with a key and configuration of its own."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

from lab import sshd
from lab.errors import Missing

DAEMON = """\
HostKey {room}/key
AuthorizedKeysFile {room}/key.pub
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
UseDNS no
PidFile none
LogLevel ERROR
"""

CLIENT = """\
User root
IdentityFile {room}/key
IdentitiesOnly yes
BatchMode yes
StrictHostKeyChecking no
UserKnownHostsFile /dev/null
LogLevel ERROR
"""


def missing() -> str:
    """What this machine lacks for it, in words; empty if nothing."""
    if not (shutil.which("ssh") and shutil.which("ssh-keygen")):
        return "ssh: scripts/bootstrap launchers installs it"
    try:
        sshd.find()
    except Missing as obstacle:
        return str(obstacle)
    return ""


def furnish(room: Path) -> None:
    """The folder that cluster.sh takes: how a daemon starts, and the configuration of ssh."""
    daemon = sshd.find()
    room.mkdir()
    make_key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(room / "key")]
    subprocess.run(make_key, check=True)
    (room / "daemon").write_text(DAEMON.format(room=room))
    (room / "config").write_text(CLIENT.format(room=room))
    words = shlex.join([daemon.program, "-D", "-e", "-f", str(room / "daemon")])
    (room / "start").write_text(f"LD_LIBRARY_PATH={daemon.libraries} exec {words}\n")
    # It gives up its rights to a user of its own, which a machine without it lacks.
    users = Path("/etc/passwd").read_text()
    if "\nsshd:" not in users:
        users += "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n"
    (room / "passwd").write_text(users)
