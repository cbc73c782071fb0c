"""Hosts that an administrator reaches: by ClusterShell, as the site has set it up."""

from __future__ import annotations

import shlex
from contextlib import contextmanager

from pymigrate.errors import EngineMissing, InvalidArgument, LauncherError, quote
from pymigrate.launchers.conductor import CUT, KILL
from pymigrate.launchers.marks import MARK, mark
from pymigrate.launchers.programs import require

try:
    from ClusterShell.Event import EventHandler
    from ClusterShell.NodeSet import NodeSet, NodeSetException
    from ClusterShell.Task import task_self
    from ClusterShell.Worker.Pdsh import WorkerPdsh
except ModuleNotFoundError as missing:
    raise EngineMissing(
        f"to reach hosts takes the package {missing.name}",
        reason="no-engine",
        remedy="pip install 'pymigrate-numa[clustershell]'",
    ) from None

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from pymigrate.launchers.conductor import Conductor

__all__ = ["besides", "node_set", "run_on_nodes"]

_NOT_REACHED = 255  # ssh(1)
_TICK = 0.1  # seconds between two questions of what to do
_WAYS = ("ssh", "rsh")  # the workers of ClusterShell that have a path in its configuration


def node_set(text: str) -> list[str]:
    """The hosts of a node set: ``gpu[1-8]``, ``@rack3``, ``@all!gpu4``.

    Raises:
        InvalidArgument: It is none, or empty, or a group of it is not known, or blanks separate it.
    """
    try:
        found = list(NodeSet(text))
    except NodeSetException as error:
        raise InvalidArgument(f"hosts {quote(text)}: {error}") from None
    if not found:
        raise InvalidArgument(f"hosts {quote(text)}: there are none in it")
    if any(len(host.split()) > 1 for host in found):
        raise InvalidArgument(f"hosts {quote(text)}: separate hosts by commas")
    return found


def besides(nodes: Sequence[str], places: str) -> str:
    """The hosts of a node set that are not among some, by their names without a domain.

    None where not one of them is: they may go by other names, such as addresses.
    """
    names, hosts = {_short(node) for node in nodes}, NodeSet(places)
    others = [host for host in hosts if _short(host) not in names]
    return str(NodeSet.fromlist(others if len(others) < len(hosts) else []))


def _short(host: str) -> str:
    first, _, domain = host.partition(".")
    return host if domain and first.isdecimal() else first  # of an address all of it


def run_on_nodes(nodes: Sequence[str], helper: Sequence[str], conductor: Conductor) -> None:
    """Runs the helper on each, some at a time (``fanout``), until all have ended.

    Raises:
        LauncherError: It could not be stopped there, so nothing was started.
    """
    task = task_self()
    _check_leash(task)
    crew = _Crew(conductor, task)
    words = shlex.join(["env", f"{MARK}={mark()}", *helper])  # of whatever shell they have there
    with _apart(task):
        timer = task.timer(_TICK, crew, interval=_TICK, autoclose=True)
        try:
            # Each is a worker of its own, which can be ended by itself; and directly, as a gateway
            # would tell who is begun with before it is.
            for node in nodes:
                task.shell(words, nodes=node, handler=crew, stdin=True, stderr=True, tree=False)
            crew.begin_no_more_if_stopped()
            task.resume()
        finally:
            timer.invalidate()
            task.abort()  # whoever was interrupted leaves nobody behind, nor in the queue


def _check_leash(task: Any) -> None:
    """Refuses a way to the hosts that passes no standard input on, and no end of it."""
    if issubclass(task.default("distant_worker"), WorkerPdsh):
        raise LauncherError(
            "ClusterShell reaches hosts by pdsh here, which passes no input on, so no helper could "
            "be stopped",
            remedy="write distant_workername: ssh into [task.default] of its defaults.conf",
        )


@contextmanager
def _apart(task: Any) -> Iterator[None]:
    """Has it start ssh, or rsh, in a session of its own: Ctrl-C reaches us, and not the way there.

    A terminal interrupts all of its process group. ClusterShell has no option for another one.
    What is set for that, and by the crew, is afterwards as it was.
    """
    setsid = require("setsid", "util-linux")
    before = {name: task.info(name) for name in (*(f"{way}_path" for way in _WAYS), "fanout")}
    try:
        for way in _WAYS:
            task.set_info(f"{way}_path", f"{setsid} {before[f'{way}_path'] or way}")
        yield
    finally:
        for name, path in before.items():
            task.set_info(name, path)


class _Crew(EventHandler):  # type: ignore[misc]  # it has no types
    """What happens on the nodes, for the conductor."""

    def __init__(self, conductor: Conductor, task: Any) -> None:
        super().__init__()
        self._conductor = conductor
        self._task = task
        self._at_work: dict[str, Any] = {}
        self._last_words: dict[str, str] = {}
        self._cut = False

    def ev_pickup(self, worker: Any, node: str) -> None:
        """A node is begun with."""
        self._at_work[node] = worker
        self._conductor.started(node)
        self.begin_no_more_if_stopped()

    def ev_read(self, worker: Any, node: str, sname: str, msg: bytes) -> None:
        """A node has said a line."""
        line = msg.decode(errors="replace")
        if sname == worker.SNAME_STDOUT:
            self._conductor.hear(line, node)
        elif line.strip():
            self._last_words[node] = line.strip()

    def ev_hup(self, worker: Any, node: str, rc: int | None) -> None:
        """A node has ended; if it has not answered it never will."""
        self._at_work.pop(node, None)
        words = self._last_words.pop(node, "")
        why = f"exit status {rc}{': ' * bool(words)}{words}"
        if rc == _NOT_REACHED:
            self._conductor.fail(node, "NotReached", why)
        else:
            self._conductor.ended(node, why)
        self.begin_no_more_if_stopped()  # in its place

    def ev_timer(self, timer: Any) -> None:
        """Some time has passed."""
        order = self._conductor.orders()
        if order == KILL:
            self._stop(list(self._at_work), KILL)
            self._task.abort()  # whose turn has not come, too
            return
        if order == CUT and not self._cut:
            self._cut = True
            self.begin_no_more_if_stopped()
            self._stop(list(self._at_work), CUT)
        for node, its_order in self._conductor.orders_of_each():
            self._stop([node], its_order)

    def begin_no_more_if_stopped(self) -> None:
        """Leaves those alone whose turn has not come: no more are to be reached at once."""
        if self._conductor.gave_up:
            self._task.set_info("fanout", 0)

    def _stop(self, nodes: Iterable[str], order: str) -> None:
        for node in nodes:
            worker = self._at_work.get(node)
            if worker and order == CUT:
                worker.set_write_eof()
            elif worker:
                worker.abort()  # of which ev_hup() is not told
                self._at_work.pop(node, None)
                self._conductor.ended(node, self._last_words.pop(node, ""))
