"""From results to what their seeds and images can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vlpbench.errors import UserError, unknown
from vlpbench.metrics.names import extras_among
from vlpbench.results.example_pairs import ExamplePairs
from vlpbench.results.grid_order import GridOrder
from vlpbench.results.metric_names import factor
from vlpbench.results.pairing import Measured, Pairs, Place, measured, paired
from vlpbench.results.power.asked import PowerAsked
from vlpbench.results.power.found import ImageNeed, Images, MetricPower, Power, SeedNeed, SeenGap
from vlpbench.results.power.spread import pooled_spread
from vlpbench.results.shown_metrics import SHOWN
from vlpbench.results.statistics import Components, components, examples_needed, seeds_needed, smallest_gap

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["power"]


@dataclass(frozen=True)
class _Table:
    """What all metrics of one grid share."""

    asked: PowerAsked
    baseline: str
    comparisons: int
    examples: ExamplePairs

    @property
    def alpha(self) -> float:
        """What the smallest p of a table must be below: Holm's first step."""
        return self.asked.alpha / self.comparisons


def power(results: Results, asked: PowerAsked | None = None) -> list[Power]:
    """One for each grid that has the baseline and a score; UserError for an unknown baseline or metric."""
    asked = asked or PowerAsked()
    if asked.baseline is not None and asked.baseline not in {*results.frame["row"]}:
        raise unknown("row", asked.baseline, {*results.frame["row"]}, "--baseline")
    places = measured(results, _metrics(results, asked.metrics))
    examples, found = ExamplePairs(results), []
    for order in results.orders:
        mine = {place: rows for place, rows in places.items() if place[0] == order.name}
        baseline = _baseline(order, mine) if asked.baseline is None else asked.baseline
        if any(baseline in rows for rows in mine.values()):
            found.append(_of_grid(order.name, mine, baseline, asked, examples))
    return found


def _metrics(results: Results, names: Sequence[str]) -> list[tuple[str, str]]:
    """(task, metric) of what is asked for, or of what tables show, as far as it is a score."""
    lines = results.frame.loc[results.frame["better"] != "", ["task", "metric"]].drop_duplicates()
    there = [(str(task), str(metric)) for task, metric in lines.itertuples(index=False)]
    for name in names:
        if there and name not in {metric for _, metric in there}:
            raise unknown("metric", name, {metric for _, metric in there}, "--metric")
    tasks = dict.fromkeys(task for task, _ in there)
    extras = extras_among(metric for _, metric in there)
    wanted = [
        (task, metric) for task in tasks for metric in names or (*SHOWN.get(task.partition("@")[0], ()), *extras)
    ]
    return [one for one in wanted if one in there]


def _baseline(order: GridOrder, places: Mapping[Place, Mapping[str, Measured]]) -> str:
    """The grid's reference, else its first row that has a score."""
    rows = [name for mine in places.values() for name, row in mine.items() if row.scores and not row.is_blind]
    return order.reference if order.reference in rows or not rows else rows[0]


def _of_grid(
    grid: str, places: Mapping[Place, Mapping[str, Measured]], baseline: str, asked: PowerAsked, examples: ExamplePairs
) -> Power:
    others = {
        place: [row for row in rows.values() if row.row != baseline and row.is_possible and not row.is_blind]
        for place, rows in places.items()
    }
    count = asked.comparisons or max(1, sum(map(len, others.values())))
    table = _Table(asked, baseline, count, examples)
    found, without = [], []
    for place, rows in others.items():
        one = _of_metric(place, {row.row: paired(row, places[place][baseline]) for row in rows}, table)
        if one is None:
            without.append(place[1:])
        else:
            found.append(one)
    return Power(grid, baseline, asked.alpha, asked.power, count, tuple(found), tuple(without))


def _of_metric(place: Place, pairs: Mapping[str, Pairs], table: _Table) -> MetricPower | None:
    """None where no row has two pairs, or differences never vary."""
    scale = factor(place[2])
    differences = {row: scale * one.differences for row, one in pairs.items() if len(one.seeds) > 1}
    spread = pooled_spread(list(differences.values()))
    if spread is None:
        return None
    images, why = _images(place, {row: pairs[row] for row in differences}, table)
    power, ends = table.asked.power, (spread.std, spread.low, spread.high)
    return MetricPower(
        place[1], place[2], spread,
        smallest_gap(spread.seeds, spread.std, table.alpha, power),
        smallest_gap(spread.seeds, spread.std, table.asked.alpha, power),
        tuple(_need(gap, ends, table) for gap in table.asked.gaps),
        tuple(_seen(row, one, table) for row, one in differences.items()), images, why,
    )


def _need(gap: float, ends: tuple[float, float, float], table: _Table) -> SeedNeed:
    """`ends`: the spread, and the lower and upper end of its interval."""
    return SeedNeed(gap, *(seeds_needed(gap, std, table.alpha, table.asked.power) for std in ends))


def _seen(row: str, differences: np.ndarray, table: _Table) -> SeenGap:
    own, gap = pooled_spread([differences]), float(differences.mean())
    if own is None:
        return SeenGap(row, gap, 0.0, len(differences), None)
    return SeenGap(row, gap, own.std, len(differences), _need(abs(gap), (own.std, own.low, own.high), table))


def _images(place: Place, pairs: Mapping[str, Pairs], table: _Table) -> tuple[Images | None, str]:
    """What test images can show, by the mean of the rows' components of variance; else why that is not known."""
    found, scale = [], factor(place[2])
    for row, one in pairs.items():
        try:
            sides = table.examples.of(place, row, table.baseline, one.seeds)
        except UserError as error:
            return None, error.cause
        found.append(components(scale * sides[0], scale * sides[1], sides[2]))
    seeds, images = max(one.seeds for one in found), min(one.images for one in found)
    parts = zip(*((one.seed, one.image, one.interaction) for one in found), strict=True)
    seed, image, interaction = (float(np.mean(part)) for part in parts)
    mean = Components(0.0, seeds, images, seed, image, interaction)
    ladder = tuple(
        ImageNeed(gap, *(
            examples_needed(gap, mean, seeds, target, table.alpha, table.asked.power)
            for target in ("examples", "seeds and examples")
        ))
        for gap in table.asked.gaps
    )
    return Images(images, seeds, ladder), ""
