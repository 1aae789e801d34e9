"""The lines of an estimate, and of its comparison with what happened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vlpbench.cli.estimate import compared, estimate_lines
from vlpbench.records import CellFolder
from vlpbench.runner.costs import Disk, Memory, RowCost
from vlpbench.runner.estimate import Estimate

GIB = 2**30
ROWS = [
    RowCost(
        "words", ["a", "b"], {"start": 2.0, "pretrain": 3600.0, "vqa": 60.0}, 2 * GIB,
        {"captioning": "n/a: needs decode"},
    ),
    RowCost("words, blind", ["c"], {"start": 1.0, "vqa": 30.0}, GIB, {"pretrain": "shared"}),
    RowCost("bad", ["d"], {"start": 1.0, "pretrain": 2.0}, 0, {"pretrain": "fails after 2 s: LookupError: no start"}),
]
ESTIMATE = Estimate(
    "grid", "cpu", 2, 1_700_000_000.0, 20.0, 4000.0, ROWS, {}, Memory(2 * GIB, 3 * GIB), 8 * GIB,
    Disk(GIB, 3 * GIB, 2**20), 100 * GIB,
)


def test_a_row_a_line_with_what_it_costs_and_why_not() -> None:
    head, words, blind, bad, *others = estimate_lines(ESTIMATE)
    assert head.split() == ["row", "cells", "start", "pretrain", "vqa", "captioning", "together", "memory"]
    assert words.split() == "words 2 0:02 1 h 00 min 1:00 n/a 1 h 01 min 2 GiB".split()
    assert blind.split()[2:] == ["1", "0:01", "shared", "0:30", "-", "0:31", "1", "GiB"]
    assert "fails" in bad and "bad: pretrain fails after 2 s: LookupError: no start" in others
    assert "words: captioning n/a: needs decode" in others
    assert len({len(line) for line in (head, words, blind, bad)}) == 1, "columns stand under their heads"


def test_the_sums_with_hours_memory_disk_and_the_end() -> None:
    time, memory, disk = list(estimate_lines(ESTIMATE))[-3:]
    assert time.startswith("time    1 h 06 min for 4 cells, 2 at once (1 core hours); ") and " over at " in time
    assert memory == "memory  2 GiB a cell, 3 GiB at once; the machine has 8 GiB"
    assert disk == "disk    1 GiB weights, 1 MiB predictions, for a while 3 GiB checkpoints; 100 GiB are free"


def test_what_does_not_fit_is_a_warning() -> None:
    tight = replace(ESTIMATE, there_bytes=3 * GIB, free_bytes=2 * GIB)
    warnings = [line for line in estimate_lines(tight) if line.startswith("WARNING")]
    assert warnings == [
        "WARNING: 3 GiB do not fit into 3 GiB; run fewer cells at once",
        "WARNING: 4 GiB do not fit into 2 GiB of free disk",
    ]
    assert not [line for line in estimate_lines(ESTIMATE) if "WARNING" in line]


def test_nothing_to_run_is_said() -> None:
    assert list(estimate_lines(replace(ESTIMATE, rows=[]))) == ["nothing is to be run"]


def leave(results: Path, cell: str, total: float) -> None:
    folder = CellFolder.of(results, cell, "row")
    folder.begin({"id": cell})
    folder.finish({}, [], {}, {"timing": {"total": total, "peak_bytes": GIB}})


def test_the_estimate_beside_what_happened(tmp_path: Path) -> None:
    assert compared(ESTIMATE, tmp_path) == [], "nothing is done yet"
    leave(tmp_path, "a", 1800.0)
    assert compared(ESTIMATE, tmp_path) == [], "a row of which half is done tells nothing"
    leave(tmp_path, "b", 1860.0)
    leave(tmp_path, "c", 60.0)
    first, *rows = compared(ESTIMATE, tmp_path)
    assert first == (
        "estimated 1 h 01 min of work, took 1 h 02 min (1% too little); "
        "estimated 2 GiB a cell, held 1 GiB (100% too much)"
    )
    assert rows == ["  words, blind: estimated 0:30, took 1:00"]
