"""Where the numbers of a page come from: versions, commands, machines and data, and where cells differ in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlpbench.results.records import Record

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["Origin", "origins", "started"]

_GROUPS = ("code", "data", "machine", "commands", "packages", "sources")
"""In the order of the page."""

_SHORT = 12
"""Digits of a hash that are shown."""

_MACHINE = (
    "device", "gpu_memory", "processor", "cores", "cpu_capability", "memory", "torch_threads", "driver", "system",
    "host",
)
"""What `environment.json` says of a machine, in the order of the page; whatever else it says follows."""

_TOLD = frozenset({"versions", "plugins", "command", "started", "git", "python", "torch"})
"""Keys of `environment.json` that are told in their own groups."""


@dataclass(frozen=True)
class Origin:
    """One thing that decides numbers, with all values it had."""

    group: str
    """What it belongs to, one of `_GROUPS`."""
    name: str
    """What it is."""
    values: tuple[tuple[str, int, tuple[str, ...]], ...]
    """Each value, with how many cells had it and of which rows, the most frequent first."""


def origins(results: Results) -> list[Origin]:
    """All that the records of begun cells say, group by group."""
    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    many = len(results.orders) > 1
    for record in results.held:
        row = f"{record.order.name}: {record.line[0]}" if many else record.line[0]
        for group, name, value in _said(record):
            found.setdefault((group, name), {}).setdefault(value, []).append(row)
    return [
        Origin(group, name, _counted(values))
        for (group, name), values in sorted(found.items(), key=lambda item: _GROUPS.index(item[0][0]))
    ]


def started(results: Results) -> tuple[str, str]:
    """When the first and the last run were started (UTC); empty texts where no record says so."""
    times = sorted(one for record in results.held if (one := _facts(record).get("started")))
    return (str(times[0]), str(times[-1])) if times else ("", "")


def _counted(values: Mapping[str, Sequence[str]]) -> tuple[tuple[str, int, tuple[str, ...]], ...]:
    counted = [(value, len(rows), tuple(dict.fromkeys(rows))) for value, rows in values.items()]
    return tuple(sorted(counted, key=lambda one: -one[1]))


def _said(record: Record) -> Iterator[tuple[str, str, str]]:
    """(group, name, value) of all that one record says."""
    asked, facts = record.asked, _facts(record)
    yield from (("code", name, f"version {value}" if isinstance(value, int) else str(value))
                for name, value in asked.get("versions", {}).items() if name != "metrics")
    if record.scores:
        yield "code", "metrics", f"version {record.scores.get('metrics', 1)}"
    for whose, said in facts.get("git", {}).items():
        yield "code", f"commit of {whose}", _commit(said)
    yield from (("sources", name, str(value)[:_SHORT]) for name, value in asked.get("code", {}).items())
    yield from (("code", f"plugin {name}", str(value)) for name, value in facts.get("plugins", {}).items())
    packages = {**facts.get("versions", {}), **{name: facts[name] for name in ("python", "torch") if name in facts}}
    yield from (("packages", name, str(value)) for name, value in packages.items() if name != "vlpbench")
    order = [*(name for name in _MACHINE if name in facts), *(name for name in facts if name not in _MACHINE)]
    yield from (("machine", name, str(facts[name])) for name in order if name not in _TOLD)
    yield from (("data", name, str(value)[:_SHORT]) for name, value in asked.get("fingerprints", {}).items())
    if "command" in facts:
        yield "commands", "command", str(facts["command"])


def _commit(said: Any) -> str:
    """What a record says of a repository, as a line."""
    if not isinstance(said, Mapping):
        return str(said)
    return ", ".join(f"{key} {str(value)[:_SHORT]}" for key, value in said.items())


def _facts(record: Record) -> dict[str, Any]:
    return record.cell.facts("environment")
