"""From results to published differences beside ours."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from vlpbench.errors import UserError, unknown
from vlpbench.results.agreement import agreements
from vlpbench.results.comparisons import Comparison, compare_with
from vlpbench.results.grid_order import GridOrder
from vlpbench.results.metric_names import factor
from vlpbench.results.pairing import Measured, measured, paired
from vlpbench.results.published import decimals_of, published_by_column
from vlpbench.results.reproduction.asked import ReproductionAsked
from vlpbench.results.reproduction.found import Compared, Reproduction
from vlpbench.results.shown_metrics import in_order
from vlpbench.results.statistics import holm, paired_over_seeds, smallest_gap
from vlpbench.results.statistics.checked import EQUAL

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["reproductions"]

_NAN = math.nan


def reproductions(results: Results, asked: ReproductionAsked | None = None) -> list[Reproduction]:
    """One for each grid and published column with two rows or more; all their comparisons are one family.

    UserError where there is none, for a baseline that no row is called, and for one without a published number.
    """
    asked = asked or ReproductionAsked()
    columns = _columns(results, asked)
    count = sum(len(printed) - 1 for _, _, printed in columns)
    found = [_of_column(results, order, key, printed, count, asked) for order, key, printed in columns]
    ps = holm(every := [row.p for one in found for row in one.rows], sum(p != p for p in every))
    corrected = iter(ps)
    return [
        replace(one, rows=tuple(replace(row, corrected=next(corrected)) for row in one.rows)) for one in found
    ]


_Column = tuple[GridOrder, tuple[str, str], dict[str, float]]
"""A grid, task and metric, and row -> published number in the grid's order, the baseline first."""


def _columns(results: Results, asked: ReproductionAsked) -> list[_Column]:
    every = published_by_column(results.orders, None)
    known = dict.fromkeys(metric for _, metric in every)
    for metric in asked.metrics:
        if every and metric not in known:
            raise unknown("published metric", metric, known, "--metric")
    found = []
    for order in results.orders:
        columns = published_by_column([order], asked.metrics or None)
        for task, metric in in_order(itertools.product(order.tasks, known), columns):
            there = {row: value for (_, row), value in columns[task, metric].items()}
            rows = [*(row for row in order.rows if row in there), *(row for row in there if row not in order.rows)]
            baseline = _baseline(order, rows, asked)
            if baseline in there and len(there) > 1:
                found.append((order, (task, metric), {row: there[row] for row in dict.fromkeys([baseline, *rows])}))
    if not found:
        raise _nothing(results, every, asked)
    return found


def _baseline(order: GridOrder, rows: Sequence[str], asked: ReproductionAsked) -> str:
    if asked.baseline is not None:
        return asked.baseline
    return order.reference if order.reference in rows else rows[0]


def _nothing(results: Results, every: Mapping[tuple[str, str], object], asked: ReproductionAsked) -> UserError:
    """Why there is nothing to compare."""
    rows = dict.fromkeys([*(row for order in results.orders for row in order.rows), *results.frame["row"]])
    if asked.baseline is not None and asked.baseline not in rows:
        return unknown("row", asked.baseline, rows, "--baseline")
    if asked.baseline is not None and every:
        numbered = dict.fromkeys(row for order in results.orders for row in order.published)
        return UserError(f"row {asked.baseline!r} has no published number", "--baseline",
                         f"rows with one: {', '.join(map(repr, numbered))}")
    return UserError(
        "there are not two rows with a published number of the same task and metric",
        ", ".join(order.name for order in results.orders),
        'a grid says them in its rows: published = { "vqa.accuracy" = 67.43 }',
    )


def _of_column(
    results: Results, order: GridOrder, key: tuple[str, str], printed: Mapping[str, float], count: int,
    asked: ReproductionAsked,
) -> Reproduction:
    """One column, its p not corrected yet."""
    baseline, decimals = next(iter(printed)), decimals_of(printed.values())
    scores = measured(results, [key]).get((order.name, *key), {})
    compared = {
        one.row: one for one in compare_with(results, baseline, [key], alpha=asked.alpha) if one.grid == order.name
    }
    wanted = sorted({seed for row in printed if row in scores for seed in (*scores[row].scores, *scores[row].missing)})
    rows = []
    for row in list(printed)[1:]:
        published = round(printed[row] - printed[baseline], decimals)
        if row in compared:
            pair = (scores[row], scores[baseline])
            rows.append(_compared(published, compared[row], pair, wanted, count, asked))
        else:
            rows.append(_without(row, published, wanted, scores.get(row)))
    (agreement,) = agreements(results, *key, order.name)
    return Reproduction(
        order.name, order.description, *key, baseline, tuple(rows), decimals, count, agreement, asked.alpha,
        asked.power, asked.margin,
    )


def _compared(
    published: float, one: Comparison, pair: tuple[Measured, Measured], wanted: Sequence[int], count: int,
    asked: ReproductionAsked,
) -> Compared:
    """A row with scores, in the unit of print."""
    scale, differences = factor(one.metric), paired(*pair).differences
    wide_low, wide_high, smallest, corrected = _NAN, _NAN, _NAN, _NAN
    if len(differences):
        wide = paired_over_seeds(differences, 1 - asked.alpha / count)
        wide_low, wide_high = wide.low, wide.high
    if len(differences) > 1 and (std := float(differences.std(ddof=1))) > EQUAL:
        smallest = std * _deviations_seen(len(differences), asked.alpha, asked.power)
        corrected = std * _deviations_seen(len(differences), asked.alpha / count, asked.power)
    return Compared(
        one.row, published, scale * one.difference, scale * one.low, scale * one.high, scale * wide_low,
        scale * wide_high, one.p, _NAN, one.sign_flip, one.seeds,
        tuple(seed for seed in wanted if seed not in one.seeds), scale * smallest, scale * corrected, one.note,
    )


@functools.lru_cache(maxsize=256)
def _deviations_seen(seeds: int, alpha: float, power: float) -> float:
    """The smallest difference in standard deviations, which rows of as many seeds share."""
    return smallest_gap(seeds, 1.0, alpha, power)


def _without(row: str, published: float, wanted: Sequence[int], scores: Measured | None) -> Compared:
    """A row that cannot be compared, and why."""
    reasons = dict.fromkeys(scores.missing.values()) if scores else {}
    note = f"{row}: {', '.join(reasons)}" if reasons else f"{row} has no score"
    return Compared(
        row, published, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, (), tuple(wanted), _NAN, _NAN, note
    )
