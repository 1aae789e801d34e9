"""What must be said under a table so that its numbers can be judged: n, what ± means, budgets, readouts, gaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlpbench.results.beside import BESIDE
from vlpbench.results.extra_notes import extra_notes
from vlpbench.results.kept_notes import kept
from vlpbench.results.listed import listed, of_most, spans
from vlpbench.results.readouts import readout_notes, readouts_in_brief
from vlpbench.results.rescorable import missing_notes, version_notes
from vlpbench.results.shared_images import overlap_notes
from vlpbench.results.spreads import BAD
from vlpbench.results.tuning import tuning_notes, tuning_rules

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["Told", "gap_notes", "protocol_in_brief", "protocol_notes"]

_ALL = 99.95
"""From here on a share of answers is printed as 100.0: no ceiling worth a sentence."""

Told = tuple[str, Mapping[str, Any], Mapping[str, Any]]
"""Of one finished cell: its row, its settings, its scores."""


def gap_notes(results: Results) -> list[str]:
    """What numbers may not be trusted without: what is missing or measured otherwise, learnt from, left out, failed."""
    found = _told(results)
    told, scored = [one for one, _ in found], [(row, folder, scores) for (row, _, scores), folder in found]
    return [
        *missing_notes(scored), *version_notes(scored), *extra_notes(scores for _, _, scores in told),
        *overlap_notes(told), *_unique(told, _ceilings), *_unique(told, _cut), *_unique(told, _left_out),
        *kept(results, "gaps"), *_not_beside(results), *_not_there(results),
    ]


def protocol_notes(results: Results) -> list[str]:
    """What pretraining saw, and how each task was learnt, chosen and measured, row by row where rows differ."""
    told = [one for one, _ in _told(results)]
    return [*_pretraining(told), *readout_notes(told), *tuning_notes(told), *kept(results, "protocol")]


def protocol_in_brief(results: Results) -> list[str]:
    """The same in a caption's words: the way of most rows, if there is one."""
    told = [one for one, _ in _told(results)]
    seen = _ways(told)
    pretraining = [f"pretraining: {of_most(seen)}"] if seen else []
    return [*pretraining, *readouts_in_brief(told), *tuning_rules(told), *kept(results, "brief")]


def _told(results: Results) -> list[tuple[Told, Path | None]]:
    """All finished cells, each with its grid's folder (None: a compact record); of the frame's tasks alone."""
    many, tasks = len(results.orders) > 1, set(results.frame["task"])
    found: list[tuple[Told, Path | None]] = []
    for one in results.records():
        row, asked = one.asked["row"], one.asked["settings"]
        settings = {**asked, "tasks": [task for task in asked["tasks"] if task in tasks]}
        scores = {**one.scores, "tasks": {task: said for task, said in one.scores["tasks"].items() if task in tasks}}
        told = (f"{one.order.name}: {row}" if many else row, settings, scores)
        found.append((told, None if one.cell.is_compact else one.cell.path.parent.parent))
    return found


def _not_there(results: Results) -> list[str]:
    """Cells that ended without scores, with their row, their seeds and why: those of a row that share a reason once."""
    bad = results.frame[results.frame["status"].isin(BAD)].drop_duplicates(["grid", "cell"])
    many = len(results.orders) > 1
    found: dict[tuple[str, str], dict[int, str]] = {}
    for grid, row, seed, cell, reason in bad[["grid", "row", "seed", "cell", "reason"]].itertuples(index=False):
        found.setdefault((f"{grid}: {row}" if many else row, reason or "why is not known"), {})[int(seed)] = cell
    return [_left(row, cells, reason) for (row, reason), cells in found.items()]


def _left(row: str, cells: Mapping[int, str], reason: str) -> str:
    if len(cells) == 1:
        return f"cell {next(iter(cells.values()))} ({row}, seed {next(iter(cells))}) is not in the table: {reason}"
    return f"{len(cells)} cells ({row}, seeds {spans(sorted(cells))}) are not in the table: {reason}"


def _pretraining(told: Iterable[Told]) -> list[str]:
    """What pretraining saw; with the rows where they saw different things."""
    found = _ways(told)
    many = len(found) > 1
    return [f"pretraining: {what}" + (f" (rows: {listed(rows)})" if many else "") for what, rows in found.items()]


def _ways(told: Iterable[Told]) -> dict[str, dict[str, None]]:
    """What pretraining saw -> the rows that saw it."""
    found: dict[str, dict[str, None]] = {}
    for row, settings, _ in told:
        if settings["objective"] != "none":
            found.setdefault(_seen(settings), {})[row] = None
    return found


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
        for metric, value in one.get("ceilings", {}).items() if value < _ALL
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
