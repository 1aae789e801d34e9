"""How each task was learnt, and which rows differ within one column."""

from __future__ import annotations

from typing import Any

from vlpbench.results import load
from vlpbench.results.notes import protocol_notes


def about(grid: Any, task: str = "vqa") -> list[str]:
    return [line for line in protocol_notes(load(grid.folder)) if line.startswith(f"{task}: ")]


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


def probe(strength: float, **more: Any) -> dict[str, Any]:
    return {
        "protocol": "probe", "head": "mean of image tokens",
        "probe": {"C": strength, "chosen_on": "val", "fitted_on": ["train", "val"], "converged": True, **more},
    }


def test_a_probe_says_where_c_was_chosen_and_what_it_was_fitted_to(grid: Any) -> None:
    grid.tasks = ("classification@probe",)
    for row, seed, strength in (("a", 0, 0.01), ("a", 1, 100.0), ("b", 0, 0.316227766)):
        grid.done(row, seed, {"mean_per_class": 1.0}, task=probe(strength))
    sentence, chosen = about(grid, "classification@probe")
    assert sentence.startswith(
        "classification@probe: probe (logistic regression on frozen features, C chosen on val, fitted to train and "
        "val), readout 'mean of image tokens'; 20 examples of the test split of digits"
    )
    assert "rows" not in sentence
    assert chosen == "classification@probe: C chosen: a 0.01, 100; b 0.316"


def test_a_probe_that_did_not_converge_is_named(grid: Any) -> None:
    grid.tasks = ("classification@probe",)
    grid.done("a", 0, {"mean_per_class": 1.0}, task=probe(1.0))
    grid.done("b", 0, {"mean_per_class": 1.0}, task=probe(1.0, converged=False))
    assert about(grid, "classification@probe")[-1] == "classification@probe: the probe did not converge in rows b"


def test_how_captions_are_searched_for_is_told(grid: Any) -> None:
    for row, protocol in (("greedy", {"beams": 1}), ("beams", {"beams": 3}), ("drawn", {"beams": 1, "top_p": 0.9})):
        grid.done(row, 0, {"CIDEr": 1.0}, settings={"protocol": {"captioning": protocol}})
    lines = about(grid, "captioning")
    for row, words in (("greedy", "greedy search"), ("beams", "3 beams"), ("drawn", "words drawn (top p 0.9)")):
        assert any(f"last weights, {words}; " in line and line.endswith(f"(rows: {row})") for line in lines)


def test_what_the_record_tells_differently_names_its_rows(grid: Any) -> None:
    for row, rule in (("a", "always"), ("b", "2016")):
        grid.done(row, 0, {"accuracy": 1.0}, task={"told": {"images": 9, "normalisation": rule}})
    first, second = about(grid)
    assert "20 examples on 9 images of the test split of digits" in first
    assert first.endswith("rule `always` (rows: a)") and second.endswith("rule `2016` (rows: b)")
