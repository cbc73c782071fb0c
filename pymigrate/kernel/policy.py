"""``Policy``: where the pages of a mapping are placed, as numa_maps writes it."""

from __future__ import annotations

from dataclasses import dataclass

from pymigrate.nodemask import NodeMask

__all__ = ["Policy"]

_LENGTH_MAX = 63  # show_numa_map() in fs/proc/task_mmu.c has a buffer of 64 bytes


@dataclass(frozen=True)
class Policy:
    """A memory policy (set_mempolicy(2)).

    Attributes:
        mode: As the kernel names it: ``default``, ``prefer``, ``bind``, ``interleave``, ``local``,
            ``prefer (many)``, ``weighted interleave``.
        flags: Of ``static``, ``relative`` and ``balancing``.
        nodes: What it names; none where the mode takes none.
        cut: The kernel had no room for all of it, so that ``nodes`` has only those that are
            certain.
    """

    mode: str
    flags: tuple[str, ...]
    nodes: NodeMask
    cut: bool

    @classmethod
    def parse(cls, text: str) -> Policy:
        """Reads the text that mpol_to_str() in mm/mempolicy.c writes."""
        cut = len(text) >= _LENGTH_MAX
        text, _, nodes = text.partition(":")
        mode, _, flags = text.partition("=")
        if cut:
            nodes = nodes.rpartition(",")[0]  # the last number may lack its last digits
        return cls(
            mode=mode,
            flags=tuple(flags.split("|")) if flags else (),
            nodes=NodeMask(nodes) if nodes else NodeMask(),
            cut=cut,
        )

    def __str__(self) -> str:
        flags = f"={'|'.join(self.flags)}" if self.flags else ""
        nodes = f":{self.nodes}" if self.nodes else ""
        return f"{self.mode}{flags}{nodes}{',...' if self.cut else ''}"
