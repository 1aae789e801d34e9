"""What `[tune]` tries must not be said by a row, an axis or the command line as well: one of them would be ignored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vlpbench.config.gridfile import GridFile
from vlpbench.config.keys import PARTS, Layer
from vlpbench.config.problems import Report

__all__ = ["refuse_double_tries"]

_Said = Mapping[str, tuple[str | int, ...]]
"""Keys and where each stands."""

_START = "tune.tries."


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
