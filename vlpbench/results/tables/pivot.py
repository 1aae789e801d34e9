"""Lines and columns made of settings: cells that share their values share a place, and differ there by seed alone."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vlpbench.errors import UserError
from vlpbench.results.spreads import Place, spreads_of
from vlpbench.results.tables.asked import Asked
from vlpbench.results.tables.layout import Layout, scores_shown
from vlpbench.results.tables.selection import CELL, check_setting, narrowed, settings_of, value_text

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["pivoted"]

_SHOWN = 6
"""How many settings an error names."""

Cell = Mapping[str, Any]
"""Settings by key, as `settings_of` has them."""


def pivoted(results: Results, asked: Asked) -> Layout:
    """The layout of a table by settings. Blind rows are left out unless `blind` is asked for.

    UserError for an unknown setting, and where cells of one place differ in more than their seed.
    """
    cells, notes = _begun(settings_of(results), asked)
    for place, keys in (("--rows", asked.rows), ("--columns", asked.columns)):
        for key in keys:
            check_setting(key, cells, place)
    lines, across = _axis(cells, asked.rows), _axis(cells, asked.columns)
    at = {(cell["grid"], cell["cell"]): (_called(cell, asked.rows), _called(cell, asked.columns)) for cell in cells}
    places: dict[Place, list[Cell]] = {}
    for cell in cells:
        places.setdefault(at[cell["grid"], cell["cell"]], []).append(cell)
    _check_alike(places, cells, asked)
    ids = list(zip(results.frame["grid"], results.frame["cell"], strict=True))
    frame = results.frame[[one in at for one in ids]]
    shown = narrowed(results, frame)
    found = spreads_of(frame, [at[one] for one in ids if one in at])
    return Layout(
        ", ".join(asked.rows), lines, across, scores_shown(shown, found, asked), at, found,
        _whole_rows(places, asked), _parts(shown, at), _values(places, asked), notes,
    )


def _begun(cells: Sequence[Cell], asked: Asked) -> tuple[list[Cell], tuple[str, ...]]:
    """The cells whose settings are known, without blind ones; and which rows are left out since nothing is known."""
    named = {*asked.rows, *asked.columns, *asked.where}
    needs = named - {"row", "grid", "seed"}
    begun = [cell for cell in cells if cell["objective"] is not None or not needs]
    kept = [cell for cell in begun if "blind" in named or cell["blind"] is not True]
    if not kept:
        raise UserError("no cell has begun, so no setting is known", "--rows", "leave it out: rows have names already")
    missing = dict.fromkeys(cell["row"] for cell in cells if cell not in begun)
    said = f"rows that have not begun are not in this table: {', '.join(missing)}"
    return kept, (said,) if missing else ()


def _axis(cells: Sequence[Cell], keys: Sequence[str]) -> tuple[str, ...]:
    """What its lines or columns are called, those that there are: numbers ascending, all else as the grid has it."""
    if not keys:
        return ("",)
    values = []
    for key in keys:
        there = dict.fromkeys(value_text(cell[key]) for cell in cells)
        numbers = [(number, text) for text in there if (number := _number(text)) is not None]
        values.append([text for _, text in sorted(numbers)] if len(numbers) == len(there) else list(there))
    present = {_called(cell, keys) for cell in cells}
    return tuple(name for name in map(", ".join, itertools.product(*values)) if name in present)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _called(cell: Cell, keys: Sequence[str]) -> str:
    return ", ".join(value_text(cell[key]) for key in keys)


def _check_alike(places: Mapping[Place, Sequence[Cell]], cells: Sequence[Cell], asked: Asked) -> None:
    """UserError where cells of a place differ in any setting that is not named and does not follow from the seed."""
    by_row: dict[Place, list[Cell]] = {}
    for cell in cells:
        by_row.setdefault((cell["grid"], cell["row"]), []).append(cell)
    keys = [key for key in cells[0] if key not in (*CELL, "backbone", *asked.rows, *asked.columns)]
    free = {key for key in keys if any(len(_said(mine, key)) > 1 for mine in by_row.values())}
    for place, mine in places.items():
        if len({(cell["grid"], cell["row"]) for cell in mine}) < 2:
            continue
        found = {key: _said(mine, key) for key in keys if key not in free}
        differing = {key: values for key, values in found.items() if len(values) > 1}
        seeds = [cell["seed"] for cell in mine]
        if not differing and len(set(seeds)) < len(seeds):
            differing = {key: values for key in ("row", "grid") if len(values := _said(mine, key)) > 1}
        if differing:
            raise _differ(place, differing)


def _said(cells: Sequence[Cell], key: str) -> list[str]:
    return list(dict.fromkeys(value_text(cell[key]) for cell in cells))


def _differ(place: Place, differing: Mapping[str, Sequence[str]]) -> UserError:
    said = [f"{key} ({', '.join(values[:_SHOWN])})" for key, values in differing.items()]
    more = f" and {len(said) - _SHOWN} more" if len(said) > _SHOWN else ""
    where = " / ".join(part for part in place if part) or "the one line"
    first, values = next(iter(differing.items()))
    return UserError(
        f"cells that would stand together at {where} differ in more than their seed: {', '.join(said[:_SHOWN])}{more}",
        "--rows, --columns", f"add {first} to --rows or --columns, or pin it: --where {first}={values[0]!r}",
    )


def _values(places: Mapping[Place, Sequence[Cell]], asked: Asked) -> dict[Place, tuple[str, ...]]:
    keys = (*asked.rows, *asked.columns)
    return {place: tuple(value_text(mine[0][key]) for key in keys) for place, mine in places.items()}


def _whole_rows(places: Mapping[Place, Sequence[Cell]], asked: Asked) -> dict[Place, Place]:
    """The places that hold one row of one grid, all seeds of it."""
    if "seed" in (*asked.rows, *asked.columns):
        return {}
    rows = {place: {(cell["grid"], cell["row"]) for cell in mine} for place, mine in places.items()}
    return {place: next(iter(one)) for place, one in rows.items() if len(one) == 1}


def _parts(results: Results, at: Mapping[tuple[str, str], Place]) -> dict[str, Results]:
    """The cells of each column of settings."""
    frame = results.frame
    columns = [at[one][1] for one in zip(frame["grid"], frame["cell"], strict=True)]
    return {
        across: narrowed(results, frame[[one == across for one in columns]]) for across in dict.fromkeys(columns)
    }
