"""``JobPreflight``: what ``Job.check()`` answers, for each process and for all together."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from pymigrate.errors import KernelError, NoSuchProcess, NoUserMemory
from pymigrate.jobs.member import identify
from pymigrate.kernel.resident import residency
from pymigrate.operations.verdicts import OK, REFUSED, WARNING, Preflight, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from pymigrate.jobs.job_needs import JobNeeds

__all__ = ["JobPreflight", "looked_at"]


@dataclass(frozen=True)
class JobPreflight:
    """All verdicts on an operation on a job. True if nothing stands in its way for certain.

    Attributes:
        verdicts: On the processes together: ``members``, whether there are any; ``free-memory``,
            or ``swap`` for an eviction, whether there is enough for all.
        processes: On each process, by pid. Those that have ended are left out.
        failures: By pid, why a process could not be looked at.
    """

    verdicts: tuple[Verdict, ...]
    processes: dict[int, Preflight]
    failures: dict[int, KernelError]

    def __bool__(self) -> bool:
        refused = any(verdict.state == REFUSED for verdict in self.verdicts)
        return not refused and not self.failures and all(self.processes.values())

    def to_dict(self) -> dict[str, Any]:
        """What ``json.dumps`` takes."""
        return {
            "possible": bool(self),
            "verdicts": [asdict(verdict) for verdict in self.verdicts],
            "processes": [preflight.to_dict() for preflight in self.processes.values()],
            "failures": [error.to_dict() for error in self.failures.values()],
        }

    def to_json(self) -> str:
        """``to_dict()`` as one line of JSON."""
        return json.dumps(self.to_dict())

    def __str__(self) -> str:
        """For people: the verdicts on each process, then those on all together."""
        lines = []
        for pid, preflight in self.processes.items():
            lines += [f"pid {pid}:", str(preflight)]
        for pid, error in self.failures.items():
            who = f"pid {pid}" if pid else "without a pid"
            lines.append(f"{who}: {error.cause}{'; ' * bool(error.remedy)}{error.remedy}")
        return "\n".join([*lines, "job:", *map(str, self.verdicts)])


def looked_at(
    pids: Iterable[int],
    missing: Mapping[int, KernelError],
    look: Callable[[int], Preflight],
    needs: JobNeeds,
) -> JobPreflight:
    """Looks at each process, and at what they need together.

    Args:
        pids: The processes.
        missing: Why others cannot be looked at, by pid.
        look: Looks at one.
        needs: Of all that can be dealt with.
    """
    found: dict[int, Preflight] = {}
    failures = dict(missing)
    for pid in pids:
        member = identify(pid)
        try:
            preflight = look(pid)
        except (NoSuchProcess, NoUserMemory):
            continue
        except KernelError as error:
            failures[pid] = error
            continue
        # One that has ended meanwhile, or a kernel thread of the cgroup, is no failure.
        if member and identify(pid) == member and _has_memory(preflight):
            found[pid] = preflight
    needs.look(pid for pid, preflight in found.items() if preflight)
    room = needs.verdict() if any(found.values()) else None
    verdicts = (_members(found, failures), *([room] if room else []))
    return JobPreflight(verdicts, found, failures)


def _has_memory(preflight: Preflight) -> bool:
    refused = {verdict.name for verdict in preflight.verdicts if verdict.state == REFUSED}
    if "memory-files" in refused:
        # A process that ends loses its memory some time before it is a zombie.
        try:
            residency(preflight.pid)
        except (NoSuchProcess, NoUserMemory):
            return False
        except KernelError:
            return True
    return "user-memory" not in refused


def _members(found: Mapping[int, Preflight], failures: Mapping[int, KernelError]) -> Verdict:
    if not found and not failures:
        return Verdict("members", WARNING, "the job has no process now: nothing would be done")
    count = len(found)
    processes = "1 process" if count == 1 else f"{count} processes"
    if failures:
        finding = f"{processes} and {len(failures)} that cannot be dealt with"
        return Verdict("members", WARNING if found else REFUSED, finding)
    return Verdict("members", OK, processes)
