"""What every cell of a page was asked to be, and where cells differ: each distinct set of settings is kept once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlpbench.results.grid_words import in_grid_words

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["UNSET", "GridSettings", "SettingLine", "grid_settings"]

UNSET = "–"
"""Stands where a cell has no such setting."""


@dataclass(frozen=True)
class SettingLine:
    """A setting that cells differ in, with its value in each variant."""

    key: str
    """Dotted, as in a grid file."""
    values: tuple[str, ...]
    """One a variant."""
    usual: str
    """The value that most variants share; empty where none does."""

    @property
    def had(self) -> str:
        """The first value that is one."""
        return next((value for value in self.values if value != UNSET), UNSET)


@dataclass(frozen=True)
class GridSettings:
    """The settings of one grid's cells, seeds aside. A variant is a row as far as its cells have equal settings."""

    grid: str
    """Name of the grid."""
    variants: tuple[str, ...]
    """What each variant is called: its row, and a number from the second on."""
    differing: tuple[SettingLine, ...]
    """Settings that have other values in some variants than in others."""
    partial: tuple[SettingLine, ...]
    """Settings that only some variants have, all with the same value: those of an objective that others lack, say."""
    shared: tuple[tuple[str, str], ...]
    """Key and value of the settings that all have alike."""
    of_cell: Mapping[str, int]
    """Cell id -> its variant; a cell that was not begun has none."""


def grid_settings(results: Results) -> list[GridSettings]:
    """One a grid of which a record tells, in the order given."""
    found = []
    for order in results.orders:
        records = [one for one in results.held if one.order.name == order.name]
        variants: dict[tuple[str, str], tuple[int, dict[str, str]]] = {}
        of_cell = {}
        for record in records:
            said = {key: _shown(value) for key, value in in_grid_words(record.asked["settings"]).items()}
            key = (record.line[0], json.dumps(said, sort_keys=True))
            of_cell[record.id], _ = variants.setdefault(key, (len(variants), said))
        if records:
            settings = [said for _, said in variants.values()]
            found.append(_compared(order.name, [row for row, _ in variants], settings, of_cell))
    return found


def _compared(
    grid: str, rows: Sequence[str], settings: Sequence[Mapping[str, str]], of_cell: Mapping[str, int]
) -> GridSettings:
    differing: list[SettingLine] = []
    partial: list[SettingLine] = []
    shared = []
    for key in dict.fromkeys(key for one in settings for key in one):
        values = tuple(one.get(key, UNSET) for one in settings)
        if len(set(values)) == 1:
            shared.append((key, values[0]))
        else:
            is_partial = len(set(values) - {UNSET}) == 1
            (partial if is_partial else differing).append(SettingLine(key, values, _usual(values)))
    names = [row if rows[:at].count(row) == 0 else f"{row} ({rows[:at].count(row) + 1})" for at, row in enumerate(rows)]
    return GridSettings(grid, tuple(names), tuple(differing), tuple(partial), tuple(shared), dict(of_cell))


def _usual(values: Sequence[str]) -> str:
    (value, count), *others = Counter(values).most_common(2)
    return value if count > 1 and (not others or count > others[0][1]) else ""


def _shown(value: Any) -> str:
    """A value as a grid file has it, but for the quotes of a text that is not empty."""
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
