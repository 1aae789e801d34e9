"""Why the numbers of two cells may differ: what decides them first, then what should not and sometimes does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vlpbench.results.difference_records import Side

__all__ = ["DECIDING", "HEADS", "Change", "reasons", "unknowns"]

HEADS: Mapping[str, str] = {
    "settings": "settings",
    "seed": "seed",
    "versions": "versions",
    "code": "code under these versions (hashes)",
    "data": "data (fingerprints)",
    "initial": "initial weights (hashes)",
    "libraries": "libraries",
    "hardware": "hardware",
    "run": "command and commits",
    "places": "folders (what is in them is in the fingerprints)",
}
"""Groups of reasons, the most telling first, each with what is printed over it."""

DECIDING = ("settings", "seed", "versions", "code", "data", "initial")
"""Groups that decide numbers."""

_COMPONENTS = ("objective", "stem", "trunk", "data")
_LIBRARIES = frozenset({"python", "torch", "cuda", "cudnn", "driver"})
_OF_A_GPU = frozenset({"cuda", "cudnn", "driver", "gpu_memory", "gpu_capability"})
_RUN = frozenset({"git", "command"})
_NO_REASON = frozenset({"started", "versions.vlpbench", "versions.python", "versions.torch"})
"""Keys of the environment that are no reason, or are told elsewhere."""


@dataclass(frozen=True)
class Change:
    """One thing that is not the same in two cells."""

    key: str
    """Its dotted name."""
    a: Any = None
    """What it is in A; None where it is not there."""
    b: Any = None
    """What it is in B; None where it is not there."""

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"key": self.key, "a": self.a, "b": self.b}


def reasons(a: Side, b: Side) -> dict[str, list[Change]]:
    """What differs, by the groups of `HEADS` that have something; what either record lacks is left out."""
    found: dict[str, list[Change]] = {group: [] for group in HEADS}
    for change in _changes(_settings(a), _settings(b)):
        found["places" if _is_place(change.key) else "settings"].append(change)
    if None not in (a.seed, b.seed) and a.seed != b.seed:
        found["seed"].append(Change("seed", a.seed, b.seed))
    for key in ("versions", "code"):
        found[key] += [one for one in _changes(_table(a, key), _table(b, key)) if not _is_of_settings(one)]
    for change in _changes(_table(a, "fingerprints"), _table(b, "fingerprints")):
        is_initial = change.key.startswith("init.")
        found["initial" if is_initial else "data"].append(change)
    for change in _changes(a.environment, b.environment):
        is_told_once = change.key in _RUN and None in (change.a, change.b)
        if not is_told_once and change.key not in _one_sided(a, b):
            found[_of_environment(change.key)].append(change)
    return {group: changes for group, changes in found.items() if changes}


def unknowns(a: Side, b: Side) -> list[str]:
    """What cannot be compared, since a record lacks it: one sentence each."""
    parts: Mapping[str, Callable[[Side], object]] = {
        "settings": _settings, "versions": lambda side: _table(side, "versions"),
        "code": lambda side: _table(side, "code"), "data": lambda side: _table(side, "fingerprints"),
        "libraries and hardware": lambda side: side.environment,
    }
    said = []
    for name, read in parts.items():
        lacking = [which for which, side in (("A", a), ("B", b)) if not read(side)]
        if lacking:
            said.append(f"{name} (not recorded in {' and '.join(lacking)})")
    if a.environment and b.environment:
        for which, side in (("A", a), ("B", b)):
            lacking = [key for key in _one_sided(a, b) if key not in side.environment]
            said += [f"{', '.join(lacking)} (not recorded in {which})"] if lacking else []
    for which, side in (("A", a), ("B", b)):
        said += [f"what {which} wrote (a file is missing or changed since)"] if side.state == "damaged" else []
        said += [f"{name} of {which} (it cannot be read)" for name in side.unread]
    return said


def _one_sided(a: Side, b: Side) -> list[str]:
    """What one environment tells and the other, of an older record, does not; a processor has not a GPU's facts."""
    either = [*a.environment, *(key for key in b.environment if key not in a.environment)]
    lacking = [key for key in either if (key in a.environment) != (key in b.environment)]
    told = _OF_A_GPU if a.environment.get("device") != b.environment.get("device") else frozenset()
    return [key for key in lacking if key not in told | _RUN | _NO_REASON]


def _settings(side: Side) -> dict[str, Any]:
    """The settings of a cell but its seed, which is told by itself."""
    return {key: value for key, value in _table(side, "settings").items() if key != "seed"}


def _table(side: Side, key: str) -> dict[str, Any]:
    found = side.asked.get(key, {})
    return found if isinstance(found, dict) else {}


def _is_of_settings(change: Change) -> bool:
    """Whether a component is used in one cell alone: the settings tell that."""
    return change.key.partition(" ")[0] in _COMPONENTS and " " in change.key and None in (change.a, change.b)


def _is_place(key: str) -> bool:
    """Whether a setting only says where files are; which ones these are is in the fingerprints."""
    parts = key.split(".")
    return parts[0] == "init" or (parts[0] == "sources" and parts[-1] == "folder" and len(parts) == 3)


def _of_environment(key: str) -> str:
    top = key.partition(".")[0]
    if top in _RUN:
        return "run"
    return "libraries" if top in _LIBRARIES or top in ("versions", "plugins") else "hardware"


def _changes(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Change]:
    """What differs between two tables, tables inside them by dotted keys; nothing where either is empty."""
    return list(_walk("", a, b)) if a and b else []


def _walk(prefix: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Change]:
    for key in [*a, *(key for key in b if key not in a)]:
        one, other = a.get(key), b.get(key)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from _walk(f"{prefix}{key}.", one, other)
        elif one != other and f"{prefix}{key}" not in _NO_REASON:
            yield Change(f"{prefix}{key}", one, other)
