"""Captions say what is true of their table: n, ±, bold, tests, marks, protocol, split."""

from __future__ import annotations

from typing import Any

import pytest

from vlpbench.results import load
from vlpbench.results.tables import Asked, build
from vlpbench.results.tables.entry_text import text_of, unsaid_notes


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
        "Mean ± standard deviation over n = 3 seeds (0–2; equal seeds share data order and initial weights). "
        "Bold: the best mean of each column and all that are not significantly worse "
        "(paired t over 3 seeds; one comparison; α = 0.05). Δ: difference to low, paired by seed; * marks "
        "those that are significant (tested alike; one comparison). Below the rows stands what "
        "needs no model, scored on the same examples. Tests are about the expected score of "
        "this recipe over new seeds, on this test set. Pretraining: 36,000 samples of digits. vqa: fine-tuned "
        "on 6,400 samples, last weights, scored on 20 examples of the test split of digits."
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
    assert "over n = 4 seeds (0–3;" in said and "; n is printed where it differs" in said
    assert "†: some of the row's cells failed and are not in its mean." in said


def test_grids_of_other_n(rows: Any, another: Any) -> None:
    other = another()
    for row, start in (("low", 40.0), ("high", 50.0)):
        for seed in range(2):
            other.done(row, seed, {"accuracy": start + seed})
    table = build(load(rows.folder, other.folder))
    said, lines = table.caption, {line.name: text_of(line.entries[0]) for line in table.lines}
    assert "over n = 3 seeds (0–2;" in said and "n is printed where it differs" in said
    assert lines["small: low"] == "40.8 ± 0.8" and lines["other: low"] == "40.5 ± 0.7 (n=2)"
    assert "Bold: the best mean of each column and grid" in said
    assert "what needs no model, scored on the same examples." in said


def test_seeds_that_no_row_has_all_of(grid: Any) -> None:
    for row, seeds in (("a", (0, 1, 2)), ("b", (3, 4, 5))):
        for seed in seeds:
            grid.done(row, seed, {"accuracy": 40.0 + seed})
    assert "over n = 3 seeds (of 0–5; equal" in caption(grid), "six seeds, of which each row has three"


def test_blind_rows_and_rows_that_saw_other_things(rows: Any) -> None:
    rows.done("odd, one", 0, {"accuracy": 9.0}, settings={"budget": {"samples": 7}})
    rows.done("low, blind", 0, {"accuracy": 9.0}, settings={"blind": True})
    table = build(load(rows.folder))
    assert "Blind: every image blanked in fine-tuning and test; neither bold nor tested." in table.caption
    assert "Pretraining: 36,000 samples of digits (3 of 4 rows)." in table.caption
    assert "pretraining: 7 samples of digits (rows: 'odd, one')" in table.details


def test_a_caption_that_an_editor_leaves_alone(rows: Any) -> None:
    """Twelve rows, which saw five different things: what only some of them did is not in it."""
    for row in "abcdefghij":
        for seed in range(3):
            budget = {"samples": 100 + ord(row) // 2}
            rows.done(row, seed, {"accuracy": 50.0 + seed}, settings={"budget": budget})
    said = caption(rows, baseline="low")
    assert len(said.split()) < 120 and "Pretraining: differs by row." in said


def test_bold_alone(rows: Any) -> None:
    assert "Bold: the best mean of each column." in caption(rows, bold="best")
    assert "Bold" not in caption(rows, bold="none")


def test_tests_of_other_n_are_one_phrase(rows: Any) -> None:
    for seed in range(2):
        rows.done("short", seed, {"accuracy": 50.0 + seed / 2})
    tests = "(paired t over 2 to 3 seeds; Holm's correction over 3 comparisons, all pairs of rows; α = 0.05)"
    assert tests in caption(rows)


def test_a_grids_own_words_come_first_and_published_numbers_are_named(rows: Any) -> None:
    rows.published = {"low": {"vqa.accuracy": 49.7}, "high": {"vqa.accuracy": 67.43}}
    rows.close()
    said = caption(rows)
    assert "Published: what a paper prints for the row." in said and said.endswith(".")
    table = build(load(rows.folder))
    found = [note for note in unsaid_notes(table) if "rank correlation with the published column" in note]
    assert found and not table.details & {*found}, "a finding: it stands under the table, not over it"


def test_the_selection_rule_is_said(grid: Any) -> None:
    for seed in range(2):
        grid.done("a", seed, {"accuracy": 1.0}, task={"select": "validation"})
    assert "best weights on validation, scored on 20 examples of the test split" in caption(grid)


def test_tasks_without_a_column_are_not_spoken_of(grid: Any) -> None:
    for seed in range(2):
        grid.done("a", seed, {"accuracy": 1.0, "CIDEr": 0.5})
    table = build(load(grid.folder), Asked(metrics=("CIDEr",)))
    assert "vqa" not in table.caption and not any(note.startswith("vqa") for note in table.notes)


def test_notes_and_caption_do_not_say_the_same_twice_on_paper(rows: Any) -> None:
    table = build(load(rows.folder), Asked(baseline="low"))
    assert "pretraining: 36,000 samples of digits" in table.notes
    assert any("leave-one-out accuracy" in note for note in table.details) and table.details < {*table.notes}
    assert "pretraining: 36,000 samples of digits" not in unsaid_notes(table)
    assert "vqa: the answer vocabulary allows accuracy 91.5 at most" in unsaid_notes(table)
    assert table.for_screen().caption == "" and table.for_screen().notes == table.notes


def test_label(rows: Any) -> None:
    rows.name = "a_grid & more"
    rows.close()
    assert build(load(rows.folder), Asked(what="cost")).label == "tab:a-grid-more-cost"
