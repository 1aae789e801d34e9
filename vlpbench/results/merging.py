"""Several results folders as one: what is in two of them counts once, and what contradicts is named.

Folders of one grid are joined, so that seeds can be shared out over machines. Where a row has other settings in one
than in another, nothing is mixed: each folder's grid goes by a name of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vlpbench.config.measured import suite_metrics
from vlpbench.config.settings import Protocol
from vlpbench.config.typed import shown
from vlpbench.results.grid_order import GridOrder
from vlpbench.results.grid_words import in_grid_words
from vlpbench.results.records import GridFolder, Record

__all__ = ["Merged", "joined_orders", "merged", "same_score"]

_NAMED = 3
"""Differences that a sentence lists before it says how many more there are."""


_NOT_A_RECIPE = frozenset({"tasks"})
"""What may differ between folders of one grid: a task is another column, no other row."""


@dataclass(frozen=True)
class Merged:
    """All that some folders hold."""

    orders: tuple[GridOrder, ...]
    """One a grid, in the order in which the folders were named."""
    records: tuple[Record, ...]
    """Each cell of a grid once: grid by grid, rows in the grid's order, then by seed."""
    unreadable: frozenset[str]
    """Ids of cells whose settings cannot be read."""
    conflicts: tuple[str, ...]
    """A sentence for each contradiction."""


def merged(folders: Sequence[GridFolder]) -> Merged:
    """Join the folders of each grid; see the module for what is joined and what is not."""
    orders: list[GridOrder] = []
    records: list[Record] = []
    conflicts: list[str] = []
    for name in dict.fromkeys(one.order.name for one in folders):
        mine = [one for one in folders if one.order.name == name]
        apart = list(_other_settings(mine))
        conflicts += apart
        for group in [[one] for one in mine] if apart else [mine]:
            label = f"{name} ({group[0].path})" if apart else name
            order = replace(joined_orders([one.order for one in group]), name=label)
            orders.append(order)
            best, contradictions = _each_once(group)
            conflicts += contradictions
            records += [replace(one, order=order) for one in _in_rows(best, order)]
    unreadable = frozenset().union(*(one.unreadable for one in folders))
    return Merged(tuple(orders), tuple(records), unreadable, tuple(conflicts))


def joined_orders(orders: Sequence[GridOrder]) -> GridOrder:
    """One order: rows and tasks of the first, then what the others have more."""
    first = orders[0]
    return replace(
        first,
        rows=tuple(dict.fromkeys(row for one in orders for row in one.rows)),
        tasks=tuple(dict.fromkeys(task for one in orders for task in one.tasks)),
        cells={cell: said for one in reversed(orders) for cell, said in one.cells.items()},
        beside=tuple(dict.fromkeys(name for one in orders for name in one.beside)),
        published={row: said for one in reversed(orders) for row, said in one.published.items()},
        reference=next((one.reference for one in orders if one.reference), ""),
    )


def _other_settings(folders: Sequence[GridFolder]) -> Iterator[str]:
    """A sentence for each set of differences that rows have between an earlier folder and a later one."""
    known: dict[str, tuple[GridFolder, dict[str, Any]]] = {}
    told: dict[tuple[str, str, str], list[str]] = {}
    for folder in folders:
        for row, recipe in {one.asked["row"]: _recipe(one.asked) for one in folder.records}.items():
            where, before = known.setdefault(row, (folder, recipe))
            if recipe != before:
                told.setdefault((str(where.path), str(folder.path), _changes(before, recipe)), []).append(row)
    for (first, second, changes), rows in told.items():
        yield (
            f"grid {folders[0].order.name!r}: {_named_rows(rows)} other settings in {first} than in {second} "
            f"({changes}), so the folders are kept apart"
        )


def _named_rows(rows: Sequence[str]) -> str:
    return f"row {rows[0]!r} has" if len(rows) == 1 else f"rows {', '.join(map(repr, rows))} have"


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """The first few settings that differ: those that both have first, then those that one lacks."""
    keys = sorted(key for key in {**before, **after} if before.get(key, _UNSET) != after.get(key, _UNSET))
    keys.sort(key=lambda key: key not in before or key not in after)
    told = [f"{key} {_shown(key, before)}, {_shown(key, after)}" for key in keys[:_NAMED]]
    return "; ".join(told) + (f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else "")


_UNSET = object()


def _shown(key: str, recipe: Mapping[str, Any]) -> str:
    return shown(recipe[key]) if key in recipe else "unset"


def _recipe(asked: Mapping[str, Any]) -> dict[str, Any]:
    """All that decides a cell's numbers but the seed and how they are measured, flat."""
    versions = {key: value for key, value in asked.get("versions", {}).items() if key not in ("vlpbench", "metrics")}
    return {
        **{key: _of_suite(key, value) for key, value in in_grid_words(asked["settings"]).items()
           if key not in _NOT_A_RECIPE},
        **{f"version of {key}": value for key, value in versions.items()},
        **{f"files of {key}": value for key, value in asked.get("fingerprints", {}).items()},
    }


def _of_suite(key: str, value: Any) -> Any:
    """A setting's value, of a task's metrics those of the suite: a plugin's is another column, no other row."""
    is_metrics = key.startswith("protocol.") and key.endswith(".metrics")
    return list(suite_metrics(Protocol(metrics=tuple(value)))) if is_metrics else value


def _each_once(folders: Sequence[GridFolder]) -> tuple[list[Record], list[str]]:
    """The best record of each row and seed: a finished one, of the latest metrics, whole, of the folder named first."""
    best: dict[tuple[str, int], tuple[GridFolder, Record]] = {}
    said = []
    for folder in folders:
        for record in folder.records:
            where, before = best.setdefault(record.line, (folder, record))
            if before is record:
                continue
            kept, left = (folder, where) if _rank(record) > _rank(before) else (where, folder)
            if kept is folder:
                best[record.line] = (folder, record)
            if changes := _other_scores(before, record):
                row, seed = record.line
                said.append(
                    f"row {row!r}, seed {seed}: other scores in {where.path} than in {folder.path} ({changes}); "
                    f"those of {kept.path} are taken, not of {left.path}"
                )
    return [record for _, record in best.values()], said


def _in_rows(records: Sequence[Record], order: GridOrder) -> list[Record]:
    """Rows as the grid has them, then others; within a row by seed."""
    place = {row: at for at, row in enumerate(order.rows)}
    return sorted(records, key=lambda one: (place.get(one.asked["row"], len(place)), *one.line))


def same_score(one: float, other: float) -> bool:
    """Whether two scores are one but for rounding."""
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


def _rank(record: Record) -> tuple[bool, int, bool]:
    version = int(record.scores.get("metrics", 1)) if record.scores else 0
    return record.state == "done", version, not record.cell.is_compact


def _other_scores(before: Record, after: Record) -> str:
    """Which scores of two finished cells differ; empty where none does, or one is not done."""
    if not before.scores or not after.scores:
        return ""
    pairs = []
    for task, found in before.scores["tasks"].items():
        values = after.scores["tasks"].get(task, {}).get("values", {})
        for metric, value in found.get("values", {}).items():
            other = values.get(metric)
            if value is not None and other is not None and not same_score(value, other):
                pairs.append(f"{task} {metric} {value:.6g}, {other:.6g}")
    more = f" and {len(pairs) - _NAMED} more" if len(pairs) > _NAMED else ""
    return "; ".join(pairs[:_NAMED]) + more
