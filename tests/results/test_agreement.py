"""Whether our rows rank as the paper's: who is ranked, over which seeds, and what is said."""

from __future__ import annotations

import pytest
from scipy import stats

from vlpbench.results import load
from vlpbench.results.agreement import agreement_sentence, agreements

PUBLISHED = {"a": 60.0, "b": 65.0, "c": 70.0, "d": 50.0}
OURS = {"a": (30.0, 32.0, 31.0), "b": (33.0, 34.0, 36.0), "c": (35.0, 33.5, 38.0), "d": (31.0, 30.0, 30.5)}


@pytest.fixture
def ranked(grid):
    for row, scores in OURS.items():
        for seed, score in enumerate(scores):
            grid.done(row, seed, {"accuracy": score})
    grid.published = {row: {"vqa.accuracy": value} for row, value in PUBLISHED.items()}
    grid.close()
    return grid


def test_known_answers(ranked):
    (found,) = agreements(load(ranked.folder), "vqa", "accuracy")
    means = [sum(scores) / 3 for scores in OURS.values()]
    assert found.ranks is not None and found.rows == ("a", "b", "c", "d") and found.seeds == (0, 1, 2)
    assert found.ranks.tau == pytest.approx(stats.kendalltau(means, list(PUBLISHED.values())).statistic)
    assert found.ranks.rho == pytest.approx(stats.spearmanr(means, list(PUBLISHED.values())).statistic)
    said = agreement_sentence(found)
    assert said.startswith("vqa acc.: rank correlation with the published column, 4 rows, mean over 3 seeds: Kendall's")
    assert "tau 1.00" in said and "about new seeds of these rows, p is about chance orders" in said
    assert "left out" not in said


def test_rows_are_left_out_with_the_reason(ranked):
    ranked.plan("e", 0)
    ranked.done("f", 7, {"accuracy": 99.0})
    for seed in range(3):
        ranked.done("g", seed, {"accuracy": 99.0}, scores={"metrics": 9})
    ranked.published |= {row: {"vqa.accuracy": 1.0} for row in "efg"}
    ranked.close()
    (found,) = agreements(load(ranked.folder), "vqa", "accuracy")
    assert found.rows == ("a", "b", "c", "d") and found.left_out == {
        "e": "no score of ours", "g": "measured otherwise than the others", "f": "no seed in common with the others",
    }
    assert agreement_sentence(found).endswith(
        "left out: e (no score of ours); left out: g (measured otherwise than the others); left out: f (no seed in "
        "common with the others)"
    )


def test_seeds_are_those_that_all_rows_have(ranked):
    ranked.done("e", 1, {"accuracy": 20.0})
    ranked.published |= {"e": {"vqa.accuracy": 40.0}}
    ranked.close()
    (found,) = agreements(load(ranked.folder), "vqa", "accuracy")
    assert found.seeds == (1,) and len(found.rows) == 5
    said = agreement_sentence(found)
    assert "mean over seed 1 alone" in said and "intervals" not in said


def test_two_rows_have_no_order_to_speak_of(grid):
    grid.done("a", 0, {"accuracy": 1.0})
    grid.done("b", 0, {"accuracy": 2.0})
    grid.published = {row: {"vqa.accuracy": 5.0} for row in "abc"}
    grid.close()
    (found,) = agreements(load(grid.folder), "vqa", "accuracy")
    assert found.ranks is None and "2 rows have both; left out: c (no score of ours)" in agreement_sentence(found)


def test_a_constant_column_has_no_rank_correlation(ranked):
    ranked.published = {row: {"vqa.accuracy": 5.0} for row in OURS}
    ranked.close()
    (found,) = agreements(load(ranked.folder), "vqa", "accuracy")
    assert "no rank correlation" in agreement_sentence(found) and "constant" in agreement_sentence(found)


def test_only_grids_and_columns_with_published_numbers(ranked, another):
    other = another("other")
    other.done("a", 0, {"accuracy": 1.0})
    results = load(ranked.folder, other.folder)
    assert [one.grid for one in agreements(results, "vqa", "accuracy")] == ["small"]
    assert agreements(results, "vqa", "accuracy", "other") == [] == agreements(results, "captioning", "CIDEr")
