"""What is to be done to a job, in a form that can be sent to each of its hosts."""

from __future__ import annotations

from dataclasses import dataclass

from pymigrate.errors import InvalidArgument, quote
from pymigrate.launchers.rules import Rule

__all__ = ["ACTIONS", "Wish"]

ACTIONS = ("migrate", "evict", "check", "show")


@dataclass(frozen=True)
class Wish:
    """What is to be done.

    Attributes:
        action: One of ``ACTIONS``; ``"check"`` looks at a migration.
        old: Nodes to move pages from, as a ``Rule`` has them in text. None: from wherever the rule
            in ``new`` says that they ought not to be; and for ``"show"``.
        new: Nodes to move them to. None for ``"show"`` alone.
        shared: Whether pages that several processes map are moved; None: where that is permitted.
        rate: Bytes that may move in a second on each host.
        max_stall: Seconds that one step may hold a process up.
        workers: Processes that are dealt with at the same time on each host.
    """

    action: str = "migrate"
    old: str | None = None
    new: str | None = None
    shared: bool | None = None
    rate: float | None = None
    max_stall: float | None = None
    workers: int = 2

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise InvalidArgument(f"action {quote(self.action)}: one of {', '.join(ACTIONS)}")
        rules = [Rule(text) for text in (self.old, self.new) if text is not None]
        if self.action == "show":
            if rules:
                raise InvalidArgument("to show memory takes no nodes; leave OLD and NEW out")
            return
        if self.new is None:
            raise InvalidArgument("name the nodes OLD and NEW, or one rule such as home")
        if self.old is None and rules[-1].is_list:
            raise InvalidArgument(
                f"new {quote(self.new)} without old: name both; only a rule such as home says by "
                "itself what has to leave"
            )
        if self.action == "evict" and not all(rule.is_list for rule in rules):
            raise InvalidArgument("evicting takes node lists as OLD and NEW, not rules")

    @property
    def by_rule(self) -> bool:
        """Whether old or new is a rule, so that each process has a map of its own."""
        return not all(Rule(text).is_list for text in (self.old, self.new) if text is not None)

    def arguments(self) -> list[str]:
        """The same for the command ``pymigrate job``, after its target."""
        words = [text for text in (self.old, self.new) if text is not None]
        words += [f"--{self.action}"] * (self.action != "migrate")
        if self.shared is not None:
            words.append("--shared" if self.shared else "--no-shared")
        if self.rate is not None:
            words += ["--rate", f"{self.rate:.0f}"]
        if self.max_stall is not None:
            words += ["--max-stall", f"{self.max_stall:.9f}s"]
        return [*words, "--workers", str(self.workers)]
