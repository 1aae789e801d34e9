"""One setting against another: the score at each pair of values, and at an empty place the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vlpbench.errors import UserError, unknown
from vlpbench.results.metric_names import better_in, head
from vlpbench.results.plots.matrix import Place, matrix
from vlpbench.results.plots.seed_scores import RowScores, row_scores, scored_tasks, subject
from vlpbench.results.plots.style import finished, in_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vlpbench.results.frame import Results

__all__ = ["heatmap", "why_no_heatmap"]

_NO_SETTING = ("grid", "row", "cell", "seed", "status")


def why_no_heatmap(results: Results) -> str | None:
    """The reason that nothing can be drawn with the usual two settings, or None."""
    if not scored_tasks(results):
        return "no cell has a score yet"
    values = _values(results, blind=False)
    for setting in ("objective", "backbone"):
        if len({one.get(setting) for one in values.values()} - {None}) < 2:
            return f"all rows have one {setting}: name two settings that vary with --rows and --columns"
    return None


@in_style
def heatmap(
    results: Results, task: str = "", metric: str = "", rows: str = "objective", columns: str = "backbone",
    width: str = "column",
) -> Figure:
    """Draw one task and metric with values of the setting `rows` down and of `columns` across.

    A place shows one row of the grid, never a mean of several that differ in something else: the reference row where
    it is among them, else how many they are. Blind rows count only where `blind` is one of the settings.
    """
    task, metric = subject(results, task, metric)
    values = _values(results, blind="blind" in (rows, columns))
    known = sorted({setting for one in values.values() for setting in one})
    for option, setting in (("--rows", rows), ("--columns", columns)):
        if setting not in known:
            raise unknown("setting", setting, known, option)
    if rows == columns:
        raise UserError(f"both sides are {rows!r}", "--rows, --columns", "name two settings")
    scored = [row for row in row_scores(results, task, metric) if (row.grid, row.row) in values]
    down, across = _named(scored, values, rows), _named(scored, values, columns)
    there: dict[tuple[str, str], list[RowScores]] = {}
    for row in scored:
        mine = values[row.grid, row.row]
        there.setdefault((_text(mine.get(rows)), _text(mine.get(columns))), []).append(row)
    places = [[_place(there.get((line, column), [])) for column in across] for line in down]
    is_lower = better_in(results, task, metric) == "lower"
    figure = matrix(_short(down), _short(across), places, width, is_lower_better=is_lower)
    said = f"{head(task, metric)} by {rows} and {columns}: {_best(down, across, places, is_lower)}"
    return finished(figure, said, _note(scored, head(task, metric), (rows, columns), places))


def _values(results: Results, blind: bool) -> dict[tuple[str, str], dict[str, Any]]:
    """(grid, row) -> its settings, as far as any of its cells tells them."""
    settings = results.settings()
    names = [str(name) for name in settings.columns if name not in _NO_SETTING]
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for key, mine in settings.groupby(["grid", "row"], sort=False):
        told = {name: mine[name].dropna() for name in names}
        one = {name: column.iloc[0] for name, column in told.items() if len(column)}
        if one and (blind or not one.get("blind")):
            found[str(key[0]), str(key[1])] = one
    return found


def _named(
    rows: Sequence[RowScores], values: Mapping[tuple[str, str], Mapping[str, Any]], setting: str
) -> list[str]:
    """The values of a setting, numbers ascending, all else in the order of the rows."""
    found = dict.fromkeys(values[row.grid, row.row].get(setting) for row in rows)
    numbers = sorted(one for one in found if isinstance(one, int | float) and not isinstance(one, bool))
    others = [one for one in found if one not in numbers]
    return list(dict.fromkeys(map(_text, [*numbers, *others])))


def _short(names: Sequence[str]) -> list[str]:
    """Names like conv3/decoder-only/nano without the parts that all of them share."""
    parts = [name.split("/") for name in names]
    if len(names) < 2 or len({len(one) for one in parts}) > 1:
        return list(names)
    vary = [at for at in range(len(parts[0])) if len({one[at] for one in parts}) > 1]
    return ["/".join(one[at] for at in vary) for one in parts]


def _text(value: Any) -> str:
    """A setting's value as it is written; what a row does not have is "–"."""
    if value is None:
        return "–"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _place(rows: Sequence[RowScores]) -> Place:
    """What a place shows: its one row, or its reference row."""
    chosen = [row for row in rows if row.is_reference] or list(rows)
    if len(chosen) != 1:
        return Place(instead=f"{len(chosen)} rows" if chosen else "not in the grid")
    row = chosen[0]
    return Place(instead=row.instead) if row.instead else Place(row.mean, (row.high - row.low) / 2)


def _best(down: Sequence[str], across: Sequence[str], places: Sequence[Sequence[Place]], is_lower: bool) -> str:
    """The best place in words."""
    scored = [
        (place.value, f"{line} x {column}") for line, row in zip(down, places, strict=True)
        for column, place in zip(across, row, strict=True) if place.value == place.value
    ]
    if not scored:
        return "no place has a score"
    value, where = (min if is_lower else max)(scored)
    return f"best {where} with {value:.1f}; {len(scored)} of {len(down) * len(across)} places have a score"


def _note(
    rows: Sequence[RowScores], head_text: str, settings: tuple[str, str], places: Sequence[Sequence[Place]]
) -> str:
    """What the numbers are, and what stands where several rows meet."""
    n = max((len(row.scores) for row in rows), default=0)
    several = any(place.instead.endswith(" rows") for line in places for place in line)
    mean = f"mean over seeds (n={n}), ± half of the 95 % t interval" if n > 1 else "one seed"
    parts = [f"{head_text}, {mean}; darker is better. Down: {settings[0]}; across: {settings[1]}."]
    if any(row.is_reference for row in rows):
        parts.append("Of several rows at a place the reference row is shown.")
    if several:
        parts.append("Rows that meet at a place and differ in something else are counted, not averaged.")
    return " ".join(parts)
