"""What finished cells took, row by row."""

from __future__ import annotations

from pathlib import Path

from vlpbench.records import CellFolder
from vlpbench.runner.happened import Happened, happened


def leave(results: Path, cell: str, total: float, peak: int, timing: bool = True) -> CellFolder:
    folder = CellFolder.of(results, cell, "row")
    folder.begin({"id": cell})
    facts = {"timing": {"total": total, "peak_bytes": peak, "seconds": {"vqa": total}}} if timing else {}
    folder.finish({}, [], {}, facts)
    return folder


def test_done_cells_are_added_up_by_row(tmp_path: Path) -> None:
    leave(tmp_path, "a", 10.0, 300)
    leave(tmp_path, "b", 5.0, 400)
    leave(tmp_path, "c", 7.0, 100)
    leave(tmp_path, "other", 1_000.0, 100)
    found = happened(tmp_path, {"a": "first", "b": "first", "c": "second", "missing": "third"})
    assert found == {"first": Happened(2, 15.0, 400), "second": Happened(1, 7.0, 100), "third": Happened()}


def test_failed_cells_and_those_without_facts_are_left_out(tmp_path: Path) -> None:
    leave(tmp_path, "a", 10.0, 300, timing=False)
    failed = CellFolder.of(tmp_path, "b", "row")
    failed.begin({"id": "b"})
    failed.fail("no start today", {}, {"timing": {"total": 3.0, "peak_bytes": 1}})
    assert happened(tmp_path, {"a": "one", "b": "one"}) == {"one": Happened()}
    assert happened(tmp_path / "nowhere", {"a": "one"}) == {"one": Happened()}
