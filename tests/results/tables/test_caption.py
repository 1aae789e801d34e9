"""Captions say what is true of their table: n, ±, bold, tests, marks, protocol, split."""

from __future__ import annotations

from typing import Any

import pytest

from vlpbench.results import load
from vlpbench.results.tables import Asked, build


def caption(grid: Any, **asked: Any) -> str:
    return build(load(grid.folder), Asked(**asked)).caption


@pytest.fixture
def rows(grid: Any) -> Any:
    for row, start in (("low", 40.0), ("high", 60.0)):
        for seed in range(3):
            grid.done(row, seed, {"accuracy": start + seed * start / 50})
    return grid


def test_a_whole_caption(rows: Any) -> None:
    assert caption(rows, baseline="low", metrics=("accuracy",)) == (
        "Mean ± standard deviation over n = 3 seeds (0, 1, 2; equal seeds share data order and initial "
        "weights across rows). Bold: the best mean of each column and all that are not significantly worse "
        "(paired t over 3 seeds; one comparison; α = 0.05). Δ: difference to low, paired by seed; * marks "
        "those that are significant (paired t over 3 seeds; one comparison; α = 0.05). Below the rows, what "
        "needs no model scores on the same examples: chance, majority. Tests are about the expected score of "
        "this recipe over new seeds, on this test set. Pretraining: 36,000 samples of digits. vqa: fine-tuned "
        "on 6,400 samples, readout 'decoder', last weights; 20 examples of the test split of digits; percent, "
        "leave-one-out accuracy."
    )


def test_what_stands_behind_the_mean(rows: Any) -> None:
    half = "Mean ± half of the 90 % t interval of the expected score of this recipe over new seeds, on this test set"
    assert half in caption(rows, spread="interval", alpha=0.1)
    assert caption(rows, spread="none").startswith("Mean over n = 3 seeds")


def test_one_seed_has_no_spread_and_no_test(grid: Any) -> None:
    for row, value in (("a", 40.0), ("b", 50.0)):
        grid.done(row, 7, {"accuracy": value})
    said = caption(grid, baseline="a")
    assert said.startswith("One run with seed 7: no spread over seeds is known, and no difference can be tested.")
    assert "±" not in said and "Tests are" not in said and "marks" not in said
    assert "Bold: the best mean of each column, and nothing is tested." in said


def test_nothing_finished(grid: Any) -> None:
    grid.failed("a", 0, "no")
    assert caption(grid) == "No cell has finished."


def test_other_n_and_failed_cells_are_said(rows: Any) -> None:
    rows.failed("high", 3, "out of memory")
    rows.done("low", 3, {"accuracy": 40.0})
    said = caption(rows)
    assert "where there are fewer, n says so" in said
    assert "†: some of the row's cells failed and are not in its mean." in said


def test_grids_of_other_n(rows: Any, another: Any) -> None:
    other = another()
    for row, start in (("low", 40.0), ("high", 50.0)):
        for seed in range(2):
            other.done(row, seed, {"accuracy": start + seed})
    said = build(load(rows.folder, other.folder)).caption
    assert "over n = 2 to 3 seeds (0, 1, 2;" in said and "n says so" not in said
    assert "Bold: the best mean of each column and grid" in said
    assert "scores on the same examples: chance, majority." in said


def test_bold_alone(rows: Any) -> None:
    assert "Bold: the best mean of each column." in caption(rows, bold="best")
    assert "Bold" not in caption(rows, bold="none")


def test_tests_of_other_n_are_one_phrase(rows: Any) -> None:
    for seed in range(2):
        rows.done("short", seed, {"accuracy": 50.0 + seed / 2})
    assert "(paired t over 2 to 3 seeds; Holm's correction over 3 comparisons, all pairs of rows; α = 0.05)" in caption(rows)


def test_a_grids_own_words_come_first_and_published_numbers_are_named(rows: Any) -> None:
    rows.published = {"low": {"vqa.accuracy": 49.7}, "high": {"vqa.accuracy": 67.43}}
    rows.close()
    said = caption(rows)
    assert "Published: the number that a paper prints for the row." in said
    assert "rank correlation with the published column" in said and said.endswith(".")


def test_the_selection_rule_is_said(grid: Any) -> None:
    for seed in range(2):
        grid.done("a", seed, {"accuracy": 1.0}, task={"select": "validation"})
    assert "best weights on validation; 20 examples of the test split" in caption(grid)


def test_tasks_without_a_column_are_not_spoken_of(grid: Any) -> None:
    for seed in range(2):
        grid.done("a", seed, {"accuracy": 1.0, "CIDEr": 0.5})
    table = build(load(grid.folder), Asked(metrics=("CIDEr",)))
    assert "vqa" not in table.caption and not any(note.startswith("vqa") for note in table.notes)


def test_notes_and_caption_do_not_say_the_same_twice_on_paper(rows: Any) -> None:
    table = build(load(rows.folder), Asked(baseline="low"))
    assert "pretraining: 36,000 samples of digits" in table.notes
    assert "pretraining: 36,000 samples of digits" not in table.for_paper().notes
    assert "vqa: the answer vocabulary allows accuracy 91.5 at most" in table.for_paper().notes
    assert table.for_screen().caption == "" and table.for_screen().notes == table.notes


def test_label(rows: Any) -> None:
    rows.name = "a_grid & more"
    rows.close()
    assert build(load(rows.folder), Asked(what="cost")).label == "tab:a-grid-more-cost"
