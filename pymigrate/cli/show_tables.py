"""The tables of ``pymigrate show``."""

from __future__ import annotations

from pymigrate.cli.tables import bar, new_table, plain, print_out
from pymigrate.units import KINDS, PAGE_SIZE, format_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pymigrate.cli.process_view import ProcessView
    from pymigrate.kernel.resident import Residency
    from pymigrate.kernel.vma import Vma

__all__ = ["print_process"]

_NOTHING = "-"


def print_process(view: ProcessView) -> None:
    """Its memory by node and kind, then what is on no node, and the mappings if they are there."""
    found = view.residency
    table = new_table(f"pid {view.pid} ({view.name})", "node", "", *KINDS, "total", left=("",))
    for node in found.nodes:
        table.add_row(str(node), bar(found.pages(node), found.pages()), *_sums(found, node))
    table.add_section()
    table.add_row("all", "", *_sums(found, None))
    print_out(table)
    if found.swapped:
        print_out(f"swapped {format_bytes(found.swapped)}")
    if found.thp is not None:
        print_out(f"transparent huge pages {format_bytes(found.thp)} (among the above)")
    if view.vmas is not None:
        print_vmas(view.vmas)


def print_vmas(vmas: list[Vma]) -> None:
    """The mappings that have pages."""
    nodes = sorted({node for vma in vmas for node in vma.pages})
    columns = [f"node {node}" for node in nodes]
    left = ("address", "kind", "policy")
    table = new_table("mappings", "address", "mode", "kind", *columns, "policy", left=left)
    table.add_column("path", overflow="fold")
    for vma in vmas:
        if vma.pages:
            table.add_row(
                f"{vma.start:x}-{vma.end:x}",
                vma.permissions,
                vma.kind,
                *(_amount(vma.pages.get(node, 0)) for node in nodes),
                str(vma.policy),
                plain(vma.path),
            )
    print_out(table)


def _sums(found: Residency, node: int | None) -> list[str]:
    return [_amount(found.pages(node, kind)) for kind in KINDS] + [_amount(found.pages(node))]


def _amount(pages: int) -> str:
    return format_bytes(pages * PAGE_SIZE) if pages else _NOTHING
