"""The whole page of some results: what stands in which section, written as one file."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlpbench import __version__
from vlpbench.files import written_whole
from vlpbench.registry import Registry, load_registry
from vlpbench.results.page.cell_settings import GridSettings, grid_settings
from vlpbench.results.page.cells import STATES, CellLine, cell_lines, overviews, states
from vlpbench.results.page.drawings import drawings
from vlpbench.results.page.gallery import gallery
from vlpbench.results.page.numbers import numbers
from vlpbench.results.page.provenance import Origin, origins, started
from vlpbench.results.page.shell import asset, embedded, filled

if TYPE_CHECKING:
    from vlpbench.results.frame import Results

__all__ = ["page", "write_page"]

Heard = Callable[[str], None]
"""Is told what is being made."""

_CLOSED = frozenset({"packages", "sources"})
"""Groups of the provenance that are long, and open only where cells differ."""

_NO_LETTERS = re.compile("[\x00\ud800-\udfff]")
"""What HTML drops without a word, or UTF-8 cannot hold: a sign that something was there stands in its place."""

_MANY = 6
"""Variants beyond which settings go across and variants down: rows are many, what differs is little."""


def write_page(
    results: Results, path: Path, pictures: int | None = 60, baseline: str | None = None,
    heard: Heard = lambda part: None, plugins: Callable[[], Registry] = load_registry,
) -> int:
    """Write the page, whole or not at all; its size in bytes. See `page`."""
    content = _NO_LETTERS.sub("\ufffd", page(results, pictures, baseline, heard, plugins)).encode()
    with written_whole(path) as temporary:
        temporary.write_bytes(content)
    return len(content)


def page(
    results: Results, pictures: int | None = 60, baseline: str | None = None, heard: Heard = lambda part: None,
    plugins: Callable[[], Registry] = load_registry,
) -> str:
    """One HTML document that needs no other file.

    `pictures`: the most in the gallery a task; None leaves it out. `baseline`: the row that differences are taken to;
    None: the grids' reference. `heard` is told what is being made, `plugins` loads what knows the data sets.
    """
    heard("cells")
    cells, settings = cell_lines(results), grid_settings(results)
    heard("tables")
    tables = numbers(results, baseline)
    plots, undrawn = drawings(results, heard)
    shown = None
    if pictures is not None:
        heard("gallery")
        shown = embedded(gallery(results, pictures, plugins))
    heard("page")
    names = ("page", "gallery") if shown is not None else ("page",)
    parts: dict[str, Any] = {
        "title": ", ".join(order.name for order in results.orders) or "results", "version": __version__,
        "written": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "ran": _ran(*started(results)),
        "conflicts": results.conflicts, "grids": [*_with_words(results, cells)], "signs": STATES, "cells": cells,
        "states": states(cells), "many": _MANY,
        "tasks": _tasks(results), "tables": tables, "plots": plots, "undrawn": undrawn, "settings": settings,
        "origins": _grouped(origins(results)), "gallery": shown, "data": embedded(_data(cells, settings)),
    }
    return filled([asset(f"{name}.css") for name in names], [asset(f"{name}.js") for name in names],
                  parts | {"sections": _sections(parts)})


def _with_words(results: Results, cells: Sequence[CellLine]) -> list[dict[str, Any]]:
    """Each grid's cells at a glance, with what the grid says of itself."""
    said = {order.name: order.description for order in results.orders}
    return [{**vars(one), "description": said[one.grid]} for one in overviews(results, cells)]


def _sections(parts: dict[str, Any]) -> list[tuple[str, str]]:
    """Anchor and name of each section that there is."""
    found = [(table.id, table.name) for table in parts["tables"]]
    found += [("plots", "Plots")] if parts["plots"] or parts["undrawn"] else []
    found += [("cells", "Cells"), ("settings", "Settings"), ("provenance", "Provenance")]
    return found + ([("gallery", "Gallery")] if parts["gallery"] is not None else [])


def _tasks(results: Results) -> list[str]:
    return list(dict.fromkeys(task for order in results.orders for task in order.tasks))


def _grouped(came: Sequence[Origin]) -> list[tuple[dict[str, Any], list[Origin]]]:
    """Groups in the order of the page; of those that are long, the heads alone are seen first."""
    found = []
    for name, lines in groupby(came, key=lambda one: one.group):
        mine = list(lines)
        differs = any(len(one.values) > 1 for one in mine)
        found.append(({"name": name, "differs": differs, "open": differs or name not in _CLOSED}, mine))
    return found


def _ran(first: str, last: str) -> str:
    """When the runs were started, to the minute."""
    first, last = (text[:16].replace("T", " ") for text in (first, last))
    return f"{first} UTC" if first and first == last else f"{first} to {last} UTC" if first else ""


def _data(cells: Sequence[CellLine], settings: Sequence[GridSettings]) -> dict[str, Any]:
    """What the script shows of a cell on demand: its facts, and which settings are its own."""
    variants = {(grid.grid, cell): at for grid in settings for cell, at in grid.of_cell.items()}
    return {
        "grids": {
            grid.grid: {
                "differing": [(line.key, line.values, line.usual) for line in grid.differing],
                "partial": [(line.key, line.values, "") for line in grid.partial], "shared": grid.shared,
            }
            for grid in settings
        },
        "cells": {
            one.anchor: {"grid": one.grid, "variant": variants.get((one.grid, one.cell)), "facts": _facts(one)}
            for one in cells
        },
    }


def _facts(cell: CellLine) -> list[tuple[str, str]]:
    said = (("folder", cell.folder), ("seed", str(cell.seed)), ("reason", cell.reason))
    return [(name, text) for name, text in said if text]
