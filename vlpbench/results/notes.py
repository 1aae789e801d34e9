"""What must be said under a table so that its numbers can be judged: n, what ± means, budgets, readouts, gaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlpbench.results.beside import BESIDE
from vlpbench.results.readouts import readout_notes
from vlpbench.results.rescorable import Scored, missing_notes, version_notes
from vlpbench.results.shared_images import overlap_notes
from vlpbench.results.tuning import tuning_notes

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["Told", "notes"]

Told = tuple[str, Mapping[str, Any], Mapping[str, Any]]
"""Of one finished cell: its row, its settings, its scores."""


def notes(results: Results) -> list[str]:
    """One sentence a line."""
    found = list(_told(results))
    told, scored = [one for one, _ in found], [(row, folder, scores) for (row, _, scores), folder in found]
    said = [
        _seeds(results), *_pretraining(told), *readout_notes(told), *tuning_notes(told), *_gaps(scored),
        *overlap_notes(told), *_unique(told, _ceilings), *_unique(told, _cut), *_unique(told, _left_out),
        *_not_beside(results),
    ]
    bad = results.frame[results.frame["status"].isin(["failed", "timeout", "damaged"])]
    for cell, reason in dict(zip(bad["cell"], bad["reason"], strict=True)).items():
        said.append(f"cell {cell} is not in the table: {reason}")
    return [line for line in said if line]


def _gaps(scored: Sequence[Scored]) -> list[str]:
    """What is missing, and what was measured otherwise than the rest."""
    return [*missing_notes(scored), *version_notes(scored)]


def _told(results: Results) -> list[tuple[Told, Path]]:
    """All finished cells, each with its grid's folder, in the order of the grids' rows."""
    many = len({order.name for order in results.orders}) > 1
    found = []
    for order, cell in results.finished():
        asked = cell.read("settings.json")
        place = order.rows.index(asked["row"]) if asked["row"] in order.rows else len(order.rows)
        row = f"{order.name}: {asked['row']}" if many else asked["row"]
        found.append((place, ((row, asked["settings"], cell.read("scores.json")), cell.path.parent.parent)))
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]


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
