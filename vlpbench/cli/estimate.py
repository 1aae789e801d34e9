"""What a grid will cost, as lines: a table of rows, then time, memory and disk; and afterwards what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from vlpbench.cli.durations import roughly, until
from vlpbench.cli.sizes import size
from vlpbench.runner.costs import RowCost
from vlpbench.runner.estimate import Estimate
from vlpbench.runner.happened import happened
from vlpbench.runner.measured import START

__all__ = ["compared", "estimate_lines"]

OFF = 0.25
"""A row whose time is off by more than this share is named."""
FULL = 0.95
"""More of a machine's memory than this is too much: others need some."""

_SHORT = ("shared", "there already")
"""What is said in the table itself."""


def estimate_lines(estimate: Estimate) -> Iterator[str]:
    """A table of what the rows cost, what will go wrong, and the sums, with a warning where something does not fit."""
    if not estimate.rows:
        yield "nothing is to be run"
        return
    yield from _table(estimate.rows)
    for row in estimate.rows:
        yield from (f"{row.row}: {column} {said}" for column, said in row.said.items() if said not in _SHORT)
    yield ""
    at_once = f", {estimate.slots} at once" if estimate.slots > 1 else ""
    hours = f"{estimate.busy / 3600:.2g} {'core' if estimate.device == 'cpu' else 'GPU'} hours"
    yield f"time    {roughly(estimate.seconds)} for {_cells(estimate.cells)}{at_once} ({hours}); {_end(estimate)}"
    yield from _memory(estimate)
    yield from _disk(estimate)


def _table(rows: Sequence[RowCost]) -> Iterator[str]:
    """One line a row: seconds of all its cells by stage, together, and the memory that one of them holds."""
    columns = list(dict.fromkeys(name for row in rows for name in (*row.seconds, *row.said)))
    lines = [["row", "cells", *columns, "together", "memory"]]
    lines += [
        [row.row, str(row.cells), *(_entry(row, one) for one in columns), roughly(row.total), size(row.peak_bytes)]
        for row in rows
    ]
    first, *widths = (max(map(len, column)) for column in zip(*lines, strict=True))
    for name, *entries in lines:
        yield "  ".join([name.ljust(first), *(one.rjust(width) for one, width in zip(entries, widths, strict=True))])


def _entry(row: RowCost, column: str) -> str:
    said = row.said.get(column, "")
    if said and said not in _SHORT:
        return "n/a" if said.startswith("n/a") else "fails"
    return roughly(row.seconds[column]) if column in row.seconds else said or "-"


def _end(estimate: Estimate) -> str:
    return f"started when this was measured, over at {until(estimate.seconds, estimate.made)}"


def _memory(estimate: Estimate) -> Iterator[str]:
    held, there = estimate.memory, estimate.there_bytes
    whose = "the machine" if estimate.device == "cpu" else "a GPU"
    yield f"memory  {size(held.cell)} a cell, {size(held.at_once)} at once; {whose} has {size(there)}"
    if held.at_once > FULL * there:
        yield f"WARNING: {size(held.at_once)} do not fit into {size(there)}; run fewer cells at once"


def _disk(estimate: Estimate) -> Iterator[str]:
    disk, free = estimate.disk, estimate.free_bytes
    yield (
        f"disk    {size(disk.weights)} weights, {size(disk.predictions)} predictions, for a while "
        f"{size(disk.checkpoints)} checkpoints; {size(free)} are free"
    )
    if disk.whole > free:
        yield f"WARNING: {size(disk.whole)} do not fit into {size(free)} of free disk"


def compared(estimate: Estimate, results: Path) -> list[str]:
    """What was predicted beside what happened, for the cells that are done: time, memory, and rows that were far off.

    `results` is the grid's own folder. Start-up is left out on both sides: records tell of stages alone.
    """
    rows = {cell: row.row for row in estimate.rows for cell in row.ids}
    found = happened(results, rows)
    done = [row for row in estimate.rows if 0 < found[row.row].cells == row.cells]
    if not done:
        return []
    predicted, real = sum(map(_predicted, done)), sum(found[row.row].seconds for row in done)
    peaks = max(row.peak_bytes for row in done), max(found[row.row].peak_bytes for row in done)
    time = f"estimated {roughly(predicted)} of work, took {roughly(real)} ({_share(predicted, real)})"
    lines = [f"{time}; estimated {size(peaks[0])} a cell, held {size(peaks[1])} ({_share(*peaks)})"]
    for row in done:
        one = found[row.row].seconds
        if abs(_predicted(row) - one) > OFF * one:
            lines.append(f"  {row.row}: estimated {roughly(_predicted(row))}, took {roughly(one)}")
    return lines


def _predicted(row: RowCost) -> float:
    return row.total - row.seconds.get(START, 0.0)


def _share(predicted: float, real: float) -> str:
    """How far the estimate was off: "12 % too little"."""
    if not real:
        return "nothing"
    off = (predicted - real) / real
    return "exactly" if abs(off) < 0.005 else f"{abs(off):.0%} too {'much' if off > 0 else 'little'}"


def _cells(many: int) -> str:
    return f"{many} cell{'s' * (many != 1)}"
