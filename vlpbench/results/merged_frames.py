"""Exported frames beside folders and each other: a cell that is in two of them counts once, as `merging` has it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vlpbench.results.grid_order import GridOrder
from vlpbench.results.listed import listed
from vlpbench.results.merging import joined_orders, same_score

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Part", "merged_frames"]

_RECIPE = ("objective", "stem", "trunk", "size", "blind", "samples", "parameters", "image_tokens")
"""Columns that are alike in all finished cells of a row: all that a frame tells of its settings."""


@dataclass(frozen=True)
class Part:
    """What one source holds."""

    source: str
    """Its name, for sentences."""
    frame: pd.DataFrame
    """Its lines."""
    orders: tuple[GridOrder, ...]
    """Its grids."""
    floors: pd.DataFrame
    """Its floors."""


def merged_frames(parts: Sequence[Part]) -> tuple[Part, tuple[str, ...]]:
    """All as one, in their order, and a sentence for each contradiction; the source that is named first counts."""
    whole, said = parts[0], list[str]()
    for part in parts[1:]:
        for order in part.orders:
            mine = _of_grid(part, order)
            if any(one.name == order.name for one in whole.orders):
                if apart := _other_settings(whole, mine):
                    said.append(f"grid {order.name!r}: {apart} in {part.source}, so it is kept apart")
                    mine = _renamed(mine, f"{order.name} ({part.source})")
                else:
                    whole, mine, contradictions = _each_once(whole, mine)
                    said += contradictions
            whole = _joined(whole, mine)
    return whole, tuple(said)


def _of_grid(part: Part, order: GridOrder) -> Part:
    frame, floors = part.frame, part.floors
    return Part(part.source, frame[frame["grid"] == order.name], (order,), floors[floors["grid"] == order.name])


def _renamed(part: Part, name: str) -> Part:
    orders = tuple(replace(one, name=name) for one in part.orders)
    return Part(part.source, part.frame.assign(grid=name), orders, part.floors.assign(grid=name))


def _joined(whole: Part, part: Part) -> Part:
    import pandas as pd

    frames = [one.frame for one in (whole, part) if len(one.frame)]
    frame = pd.concat(frames, ignore_index=True) if frames else whole.frame
    floors = pd.concat([one.floors for one in (whole, part)], ignore_index=True)
    names = dict.fromkeys(one.name for one in (*whole.orders, *part.orders))
    every = [[one for one in (*whole.orders, *part.orders) if one.name == name] for name in names]
    return Part(whole.source, frame, tuple(joined_orders(of) for of in every), floors)


def _other_settings(whole: Part, part: Part) -> str:
    """Which rows have other settings than before; empty for none. Equal rows and seeds have equal cells."""
    grid = part.orders[0].name
    cells, known = _cells(whole, grid), _recipes(whole, grid)
    rows = {place[0] for place, cell in _cells(part, grid).items() if cells.get(place, cell) != cell}
    rows |= {row for row, mine in _recipes(part, grid).items() if known.get(row, mine) != mine}
    return f"row{'s' if len(rows) > 1 else ''} {listed(sorted(rows))} with other settings" if rows else ""


def _cells(part: Part, grid: str) -> dict[tuple[str, int], str]:
    mine = part.frame[part.frame["grid"] == grid]
    return {(row, int(seed)): cell for row, seed, cell in _tuples(mine, ("row", "seed", "cell"))}


def _recipes(part: Part, grid: str) -> dict[str, tuple[Any, ...]]:
    """Row -> what its first finished cell is made of."""
    mine = part.frame[(part.frame["grid"] == grid) & (part.frame["status"] == "done")].drop_duplicates("row")
    texts = mine[["row", *_RECIPE]].astype(object).where(mine[["row", *_RECIPE]].notna(), "").astype(str)
    return {row: tuple(rest) for row, *rest in _tuples(texts, tuple(texts.columns))}


def _tuples(frame: pd.DataFrame, columns: tuple[str, ...]) -> Iterable[Any]:
    return frame[list(columns)].itertuples(index=False, name=None)


def _each_once(whole: Part, part: Part) -> tuple[Part, Part, list[str]]:
    """Both without what the other has better: a finished cell goes before one that is not, else the first counts."""
    grid = part.orders[0].name
    there = whole.frame[whole.frame["grid"] == grid]
    shared = {*there["cell"]} & {*part.frame["cell"]}
    done = {*there.loc[there["status"] == "done", "cell"]}
    better = {*part.frame.loc[part.frame["status"] == "done", "cell"]} & shared - done
    said = _contradictions(there, part, shared & done)
    old = (whole.frame["grid"] == grid) & whole.frame["cell"].isin(better)
    new = part.frame["cell"].isin(shared - better)
    return replace(whole, frame=whole.frame[~old]), replace(part, frame=part.frame[~new]), said


def _contradictions(there: pd.DataFrame, part: Part, cells: set[str]) -> list[str]:
    """A sentence for each cell of which both have scores that differ."""
    keys = ["cell", "row", "seed", "task", "metric"]
    before = there.loc[there["cell"].isin(cells), [*keys, "value"]]
    both = before.merge(part.frame[[*keys, "value"]], on=keys, suffixes=("", "_other"))
    found: dict[tuple[str, int], str] = {}
    for _, row, seed, task, metric, one, other in both.itertuples(index=False, name=None):
        if one == one and other == other and not same_score(one, other):
            found.setdefault((row, seed), f"{task} {metric} {one:.6g}, {other:.6g}")
    return [
        f"row {row!r}, seed {seed}: other scores before than in {part.source} ({change}); the former are taken"
        for (row, seed), change in found.items()
    ]
