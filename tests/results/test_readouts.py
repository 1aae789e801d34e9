"""How each task was learnt, and which rows differ within one column."""

from __future__ import annotations

from typing import Any

from vlpbench.results import load
from vlpbench.results.notes import notes


def about(grid: Any, task: str = "vqa") -> list[str]:
    return [line for line in notes(load(grid.folder)) if line.startswith(f"{task}: ") and "vocabulary" not in line]


def test_one_form_is_one_sentence(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 1.0})
    grid.done("b", 0, {"accuracy": 1.0})
    (line,) = about(grid)
    assert line.startswith("vqa: fine-tuned on 6,400 samples, readout 'decoder', last weights; 20 examples of the test")
    assert "rows" not in line


def test_forms_that_differ_within_a_column_are_said_for_each_row(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 1.0})
    for seed in range(2):
        grid.done("b", seed, {"accuracy": 1.0}, task={"head": "vectors"})
    grid.done("c", 0, {"accuracy": 1.0})
    sentence, first, second = about(grid)
    assert sentence.startswith("vqa: fine-tuned on 6,400 samples, readouts that differ by row, last weights")
    assert first == "vqa: readout 'decoder' in rows a, c"
    assert second == "vqa: readout 'vectors' in rows b"


def test_other_differences_name_their_rows_too(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 1.0})
    grid.done("b", 0, {"accuracy": 1.0}, task={"fine_tune": {"samples": 10, "flops": 1}})
    first, second = about(grid)
    assert first.endswith("(rows: a)") and second.endswith("(rows: b)") and "10 samples" in second


def test_tasks_that_fix_their_form_stand_each_for_itself(grid: Any) -> None:
    grid.tasks = ("vqa@decoder", "vqa@fused")
    grid.done("a", 0, {"accuracy": 1.0})
    assert len(about(grid, "vqa@decoder")) == len(about(grid, "vqa@fused")) == 1


def test_a_task_without_a_score_has_no_note(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 1.0})
    assert about(grid, "captioning") == []
