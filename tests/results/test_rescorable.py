"""What is missing and how to get it, and scores of different versions side by side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vlpbench.metrics import VERSION
from vlpbench.metrics.external.java import Unavailable, find_java
from vlpbench.metrics.external.spice import spice_scores
from vlpbench.records import cell_folders
from vlpbench.records.compact import write_compact
from vlpbench.results import load
from vlpbench.results.notes import gap_notes

GONE = "no Java runtime was found: install a Java runtime"


def missing(*grids: Any) -> list[str]:
    return [line for line in gap_notes(load(*(one.folder for one in grids))) if ": none" in line or " none in " in line]


def lacking(grid: Any, row: str, metric: str, reason: str) -> None:
    grid.done(row, 0, {"Bleu_4": 0.25, metric: None}, task={"reasons": {metric: reason}})


def test_what_all_rows_lack_is_said_once_with_the_folder_as_it_was_named(
    grid: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for row in "ab":
        lacking(grid, row, "METEOR", GONE)
    monkeypatch.chdir(grid.folder.parent)
    lines = [line for line in gap_notes(load(Path("small"))) if "METEOR" in line]
    assert lines == [
        f"captioning METEOR: none ({GONE}); then `vlpbench run score small` measures it from the stored predictions"
    ]


def test_rows_are_named_where_it_is_not_all(grid: Any) -> None:
    lacking(grid, "a", "METEOR", GONE)
    grid.done("b", 0, {"Bleu_4": 0.25, "METEOR": 0.2})
    (line,) = missing(grid)
    assert line.startswith(f"captioning METEOR: none in rows a ({GONE})")


def test_forms_that_lack_the_same_share_a_line(grid: Any) -> None:
    grid.tasks = ("captioning", "captioning@zero-shot")
    lacking(grid, "a", "METEOR", GONE)
    (line,) = missing(grid)
    assert line.startswith("captioning, captioning@zero-shot METEOR: none (")


def test_reasons_that_differ_have_lines_of_their_own(grid: Any) -> None:
    lacking(grid, "a", "METEOR", GONE)
    lacking(grid, "b", "METEOR", "METEOR took too long: wait")
    assert [" in rows a (" in line for line in missing(grid)] == [True, False]


def test_each_grid_has_its_own_command(grid: Any, another: Callable[..., Any]) -> None:
    other = another("two words")
    for one in (grid, other):
        lacking(one, "a", "METEOR", GONE)
    first, second = missing(grid, other)
    assert f"`vlpbench run score {grid.folder}`" in first
    assert f"`vlpbench run score '{other.folder}'`" in second, "as a shell takes it"


def test_a_compact_record_is_scored_where_it_was_copied_from(grid: Any) -> None:
    lacking(grid, "a", "METEOR", GONE)
    lacking(grid, "b", "METEOR", GONE)
    cell = next(cell_folders(grid.folder))
    write_compact(cell, cell.path, {})
    first, second = sorted(missing(grid))
    assert "in rows a (" in first and "in the results folder that these compact records were copied from" in first
    assert "in rows b (" in second and "measures it from the stored predictions" in second


def test_scoring_again_does_not_help_against_a_single_image(grid: Any) -> None:
    lacking(grid, "a", "CIDEr", "of a single image it is 0")
    assert missing(grid) == ["captioning CIDEr: none (of a single image it is 0)"]


def test_the_real_reasons_tell_how_to_get_it(grid: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("JAVA_HOME", "VLPBENCH_JAVA", "VLPBENCH_SPICE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Unavailable) as java:
        find_java()
    with pytest.raises(Unavailable) as jars:
        spice_scores(["a"], [["a"]], None)
    lacking(grid, "a", "METEOR", str(java.value))
    lacking(grid, "b", "SPICE", str(jars.value))
    meteor, spice = missing(grid)
    assert "no Java runtime was found: install a Java runtime (8 or later) and put `java` on the PATH" in meteor
    assert "VLPBENCH_SPICE" in spice and "stanford-corenlp" in spice and len(spice) < 400
    assert all("`vlpbench run score " in line for line in (meteor, spice))


def test_other_reasons_of_spice_stay_as_they_are(grid: Any) -> None:
    reason = "SPICE did not end in 600 s: " + "look at these lines; " * 12
    lacking(grid, "a", "SPICE", reason)
    assert reason in missing(grid)[0]


def test_tasks_without_any_value_lack_no_metric(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 1.0})
    assert missing(grid) == []


def versions(grid: Any) -> list[str]:
    return [line for line in gap_notes(load(grid.folder)) if "versions of the metric set" in line]


def test_scores_of_different_versions_are_told_with_the_remedy(grid: Any) -> None:
    grid.done("new", 0, {"accuracy": 1.0}, scores={"metrics": VERSION})
    grid.done("old", 0, {"accuracy": 1.0})
    (line,) = versions(grid)
    assert f"(version 1: old; version {VERSION}: new)" in line
    assert f"`vlpbench run score {grid.folder}` measures them again by version {VERSION}" in line


@pytest.mark.parametrize("version", [1, VERSION])
def test_one_version_needs_no_word(grid: Any, version: int) -> None:
    for row in "ab":
        grid.done(row, 0, {"accuracy": 1.0}, scores={"metrics": version})
    assert versions(grid) == []
