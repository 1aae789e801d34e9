"""The table of scores: mean and spread of every line, with differences, published numbers and floors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from vlpbench.results.metric_names import factor, head, printed_name
from vlpbench.results.published import decimals_of, published_by_column
from vlpbench.results.tables.asked import Asked
from vlpbench.results.tables.costs import beside_columns, beside_entries
from vlpbench.results.tables.entries import NOTHING, difference_entry, number, score_entry
from vlpbench.results.tables.layout import Layout, Score
from vlpbench.results.tables.model import Column, Entry, Line
from vlpbench.results.tables.verdicts import Verdicts

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["score_table"]

_Whole = tuple[Column, Mapping[tuple[str, str], Entry]]
"""A column's head, and its entries by kind (row, floor) and name of the line."""


def score_table(
    results: Results, layout: Layout, verdicts: Verdicts, asked: Asked
) -> tuple[tuple[Column, ...], tuple[Line, ...]]:
    """Heads and lines: what stands beside the scores first, floors under the rows."""
    floors = {} if asked.columns else _floors(results, layout)
    beside, first = beside_columns(results, asked), beside_entries(results, layout, asked)
    columns = list(_columns(results, layout, verdicts, asked, floors))
    under = dict.fromkeys(name for mine in floors.values() for name in mine)
    lines = []
    for kind, names in (("row", layout.lines), ("floor", tuple(under))):
        for name in names:
            before = first[name] if kind == "row" else (NOTHING,) * len(beside)
            mine = tuple(entries.get((kind, name), NOTHING) for _, entries in columns)
            lines.append(Line(name, (*before, *mine), "row" if kind == "row" else "floor"))
    return (*beside, *(column for column, _ in columns)), tuple(lines)


def _columns(
    results: Results, layout: Layout, verdicts: Verdicts, asked: Asked, floors: Mapping[Score, Mapping[str, float]]
) -> Iterator[_Whole]:
    """Every score column with its difference and its published numbers right behind it."""
    printed = {} if asked.columns else published_by_column(results.orders, asked.metrics or None)
    excused: set[tuple[str, str, str]] = set()
    usual = layout.usual_n()
    for across in layout.across:
        for at, score in enumerate(layout.scores):
            entries = _scored(layout, verdicts, across, score, asked, usual)
            entries = {line: _once(entry, (line, across, score[0]), excused) for line, entry in entries.items()}
            under = {
                ("floor", name): number(value * factor(score[1]), asked.decimals)
                for name, value in floors.get(score, {}).items()
            }
            both = {("row", name): entry for name, entry in entries.items()} | under
            yield Column(*_named(layout, across, score, "")), both
            if verdicts.baselines and score[1]:
                yield _delta(layout, verdicts, across, score, asked)
            is_last = score[0] not in [one for one, _ in layout.scores[at + 1 :]]
            for key in printed:
                if key == score or (is_last and key[0] == score[0] and key not in layout.scores):
                    yield _published(layout, key, printed[key])


def _scored(
    layout: Layout, verdicts: Verdicts, across: str, score: Score, asked: Asked, usual: int
) -> dict[str, Entry]:
    """One column of scores by line; n stands in entries that rest on more or fewer seeds than is `usual`."""
    found = {
        line: score_entry(
            layout.spread(line, across, score), score[1], asked, (line, across, *score) in verdicts.best
        )
        for line in layout.lines
    }
    return {line: replace(one, tells_n=(one.seeds or (usual,))[0] != usual) for line, one in found.items()}


def _once(entry: Entry, place: tuple[str, str, str], excused: set[tuple[str, str, str]]) -> Entry:
    """Why a task cannot be is a sentence once a line: six columns of it are no table."""
    if not entry.text.startswith("n/a"):
        return entry
    again = place in excused
    excused.add(place)
    return replace(entry, text="n/a") if again else entry


def _named(layout: Layout, across: str, score: Score, what: str) -> tuple[str, str]:
    """Name and group of a column: tasks over metrics; with columns of settings these over all that is scored."""
    task, metric = score
    if layout.across == ("",):
        alone = sum(1 for one, _ in layout.scores if one == task) == 1
        name = head("", metric)
        return (name if not what else what if alone else f"{what} {printed_name(metric)}"), task
    if len(layout.scores) == 1:
        return f"{across} {what}".strip(), head(task, metric)
    return f"{what} {head(task, metric)}".strip(), across


def _delta(layout: Layout, verdicts: Verdicts, across: str, score: Score, asked: Asked) -> _Whole:
    found = {line: verdicts.deltas.get((line, across, *score)) for line in layout.lines}
    entries = {("row", line): difference_entry(one, asked) for line, one in found.items()}
    return Column(*_named(layout, across, score, "Δ"), "difference"), entries


def _published(layout: Layout, key: Score, numbers: Mapping[tuple[str, str], float]) -> _Whole:
    """As precise as the most precise number is printed; also of a row that has none of ours."""
    decimals = decimals_of(numbers.values())
    there = {line: numbers[row] for (line, _), row in layout.rows.items() if row in numbers}
    entries = {("row", line): Entry(value, decimals=decimals) for line, value in there.items()}
    return Column(f"{printed_name(key[1])} published", key[0], "published"), entries


def _floors(results: Results, layout: Layout) -> dict[Score, dict[str, float]]:
    """(task, metric) -> what each floor scored; the first grid's alone where grids share lines."""
    many = len(results.orders) > 1 and layout.head == "row"
    found: dict[Score, dict[str, float]] = {}
    for grid, floor, task, metric, value in results.floors().itertuples(index=False):
        if (task, metric) in layout.scores:
            found.setdefault((task, metric), {}).setdefault(f"{grid}: {floor}" if many else floor, value)
    return found

