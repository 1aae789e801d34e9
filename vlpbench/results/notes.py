"""What must be said under a table so that its numbers can be judged: n, what ± means, budgets, readouts, gaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlpbench.results.beside import BESIDE
from vlpbench.results.readouts import readout_notes
from vlpbench.results.rescorable import Scored, missing_notes, version_notes
from vlpbench.results.shared_images import overlap_notes
from vlpbench.results.spreads import BAD
from vlpbench.results.tuning import tuning_notes

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["Told", "cell_notes", "notes", "protocol_notes"]

Told = tuple[str, Mapping[str, Any], Mapping[str, Any]]
"""Of one finished cell: its row, its settings, its scores."""


def notes(results: Results) -> list[str]:
    """One sentence a line."""
    return [_seeds(results), *cell_notes(results)]


def cell_notes(results: Results) -> list[str]:
    """The same without what ± means: what its cells saw, how they were measured, and which are missing."""
    found = _told(results)
    told, scored = [one for one, _ in found], [(row, folder, scores) for (row, _, scores), folder in found]
    said = [
        *_pretraining(told), *readout_notes(told), *tuning_notes(told), *_gaps(scored),
        *overlap_notes(told), *_unique(told, _ceilings), *_unique(told, _cut), *_unique(told, _left_out),
        *_not_beside(results), *_not_there(results),
    ]
    return [line for line in said if line]


def protocol_notes(results: Results) -> list[str]:
    """Of these what a paper's caption must say: what pretraining saw, how each task was learnt, chosen and measured."""
    told = [one for one, _ in _told(results)]
    return [*_pretraining(told), *readout_notes(told), *tuning_notes(told)]


def _gaps(scored: Sequence[Scored]) -> list[str]:
    """What is missing, and what was measured otherwise than the rest."""
    return [*missing_notes(scored), *version_notes(scored)]


def _told(results: Results) -> list[tuple[Told, Path]]:
    """All finished cells, each with its grid's folder, in the order of the grids' rows; of the frame's tasks alone."""
    many, tasks = len(results.orders) > 1, set(results.frame["task"])
    places = {(order.name, row): at for order in results.orders for at, row in enumerate(order.rows)}
    found = []
    for one in results.records():
        row, asked = one.asked["row"], one.asked["settings"]
        settings = {**asked, "tasks": [task for task in asked["tasks"] if task in tasks]}
        scores = {**one.scores, "tasks": {task: said for task, said in one.scores["tasks"].items() if task in tasks}}
        told = (f"{one.order.name}: {row}" if many else row, settings, scores)
        found.append((places.get((one.order.name, row), len(places)), (told, one.cell.path.parent.parent)))
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]


def _not_there(results: Results) -> list[str]:
    """Cells that ended without scores, each with its row, its seed and why."""
    bad = results.frame[results.frame["status"].isin(BAD)].drop_duplicates(["grid", "cell"])
    many = len(results.orders) > 1
    lines = bad[["grid", "row", "seed", "cell", "reason"]].itertuples(index=False)
    return [
        f"cell {cell} ({f'{grid}: ' if many else ''}{row}, seed {seed}) is not in the table: {reason}"
        for grid, row, seed, cell, reason in lines
    ]


def _seeds(results: Results) -> str:
    done = results.frame[results.frame["status"] == "done"]
    seeds = sorted(int(seed) for seed in done["seed"].unique())
    if not seeds:
        return "no cell has finished"
    spread = "mean ± standard deviation over seeds" if len(seeds) > 1 else "one seed: no spread is known"
    which = f"n = {len(seeds)}: seeds {', '.join(map(str, seeds))}"
    return f"{spread} ({which}; equal seeds share data order and initial weights)"


def _pretraining(told: Iterable[Told]) -> list[str]:
    """What pretraining saw; with the rows where they saw different things."""
    found: dict[str, dict[str, None]] = {}
    for row, settings, _ in told:
        if settings["objective"] != "none":
            found.setdefault(_seen(settings), {})[row] = None
    many = len(found) > 1
    return [f"pretraining: {what}" + (f" (rows: {', '.join(rows)})" if many else "") for what, rows in found.items()]


def _seen(settings: Mapping[str, Any]) -> str:
    budget, texts = settings["budget"], settings.get("texts", "none")
    if settings["data"] == "none":
        steps = budget["samples"] // max(1, budget.get("batch", 1))
        return f"texts of {texts} alone, {budget.get('texts', 0)} a step, {steps:,} steps"
    beside = "" if texts == "none" else f", and beside them texts of {texts}, {budget.get('texts', 0)} a step"
    what = "samples" if texts == "none" else "pairs"
    return f"{budget['samples']:,} {what} of {settings['data']}{beside}"


def _unique(told: Iterable[Told], lines: Any) -> list[str]:
    return list(dict.fromkeys(line for _, _, scores in told for line in lines(scores)))


def _cut(scores: Mapping[str, Any]) -> list[str]:
    cut = scores.get("cut_texts", {})
    if not cut.get("cut"):
        return []
    return [f"pretraining: {cut['cut']:,} of {cut['of']:,} texts were cut at {cut['length']} tokens (text.length)"]


def _ceilings(scores: Mapping[str, Any]) -> list[str]:
    return [
        f"{task}: the answer vocabulary allows {metric} {value:.1f} at most"
        for task, one in scores["tasks"].items()
        for metric, value in one.get("ceilings", {}).items()
    ]


def _left_out(scores: Mapping[str, Any]) -> list[str]:
    return [
        f"{split}: {said['count']:,} samples left out (first: {said['first'][0]})"
        for split, said in scores["left_out"].items()
    ]


def _not_beside(results: Results) -> list[str]:
    """A column that a grid asks for and no table has must not cost the table; it is told of."""
    wrong = dict.fromkeys(name for order in results.orders for name in order.beside if name not in BESIDE)
    return [f"the grid asks for the column {name!r} beside the scores; there are {', '.join(BESIDE)}" for name in wrong]
