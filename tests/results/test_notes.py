"""What stands under a table: n, budgets, readouts, ceilings, what was left out, what failed."""

from __future__ import annotations

from typing import Any

from vlpbench.results import load
from vlpbench.results.notes import gap_notes, protocol_notes


def said(grid: Any) -> list[str]:
    results = load(grid.folder)
    return [*protocol_notes(results), *gap_notes(results)]


def test_budgets_readouts_and_ceilings_are_said_once(grid: Any) -> None:
    for seed in range(2):
        grid.done("a", seed, {"accuracy": 1.0, "CIDEr": 0.1})
    lines = said(grid)
    assert len(lines) == len(set(lines))
    assert "pretraining: 36,000 samples of digits" in lines
    tuned = "vqa: fine-tuned on 6,400 samples, readout 'decoder', last weights; 20 examples of the test split"
    assert any(line.startswith(tuned) for line in lines)
    assert "vqa: the answer vocabulary allows accuracy 91.5 at most" in lines


def test_weights_chosen_on_validation_are_said(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 1.0}, task={"select": "validation"})
    assert any("samples, readout 'decoder', best weights on validation; 20 examples" in line for line in said(grid))


def test_zero_shot_has_no_weights_of_its_own_to_choose(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 1.0}, task={"select": "validation", "protocol": "zero-shot"})
    assert any(line.startswith("vqa: zero-shot, readout 'decoder'; 20 examples") for line in said(grid))


def test_failed_and_damaged_cells_are_named(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 1.0})
    grid.failed("b", 0, "the loss is not finite at step 3")
    (grid.done("c", 0, {"accuracy": 2.0}).path / "scores.json").write_text("{")
    lines = said(grid)
    assert "cell 000000000001 (b, seed 0) is not in the table: the loss is not finite at step 3" in lines
    assert "cell 000000000002 (c, seed 0) is not in the table: a file of the record is missing or changed" in lines


def test_cells_of_a_row_that_failed_alike_are_told_of_once(grid: Any) -> None:
    for seed in (0, 1, 2, 5):
        grid.failed("a", seed, "out of memory")
    grid.failed("a", 6, "the loss is not finite")
    lines = [line for line in said(grid) if "not in the table" in line]
    assert lines[0] == "4 cells (a, seeds 0–2, 5) are not in the table: out of memory"
    assert len(lines) == 2 and lines[1].endswith("(a, seed 6) is not in the table: the loss is not finite")


def test_a_ceiling_of_all_answers_is_none(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 1.0}, task={"ceilings": {"accuracy": 100.0}})
    assert not any("answer vocabulary" in line for line in said(grid))


def test_a_rows_name_with_a_comma_reads_as_one(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 1.0})
    grid.done("a, b", 0, {"accuracy": 1.0}, settings={"budget": {"samples": 7}})
    assert "pretraining: 7 samples of digits (rows: 'a, b')" in said(grid)


def test_samples_that_were_left_out_are_counted(grid: Any) -> None:
    some = {"photos/train": {"count": 1200, "first": ["a.jpg: it is cut short"]}}
    grid.done("a", 0, {"accuracy": 1.0}, left_out=some)
    assert "photos/train: 1,200 samples left out (first: a.jpg: it is cut short)" in said(grid)


def test_cells_that_the_grid_no_longer_has_say_nothing(grid: Any) -> None:
    grid.done("kept", 0, {"accuracy": 1.0})
    gone = grid.done("gone", 0, {"accuracy": 1.0}, settings={"budget": {"samples": 7}}).read("settings.json")["id"]
    del grid.cells[gone]
    grid.close()
    assert not any("7 samples" in line for line in said(grid))
    assert any("36,000 samples" in line for line in said(grid))


def test_what_pretraining_saw_is_said_with_its_rows_where_it_differs(grid: Any) -> None:
    texts = {"texts": "corpus", "budget": {"samples": 640, "batch": 64, "texts": 8}}
    grid.done("none", 0, {"accuracy": 1.0}, settings={"objective": "none", "budget": {"samples": 7}})
    grid.done("both", 0, {"accuracy": 1.0}, settings=texts)
    grid.done("texts", 0, {"accuracy": 1.0}, settings={**texts, "data": "none"})
    lines = said(grid)
    assert "pretraining: 640 pairs of digits, and beside them texts of corpus, 8 a step (rows: both)" in lines
    assert "pretraining: texts of corpus alone, 8 a step, 10 steps (rows: texts)" in lines
    assert not any(line.startswith("pretraining: 7 ") for line in lines)


def test_a_column_that_there_is_not_is_told_of(grid: Any) -> None:
    grid.beside = ["flosp"]
    grid.done("a", 0, {"accuracy": 1.0})
    assert any("asks for the column 'flosp'" in line and "flops" in line for line in said(grid))


def test_texts_that_were_cut_are_counted(grid: Any) -> None:
    for row, cut in (("short", 20_000), ("long", 0)):
        scores = {"cut_texts": {"cut": cut, "of": 30_000, "length": 24}}
        grid.done(row, 0, {"accuracy": 1.0}, scores=scores)
    told = [line for line in said(grid) if "cut at" in line]
    assert told == ["pretraining: 20,000 of 30,000 texts were cut at 24 tokens (text.length)"]
