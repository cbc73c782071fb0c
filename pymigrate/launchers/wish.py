"""What is to be done to a job, in a form that can be sent to each of its hosts."""

from __future__ import annotations

from dataclasses import dataclass

from pymigrate._checks import check_bounds, check_count, check_flag, check_no_map, check_targets
from pymigrate.errors import InvalidArgument, quote
from pymigrate.launchers.rules import Rule
from pymigrate.nodemask import NodeMask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate.nodemask import Nodes

__all__ = ["ACTIONS", "Wish"]

_FLAGS = {
    "migrate": (),
    "evict": ("--evict",),
    "check": ("--check",),
    "check-eviction": ("--check", "--evict"),
    "show": ("--show",),
}
_OF_EVICTIONS = ("evict", "check-eviction")

ACTIONS = tuple(_FLAGS)


@dataclass(frozen=True)
class Wish:
    """What is to be done.

    Attributes:
        action: One of ``ACTIONS``; ``"check"`` looks at a migration.
        old: Nodes to move pages from; or text that a ``Rule`` knows, as which all nodes are kept.
            None: from wherever the rule in ``new`` says that they ought not to be; and for
            ``"show"``.
        new: Nodes to move them to, likewise. None for ``"show"``, and where pages that are evicted
            may stay nowhere.
        shared: Whether pages that several processes map are moved; None: where that is permitted.
        rate: Bytes that may move in a second on each host; none for ``"show"``.
        max_stall: Seconds that one step may hold a process up; none for ``"show"``.
        workers: Processes that are dealt with at the same time on each host, where any are moved.
        without_swap: Whether only what needs no swap is evicted.

    Raises:
        InvalidArgument: An argument makes no sense, or they contradict each other.
    """

    action: str = "migrate"
    old: Nodes | None = None
    new: Nodes | None = None
    shared: bool | None = None
    rate: float | None = None
    max_stall: float | None = None
    workers: int = 2
    without_swap: bool = False

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise InvalidArgument(f"action {quote(self.action)}: one of {', '.join(ACTIONS)}")
        check_bounds(self.rate, self.max_stall)
        check_count("workers", self.workers, 1, 256)
        self._check_flags()
        for name in ("old", "new"):
            text = _text(name, getattr(self, name), of_eviction=self.of_eviction)
            object.__setattr__(self, name, text)
        self._check_nodes()

    def _check_flags(self) -> None:
        check_flag("shared", self.shared, optional=True)
        check_flag("without_swap", self.without_swap)
        if self.shared is not None and self.action not in ("migrate", "check"):
            raise InvalidArgument(f"shared {self.shared}: it is for migrations; leave it out")
        if self.without_swap and not self.of_eviction:
            raise InvalidArgument("without_swap True: it is for evictions; leave it out")
        for name in ("rate", "max_stall") if self.action == "show" else ():
            value = getattr(self, name)
            if value is not None:
                raise InvalidArgument(f"{name} {value}: to show memory moves nothing; leave it out")

    def _check_nodes(self) -> None:
        old, new = self.rules
        if self.action == "show":
            if old or new:
                raise InvalidArgument("to show memory takes no nodes; leave OLD and NEW out")
        elif self.of_eviction:
            if old is None:
                raise InvalidArgument("evicting takes the nodes OLD, which pages have to leave")
            if self.by_rule:
                raise InvalidArgument("evicting takes node lists as OLD and NEW, not rules")
        elif new is None:
            raise InvalidArgument("name the nodes OLD and NEW, or one rule such as home")
        elif old is None and new.is_list:
            raise InvalidArgument(
                f"new {quote(self.new)} without old: name both; only a rule such as home says by "
                "itself what has to leave"
            )

    @property
    def of_eviction(self) -> bool:
        """Whether it is about an eviction."""
        return self.action in _OF_EVICTIONS

    @property
    def rules(self) -> tuple[Rule | None, Rule | None]:
        """Old and new, as rules."""
        return _rule(self.old), _rule(self.new)

    @property
    def by_rule(self) -> bool:
        """Whether old or new is a rule, so that each process has a map of its own."""
        return not all(rule.is_list for rule in self.rules if rule)

    def arguments(self) -> list[str]:
        """The same for the command ``pymigrate job``, after its target."""
        words = [rule.text for rule in self.rules if rule]
        words += _FLAGS[self.action]
        if self.shared is not None:
            words.append("--shared" if self.shared else "--no-shared")
        if self.without_swap:
            words.append("--without-swap")
        # Written so that the same number is read.
        if self.rate is not None:
            words += ["--rate", f"{float(self.rate)!r}"]
        if self.max_stall is not None:
            words += ["--max-stall", f"{float(self.max_stall)!r}s"]
        if self.action != "show":
            words += ["--workers", str(self.workers)]
        return words


def _text(name: str, nodes: Nodes | None, *, of_eviction: bool) -> str | None:
    check_no_map(name, nodes)
    if nodes is None or isinstance(nodes, str):
        _rule(nodes)  # refuses what is none; what it means is for each host to say
        return nodes
    mask = NodeMask(nodes)
    if name == "new":
        if of_eviction and not mask:
            return None
        check_targets(mask)
    return str(mask)


def _rule(nodes: Nodes | None) -> Rule | None:
    return Rule(nodes) if isinstance(nodes, str) else None
