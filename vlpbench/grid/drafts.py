"""A grid's rows x axes x seeds with the layers that each cell's settings come from, before its data is looked at."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from vlpbench.config.gridfile import GridFile, Row
from vlpbench.config.keys import Layer
from vlpbench.config.known import Known
from vlpbench.config.merge import KeyedError, merge, settings_of
from vlpbench.config.problems import Report
from vlpbench.config.recipes import expanded
from vlpbench.config.settings import CellSettings
from vlpbench.grid.names import row_name

__all__ = ["Draft", "Told", "drafts", "place_of"]

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Told:
    """A layer of a cell's settings, and who said it."""

    layer: Layer
    """Settings by dotted key."""
    who: str
    """ "base", "axis", "row 'x'" or "-S"."""
    paths: tuple[Path, ...] = ()
    """The tables of the grid file that its keys stand in."""
    recipe: str = ""
    """The recipe that says it in their name; empty if they say it themselves."""


@dataclass(frozen=True)
class Draft:
    """A cell without its data's fingerprints."""

    row: str
    """The line of the table."""
    seed: int
    """Its seed."""
    settings: CellSettings
    """All that decides its numbers."""
    source: Row
    """The row of the grid file."""
    layers: tuple[Told, ...] = ()
    """What its settings were made of, later ones winning."""


def drafts(grid: GridFile, known: Known, report: Report) -> Iterator[Draft]:
    """The cells in the order of rows, axes and seeds; what does not fit together goes into the report."""
    names: dict[str, int] = {}
    for row in grid.rows or (Row("", {}),):
        for values in itertools.product(*grid.axes.values()):
            axes = dict(zip(grid.axes, values, strict=True))
            layers = tuple(_layers(grid, row, axes, known))
            try:
                settings = settings_of(merge(one.layer for one in layers), grid.seeds[0], known)
            except KeyedError as wrong:
                report.add(place_of(grid, row, wrong.key), str(wrong), wrong.remedy)
                continue
            name = row_name(row.name, row.changes, axes, settings)
            if names.setdefault(name, row.number) != row.number:
                report.add(("rows", row.number, "name"), f"two rows are called {name!r}", "give each a name of its own")
            for seed in grid.seeds:
                yield Draft(name, seed, dataclasses.replace(settings, seed=seed), row, layers)


def _layers(grid: GridFile, row: Row, axes: Layer, known: Known) -> Iterator[Told]:
    """A cell's layers, later ones winning. What an axis says stands over every recipe, or it would be no axis."""
    who = f"row {row.name!r}" if row.name else f"row {row.number + 1}"
    (axis_recipe, axis) = _parted(Told(axes, "axis", (("axes",),)), known)
    yield from _parted(Told(grid.base, "base", (("base",), ())), known)
    yield axis_recipe
    yield from _parted(Told(row.changes, who, (("rows", row.number),)), known)
    (said_recipe, said) = _parted(Told(grid.overrides, "-S"), known)
    yield from (said_recipe, axis, said)


def _parted(told: Told, known: Known) -> tuple[Told, Told]:
    """What a layer's recipe says (nothing, if it has none), and what it says itself."""
    *under, own = expanded(told.layer, known)
    recipe = dataclasses.replace(told, layer=under[0] if under else {}, recipe=told.layer.get("recipe", ""))
    return recipe, dataclasses.replace(told, layer=own)


def place_of(grid: GridFile, row: Row, key: str) -> Path:
    """Where a key stands: on the command line or in the row if that says it, else among what all rows share.

    `protocol.vqa` holds for `protocol.vqa@fused`, too.
    """
    table, _, rest = key.partition(".")
    plain = ".".join([table, rest.partition("@")[0], *rest.split(".")[1:]]) if "@" in rest else key
    for one in (key, plain):
        if one in grid.overrides:
            return ("-S", one)
        for start in (("rows", row.number), (), ("base",)):
            if (*start, *one.split(".")) in grid.lines:
                return (*start, *one.split("."))
    return tuple(key.split("."))
