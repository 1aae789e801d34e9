"""The facts of a study that several items ask for, drawn from its records once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlpbench.registry import Registry
from vlpbench.results.compute import Compute, compute
from vlpbench.results.grid_words import in_grid_words
from vlpbench.results.listed import listed as every_listed
from vlpbench.results.records import Record

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["Study", "by_rows", "listed", "study_of"]

_SHOWN = 6


@dataclass(frozen=True)
class Study:
    """Results with what is read off them."""

    results: Results
    """As loaded."""
    records: tuple[Record, ...]
    """Of the finished cells."""
    settings: tuple[Mapping[str, Any], ...]
    """Of each of them, under dotted keys."""
    environments: tuple[Mapping[str, Any], ...]
    """Of each of them; empty where lost."""
    cost: Compute
    """What it took."""
    registry: Registry
    """What is installed here."""

    def said(self, key: str) -> dict[Any, list[str]]:
        """Value of a setting -> the rows that have it, in words; rows without that setting are left out."""
        found: dict[Any, dict[str, None]] = {}
        for record, settings in zip(self.records, self.settings, strict=True):
            if key in settings:
                found.setdefault(_word(settings[key]), {})[record.asked["row"]] = None
        return {value: list(rows) for value, rows in found.items()}


def study_of(results: Results, registry: Registry) -> Study:
    """Read the facts of these results."""
    records = results.records()
    return Study(
        results, records, tuple(in_grid_words(one.asked["settings"]) for one in records),
        tuple(one.cell.facts("environment") for one in records), compute(results), registry,
    )


def _word(value: Any) -> Any:
    """A value that can be a key, as it is read: yes and no for a choice, a list with commas; a number stays one."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else value if value is not None else "none"


def by_rows(found: Mapping[Any, list[str]], word: Callable[[Any], str] = str) -> str:
    """ "64", or "64 (rows a, b) or 128 (row c)"."""
    if len(found) == 1:
        return word(next(iter(found)))
    parts = [f"{word(value)} (row{'s' if len(rows) > 1 else ''} {listed(rows)})" for value, rows in found.items()]
    return " or ".join(parts)


def listed(names: Iterable[str]) -> str:
    """Some names, each once, and how many more there are."""
    return every_listed(dict.fromkeys(names), _SHOWN)
