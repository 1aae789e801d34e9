"""Which cells of two rows make a pair: equal seeds, measured alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vlpbench.results.spreads import BAD, HOW

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["Measured", "Pairs", "Place", "Score", "measured", "paired"]

Place = tuple[str, str, str]
"""Names: grid, task, metric."""

_ALIKE = tuple(name for name in HOW if name != "head")
"""Columns of the frame that two scores must share to be compared."""

_MISSING = (*BAD, "pending")
"""Of a cell: there may be a score one day, there is none now."""


@dataclass(frozen=True)
class Score:
    """What one cell scored."""

    value: float
    """On the frame's scale."""
    how: tuple[str, ...]
    """What two scores must share, as `_ALIKE` has it; "" where the record does not say."""
    head: str
    """Form of the readout."""


@dataclass(frozen=True)
class Measured:
    """What the cells of one row scored in one task and metric."""

    row: str
    """The row."""
    is_blind: bool
    """Whether its images were blanked: a floor, no row to test."""
    scores: Mapping[int, Score]
    """By seed, ascending."""
    missing: Mapping[int, str]
    """Seed, ascending -> why there is no score: failed, timeout, damaged, pending, or the reason that was recorded."""
    better: str = "higher"
    """Which way is better: higher or lower; empty where the metric is no score."""

    @property
    def is_possible(self) -> bool:
        """Whether there is a score, or may be one: a row that cannot have the task has none and will have none."""
        return bool(self.scores) or any(what in _MISSING for what in self.missing.values())

    @property
    def mean(self) -> float:
        """Over the seeds that it has; NaN without any."""
        values = [one.value for one in self.scores.values()]
        return float(np.mean(values)) if values else float("nan")


@dataclass(frozen=True)
class Pairs:
    """Two rows' scores side by side."""

    seeds: tuple[int, ...]
    """S, ascending: both rows have a score, measured alike."""
    mine: NDArray[np.float64]
    """S: of the row."""
    other: NDArray[np.float64]
    """S: of the row it is held against."""
    notes: tuple[str, ...]
    """What must be said of them: seeds without a partner, cells that failed, what was measured otherwise."""

    @property
    def differences(self) -> NDArray[np.float64]:
        """S: row minus other."""
        return self.mine - self.other


def measured(results: Results, metrics: Sequence[tuple[str, str]]) -> dict[Place, dict[str, Measured]]:
    """The scores of every row in each (task, metric), grid by grid, rows in the grid's order: the frame is read once.

    A (task, metric) that no row of a grid has a score in is left out.
    """
    rows: dict[str, dict[str, None]] = {order.name: dict.fromkeys(order.rows) for order in results.orders}
    scores: dict[Place, dict[str, dict[int, Score]]] = {}
    missing: dict[Place, dict[str, dict[int, str]]] = {}
    blind: dict[tuple[str, str], bool] = {}
    ways: dict[Place, str] = {}
    for grid, row, seed, is_blind, task, metric, value, status, reason, head, better, *how in _lines(results, metrics):
        rows.setdefault(grid, {}).setdefault(row)
        if is_blind != "":
            blind[grid, row] = bool(is_blind)
        mine = scores.setdefault((grid, task, metric), {}).setdefault(row, {})
        gaps = missing.setdefault((grid, task, metric), {}).setdefault(row, {})
        if status != "done" or value == "":
            gaps[int(seed)] = status if status in _MISSING else str(reason) or "without a score"
        elif int(seed) in mine:
            gaps[int(seed)] = "had by more than one cell"  # merged folders: which of them is meant, nobody knows
        else:
            mine[int(seed)] = Score(float(value), tuple(map(str, how)), str(head))
            ways.setdefault((grid, task, metric), better)
    blind = {(grid, name): True for grid, names in rows.items() for name in _blind_names(names)} | blind
    return {
        (grid, task, metric): {
            row: _measured(
                row, blind.get((grid, row), False), ways[grid, task, metric], scores[grid, task, metric].get(row, {}),
                missing[grid, task, metric].get(row, {}) | missing.get((grid, task, ""), {}).get(row, {}),
            )
            for row in names
        }
        for grid, names in rows.items()
        for task, metric in dict.fromkeys(metrics)
        if any(scores.get((grid, task, metric), {}).values())
    }


def _lines(results: Results, metrics: Sequence[tuple[str, str]]) -> list[list[Any]]:
    """The frame's lines that matter, "" for what is unknown: of these metrics, and of cells and tasks without any."""
    wanted = results.frame["metric"].isin(["", *(metric for _, metric in metrics)])
    columns = ["grid", "row", "seed", "blind", "task", "metric", "value", "status", "reason", "head", "better", *_ALIKE]
    frame = results.frame.loc[wanted, columns].astype(object)
    lines: list[list[Any]] = frame.where(frame.notna(), "").to_numpy().tolist()
    return lines


def _measured(
    row: str, is_blind: bool, better: str, scores: Mapping[int, Score], missing: Mapping[int, str]
) -> Measured:
    clear = {seed: scores[seed] for seed in sorted(scores) if seed not in missing}
    return Measured(row, is_blind, clear, dict(sorted(missing.items())), better)


def _blind_names(rows: Iterable[str]) -> list[str]:
    """Rows that are called as blind ones are: before they are run, nothing else tells."""
    names = set(rows)
    return [name for name in names if name.removesuffix(", blind") in names - {name}]


def paired(row: Measured, other: Measured) -> Pairs:
    """The seeds that both have, measured alike, and what must be said of the rest."""
    common = [seed for seed in row.scores if seed in other.scores]
    alike = [seed for seed in common if row.scores[seed].how == other.scores[seed].how]
    mine = np.array([row.scores[seed].value for seed in alike], dtype=np.float64)
    theirs = np.array([other.scores[seed].value for seed in alike], dtype=np.float64)
    notes = [*_otherwise(row, other, [seed for seed in common if seed not in alike]), *_gaps(row), *_gaps(other)]
    alone = sorted({*row.scores, *other.scores} - {*common})
    if alone and common:
        notes.append(f"without a partner: {_seeds(alone)}")
    elif not common and row.scores and other.scores:
        notes.append(f"{row.row} and {other.row} have no seed in common")
    heads = dict.fromkeys((row.scores[seed].head, other.scores[seed].head) for seed in alike)
    notes += [f"readouts differ: {one} in {row.row}, {two} in {other.row}" for one, two in heads if one != two]
    return Pairs(tuple(alike), mine, theirs, tuple(notes))


def _otherwise(row: Measured, other: Measured, seeds: Sequence[int]) -> list[str]:
    """Why scores of these seeds are not compared."""
    found: dict[str, list[int]] = {}
    for seed in seeds:
        sides = zip(_ALIKE, row.scores[seed].how, other.scores[seed].how, strict=True)
        said = [f"{name.replace('_', ' ')} {one or '?'} and {two or '?'}" for name, one, two in sides if one != two]
        found.setdefault(", ".join(said), []).append(seed)
    return [f"not measured alike ({which}): {_seeds(mine)} not compared" for which, mine in found.items()]


def _gaps(row: Measured) -> list[str]:
    """What became of a row's cells without a score."""
    found: dict[str, list[int]] = {}
    for seed, what in row.missing.items():
        found.setdefault(what, []).append(seed)
    said = [f"{row.row}: {_seeds(seeds)} {what}" for what, seeds in found.items()]
    return said or ([] if row.scores else [f"{row.row} has no score"])


def _seeds(seeds: Sequence[int]) -> str:
    """seed 3; seeds 0, 1, 4."""
    return f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
