"""Lines and columns made of settings: cells that share their values share a place, and differ there by seed alone."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
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

_FLAGS = ("true", "false")

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
    lines, across = _axis(cells, asked.rows, _line_name), _axis(cells, asked.columns, _column_name)
    at = {_id(cell): (_line_name(cell, asked.rows), _column_name(cell, asked.columns)) for cell in cells}
    places: dict[Place, list[Cell]] = {}
    for cell in cells:
        places.setdefault(at[_id(cell)], []).append(cell)
    _check_alike(places, cells, asked)
    ids = list(zip(results.frame["grid"], results.frame["cell"], strict=True))
    frame = results.frame[[one in at for one in ids]]
    shown = narrowed(results, frame)
    found = spreads_of(frame, [at[one] for one in ids if one in at])
    return Layout(
        ", ".join(asked.rows), lines, across, scores_shown(shown, found, asked), at, found,
        _whole_rows(places, asked), shown, _parts(shown, at), _values(places, asked), notes,
    )


def _id(cell: Cell) -> tuple[str, str]:
    return cell["grid"], cell["cell"]


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


def _axis(
    cells: Sequence[Cell], keys: Sequence[str], called: Callable[[Cell, Sequence[str]], str]
) -> tuple[str, ...]:
    """What its lines or columns are called, those that there are: numbers ascending, all else as the grid has it."""
    ranks: list[dict[str, int]] = []
    for key in keys:
        there = _said(cells, key)
        numbers = [(number, text) for text in there if (number := _number(text)) is not None]
        order = [text for _, text in sorted(numbers)] if len(numbers) == len(there) else there
        ranks.append({text: at for at, text in enumerate(order)})
    pairs = list(zip(keys, ranks, strict=True))
    places = {called(cell, keys): [rank[value_text(cell[key])] for key, rank in pairs] for cell in cells}
    return tuple(sorted(places, key=lambda name: places[name]))


def _line_name(cell: Cell, keys: Sequence[str]) -> str:
    """The values: which settings they are of stands at the head."""
    return ", ".join(value_text(cell[key]) for key in keys)


def _column_name(cell: Cell, keys: Sequence[str]) -> str:
    """The values, each behind its setting's name where it is no word of its own."""
    values = [(key, value_text(cell[key])) for key in keys]
    return ", ".join(text if text[:1].isalpha() and text not in _FLAGS else f"{key} {text}" for key, text in values)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _check_alike(places: Mapping[Place, Sequence[Cell]], cells: Sequence[Cell], asked: Asked) -> None:
    """UserError where cells of a place differ in any setting that is not named and does not follow from the seed."""
    by_row: dict[Place, list[Cell]] = {}
    for cell in cells:
        by_row.setdefault((cell["grid"], cell["row"]), []).append(cell)
    named = {*asked.rows, *asked.columns} - {"seed"}  # they differ where "a, b" is both "a" with "b" and one value
    keys = [key for key in cells[0] if key in named or key not in (*CELL, "backbone")]
    free = {key for key in keys if key not in named and any(len(_said(mine, key)) > 1 for mine in by_row.values())}
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
    """What follows from another setting that differs (`objective.x.y` from `objective`) is not named."""
    causes = [key for key in differing if not any(key.startswith(f"{other}.") for other in differing)]
    said = [f"{key} ({', '.join(differing[key][:_SHOWN])})" for key in causes]
    more = f" and {len(said) - _SHOWN} more" if len(said) > _SHOWN else ""
    where = " / ".join(part for part in place if part) or "the one line"
    pinned = shlex.quote(f"{causes[0]}={differing[causes[0]][0]}")
    return UserError(
        f"cells that would stand together at {where} differ in more than their seed: {', '.join(said[:_SHOWN])}{more}",
        "--rows, --columns", f"add {causes[0]} to --rows or --columns, or pin it: --where {pinned}",
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
