"""Whether our rows rank as a paper's do: the published column beside the mean over our seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vlpbench.results.metric_names import printed_name
from vlpbench.results.pairing import Measured, measured
from vlpbench.results.statistics import RankAgreement, rank_correlation

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["Agreement", "agreement_sentence", "agreements"]

_LEAST = 3
"""Rows below which there is no order to speak of."""


@dataclass(frozen=True)
class Agreement:
    """Our order of rows beside a paper's, in one grid, task and metric."""

    grid: str
    """Name of the grid."""
    task: str
    """The task."""
    metric: str
    """The metric."""
    rows: tuple[str, ...]
    """Rows that have a published number and scores of ours, in the grid's order."""
    seeds: tuple[int, ...]
    """Seeds that all these rows have: the mean is over them."""
    left_out: Mapping[str, str]
    """Row with a published number -> why it is not among them."""
    ranks: RankAgreement | None
    """The rank correlation; None with fewer than three rows."""


def agreements(results: Results, task: str, metric: str, grid: str | None = None) -> list[Agreement]:
    """One for each grid (or the one named) whose rows have published numbers of this task and metric."""
    found = []
    for order in results.orders:
        printed = {row: one[f"{task}.{metric}"] for row, one in order.published.items() if f"{task}.{metric}" in one}
        if not printed or grid not in (None, order.name):
            continue
        rows = measured(results, [(task, metric)]).get((order.name, task, metric), {})
        used, seeds, left_out = _common(rows, printed)
        ranks = None
        if len(used) >= _LEAST:
            ours = np.array([[rows[row].scores[seed].value for row in used] for seed in seeds])
            ranks = rank_correlation(ours, np.array([printed[row] for row in used]))
        found.append(Agreement(order.name, task, metric, tuple(used), seeds, left_out, ranks))
    return found


def _common(
    rows: Mapping[str, Measured], printed: Mapping[str, float]
) -> tuple[list[str], tuple[int, ...], dict[str, str]]:
    """Rows that can be ranked, the seeds that all of them have, and why the others can't.

    A row that shares no seed with the rest would leave nothing to rank, so the one with the fewest seeds goes first.
    """
    left_out = {row: "no score of ours" for row in printed if row not in rows or not rows[row].scores}
    there = {row: one.scores for row, one in rows.items() if row in printed and row not in left_out}
    usual = Counter(score.how for scores in there.values() for score in scores.values()).most_common(1)
    seeds_of = {row: {seed for seed, one in scores.items() if one.how == usual[0][0]} for row, scores in there.items()}
    left_out |= {row: "measured otherwise than the others" for row, seeds in seeds_of.items() if not seeds}
    used = [row for row, seeds in seeds_of.items() if seeds]
    while used:
        seeds = set.intersection(*(seeds_of[row] for row in used))
        if seeds:
            return used, tuple(sorted(seeds)), left_out
        fewest = min(used, key=lambda row: len(seeds_of[row]))
        used.remove(fewest)
        left_out[fewest] = "no seed in common with the others"
    return [], (), left_out


def agreement_sentence(found: Agreement) -> str:
    """For under a table: the rank correlation with its interval, over how many rows and seeds, and who is left out."""
    name = f"{found.task} {printed_name(found.metric)}"
    ranks, left = found.ranks, _left_out(found.left_out)
    if ranks is None:
        both = "one row has" if len(found.rows) == 1 else f"{len(found.rows) or 'no'} rows have"
        return f"{name}: no rank correlation with the published column, {both} both{left}"
    if ranks.tau != ranks.tau:
        return f"{name}: no rank correlation with the published column ({ranks.note}){left}"
    over = f"{len(found.rows)} rows, mean over {_seeds(found.seeds)}"
    tau = _text("Kendall's tau", ranks.tau, ranks.tau_low, ranks.tau_high, ranks.tau_p)
    rho = _text("Spearman's rho", ranks.rho, ranks.rho_low, ranks.rho_high, ranks.rho_p)
    about = f"intervals ({ranks.level:.0%}) are about new seeds of these rows, " if len(found.seeds) > 1 else ""
    about += "p is about chance orders of the rows"
    return f"{name}: rank correlation with the published column, {over}: {tau}; {rho}; {about}{left}"


def _seeds(seeds: Sequence[int]) -> str:
    return f"{len(seeds)} seeds" if len(seeds) > 1 else f"seed {seeds[0]} alone"


def _text(name: str, value: float, low: float, high: float, p: float) -> str:
    interval = f" [{low:.2f}, {high:.2f}]" if low == low else ""
    return f"{name} {value:.2f}{interval}, p {'< 0.001' if p < 0.001 else f'= {p:.3f}'}"


def _left_out(rows: Mapping[str, str]) -> str:
    found: dict[str, list[str]] = {}
    for row, why in rows.items():
        found.setdefault(why, []).append(row)
    return "".join(f"; left out: {', '.join(names)} ({why})" for why, names in found.items())
