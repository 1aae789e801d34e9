"""What an axis or `[tune]` varies must not be said again, by a row or another axis: one of the two would be ignored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vlpbench.config.gridfile import GridFile
from vlpbench.config.keys import PARTS, Layer
from vlpbench.config.problems import Report

__all__ = ["refuse_double_axes", "refuse_double_tries"]

_Said = Mapping[str, tuple[str | int, ...]]
"""Keys and where each stands."""

_START = "tune.tries."


def refuse_double_axes(grid: GridFile, report: Report) -> None:
    """Report each setting of a row that is an axis too, or a part of one, and each axis that another has as a part."""
    for row in grid.rows:
        for key in row.changes:
            if axis := next((one for one in _same(key) if one in grid.axes), None):
                what = "is an axis too" if axis == key else f"stands beside the axis {axis}, which says it too"
                report.add(("rows", row.number, *key.split(".")), what, "say it in one of the two")
    if "backbone" in grid.axes:
        for part in PARTS:
            if part in grid.axes:
                report.add(("axes", part), "is a part of backbone, which is an axis, too", "say it in one of the two")


def refuse_double_tries(grid: GridFile, report: Report) -> None:
    """Report each tried setting that is an axis, that a row which tries it says itself, or that `-S` fixes."""
    axes: _Said = {key: ("axes", *key.split(".")) for key in grid.axes}
    fixed: _Said = {key: ("-S", key) for key in grid.overrides}
    for tries in (_tried(grid.base), _tried(grid.overrides)):
        _refuse(tries, axes, "is an axis", report)
        _refuse(tries, fixed, "is fixed on the command line", report)
    for row in grid.rows:
        said: _Said = {key: ("rows", row.number, *key.split(".")) for key in row.changes}
        _refuse(_tried(row.changes), axes, "is an axis", report)
        _refuse(_tried(row.changes), fixed, "is fixed on the command line", report)
        tried = {*_tried(grid.base), *_tried(row.changes), *_tried(grid.overrides)}
        _refuse(tried, said, "is said by this row", report)


def _tried(layer: Layer) -> set[str]:
    return {key.removeprefix(_START) for key in layer if key.startswith(_START)}


def _refuse(tries: set[str], said: _Said, what: str, report: Report) -> None:
    for key in sorted(tries):
        for other in _same(key):
            if other in said:
                report.add(said[other], f"{what}, but tune.tries tries {key}", "say it in one of the two")


def _same(key: str) -> Iterator[str]:
    """The keys that say the same setting, or a part of it."""
    yield key
    if key == "backbone":
        yield from PARTS
    elif key in PARTS:
        yield "backbone"
