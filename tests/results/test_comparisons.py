"""Rows beside a baseline or the best: paired, tested, corrected together, and nothing hidden."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from vlpbench.errors import UserError
from vlpbench.results import load
from vlpbench.results.comparisons import (
    Comparison,
    compare_with,
    compare_with_best,
    corrected_together,
    family_size,
)

VQA, CIDER = ("vqa", "accuracy"), ("captioning", "CIDEr")
SCORES = {
    "base": [(50.0, 0.80), (52.0, 0.85), (51.0, 0.78), (53.5, 0.83)],
    "up": [(55.0, 0.81), (57.5, 0.84), (55.5, 0.80), (58.0, 0.82)],
    "same": [(50.5, 0.70), (51.0, 0.72), (51.5, 0.69), (53.0, 0.71)],
}


@pytest.fixture
def filled(grid):
    """Three rows, four seeds, two tasks."""
    for name, scores in SCORES.items():
        for seed, (accuracy, cider) in enumerate(scores):
            grid.done(name, seed, {"accuracy": accuracy, "CIDEr": cider})
    return grid


def by_row(found: list[Comparison], task: str = "vqa") -> dict[str, Comparison]:
    return {one.row: one for one in found if one.task == task}


def test_known_answers_and_one_holm_family(filled):
    found = compare_with(load(filled.folder), "base", [VQA, CIDER])
    assert [(one.row, one.task) for one in found] == [
        ("up", "vqa"), ("same", "vqa"), ("up", "captioning"), ("same", "captioning"),
    ]
    for one in found:
        at = ("vqa", "captioning").index(one.task)
        mine, base = (np.array(SCORES[name])[:, at] for name in (one.row, "base"))
        peer = stats.ttest_rel(mine, base)
        low, high = peer.confidence_interval(0.95)
        had = (one.difference, one.low, one.high, one.p)
        assert had == pytest.approx(((mine - base).mean(), low, high, peer.pvalue))
        assert one.seeds == (0, 1, 2, 3) and one.other == "base" and one.target == "seeds" and not one.is_with_best
        assert one.improvement == ((mine > base).mean() + 0.5 * (mine == base).mean())
    order = sorted(found, key=lambda one: one.p)
    steps = [min(1.0, one.p * (4 - rank)) for rank, one in enumerate(order)]
    assert [one.corrected for one in order] == pytest.approx(list(np.maximum.accumulate(steps)))
    assert by_row(found)["up"].sign_flip == 2 / 2**4 and by_row(found)["up"].is_significant(0.05)
    assert not by_row(found)["same"].is_significant(0.05)


def test_intervals_have_one_minus_alpha(filled):
    wide = by_row(compare_with(load(filled.folder), "base", [VQA], alpha=0.01))["up"]
    narrow = by_row(compare_with(load(filled.folder), "base", [VQA], alpha=0.10))["up"]
    assert wide.low < narrow.low < narrow.difference < narrow.high < wide.high


def test_the_best_is_picked_by_its_mean_for_each_metric(filled):
    found = compare_with_best(load(filled.folder), [VQA, CIDER])
    assert {(one.task, one.other) for one in found} == {("vqa", "up"), ("captioning", "up")}
    assert by_row(found)["base"].is_worse(0.05) and all(one.is_with_best for one in found)
    assert by_row(found, "captioning")["base"].is_tested and not by_row(found, "captioning")["base"].is_worse(0.05)


def test_where_lower_is_better_a_lower_row_is_the_better_one(filled):
    results = load(filled.folder)
    frame = results.frame.replace({"metric": {"accuracy": "TR_median"}})
    upside = replace(results, frame=frame.assign(better="lower"))
    found = by_row(compare_with(upside, "base", [("vqa", "TR_median")]))["up"]
    assert found.difference > 0 and found.improvement == 0.0 and found.is_worse(0.05)
    best = compare_with_best(upside, [("vqa", "TR_median")])
    assert {one.other for one in best} == {"same"} and by_row(best)["up"].is_worse(0.05)


def test_a_metric_that_is_no_score_is_never_compared(filled):
    results = load(filled.folder)
    frame = results.frame.replace({"metric": {"accuracy": "images"}})
    counted = replace(results, frame=frame.assign(better=""))
    assert compare_with(counted, "base", [("vqa", "images")]) == []
    assert compare_with_best(counted, [("vqa", "images")]) == []


def test_rows_that_lack_seeds_are_compared_on_the_common_ones(filled):
    filled.done("part", 1, {"accuracy": 60.0})
    filled.done("part", 3, {"accuracy": 61.0})
    filled.failed("part", 0, "out of memory")
    found = by_row(compare_with(load(filled.folder), "base", [VQA, CIDER]))["part"]
    assert found.seeds == (1, 3) and found.difference == pytest.approx((8.0 + 7.5) / 2)
    assert "part: seed 0 failed" in found.note and "without a partner: seeds 0, 2" in found.note
    assert found.is_tested


def test_one_common_seed_is_no_test_and_is_not_counted(filled):
    filled.done("lone", 2, {"accuracy": 99.0})
    filled.plan("later", 0)
    found = compare_with(load(filled.folder), "base", [VQA])
    lone, later = by_row(found)["lone"], by_row(found)["later"]
    assert lone.difference == 48.0 and math.isnan(lone.p) and math.isnan(lone.low) and math.isnan(lone.sign_flip)
    assert not lone.is_tested and not lone.is_significant(0.05) and "one seed" in lone.note
    assert later.seeds == () and math.isnan(later.difference) and later.note == "later: seed 0 pending"
    two = sorted(one.p for one in found if one.is_tested)
    assert len(two) == 2 and by_row(found)["up"].corrected == pytest.approx(2 * two[0])


def test_floors_and_rows_that_cannot_have_the_task_are_left_out(filled):
    filled.done("base, blind", 0, {"accuracy": 99.0}, settings={"blind": True})
    filled.plan("never", 0, reason="n/a: needs decode")
    assert set(by_row(compare_with(load(filled.folder), "base", [VQA]))) == {"up", "same"}
    assert {one.other for one in compare_with_best(load(filled.folder), [VQA])} == {"up"}


def test_scores_of_other_metric_versions_are_not_compared(filled):
    for seed in range(4):
        filled.done("old", seed, {"accuracy": 20.0 + seed}, scores={"metrics": 7})
    found = by_row(compare_with(load(filled.folder), "base", [VQA]))["old"]
    assert not found.is_tested and "metrics version 7 and 1" in found.note and math.isnan(found.difference)


def test_grids_are_compared_within_themselves(filled, another):
    other = another("other")
    for seed in range(3):
        other.done("base", seed, {"accuracy": 10.0})
        other.done("up", seed, {"accuracy": 11.0 + seed})
    third = another("third")
    third.done("alone", 0, {"accuracy": 1.0})
    found = compare_with(load(filled.folder, other.folder, third.folder), "base", [VQA])
    assert [(one.grid, one.row) for one in found] == [("small", "up"), ("small", "same"), ("other", "up")]
    assert found[2].difference == 2.0


def with_questions(grid, name: str, seed: int, right: list[float]) -> None:
    """A cell with two questions a picture, each right or wrong."""
    asked = [
        {"question_id": at, "image_id": at // 2, "prediction": "x", "accuracy": one} for at, one in enumerate(right)
    ]
    scores = {"accuracy": 100 * float(np.mean(right)), "Bleu_4": 0.5 + seed / 100}
    grid.done(name, seed, scores, predictions={"vqa": asked})


@pytest.fixture
def answered(grid):
    """Two rows of three seeds, twenty pictures, of which one row gets more questions right."""
    rng = np.random.default_rng(0)
    for seed in range(3):
        for name, share in {"base": 0.4, "up": 0.7}.items():
            with_questions(grid, name, seed, [float(one < share) for one in rng.random(40)])
    return grid


def test_new_examples_and_both_are_other_targets(answered):
    results = load(answered.folder)
    seeds, examples, both = (
        compare_with(results, "base", [VQA], target)[0] for target in ("seeds", "examples", "seeds and examples")
    )
    assert seeds.difference == pytest.approx(examples.difference) == pytest.approx(both.difference)
    assert "20 images" in examples.method and "crossed" in both.method and "paired t" in seeds.method
    assert examples.low < examples.difference < examples.high and examples.target == "examples"
    assert examples.sign_flip == both.sign_flip == seeds.sign_flip == 0.25  # of seeds, whatever is asked


def test_one_seed_can_be_tested_on_new_examples(answered):
    with_questions(answered, "lone", 1, [1.0] * 40)
    (found,) = [one for one in compare_with(load(answered.folder), "base", [VQA], "examples") if one.row == "lone"]
    assert found.is_tested and found.seeds == (1,) and math.isnan(found.sign_flip)


def test_a_metric_that_is_no_mean_over_examples_says_so(answered):
    (found,) = compare_with(load(answered.folder), "base", [("captioning", "Bleu_4")], "examples")
    assert not found.is_tested and found.difference == pytest.approx(0.0) and found.improvement == 0.5
    assert found.note == "Bleu_4 is no mean of scores of single examples: there is a test about seeds alone"


def test_other_pictures_are_no_pair(answered):
    for seed in range(3):
        with_questions(answered, "more", seed, [1.0] * 60)
    (found,) = [one for one in compare_with(load(answered.folder), "base", [VQA], "examples") if one.row == "more"]
    assert not found.is_tested and "different images" in found.note


def test_an_unknown_baseline(filled):
    with pytest.raises(UserError) as caught:
        compare_with(load(filled.folder), "basse", [VQA])
    assert "unknown row 'basse'" in str(caught.value) and "did you mean 'base'?" in str(caught.value)


def test_fifty_rows_and_ten_metrics_take_less_than_a_second(filled):
    results = load(filled.folder)
    line = results.frame[results.frame["metric"] == "accuracy"].iloc[0].to_dict()
    rng = np.random.default_rng(0)
    lines = [
        {**line, "row": f"r{row}", "seed": seed, "metric": f"m{metric}", "value": rng.normal(50)}
        for row in range(50) for metric in range(10) for seed in range(6)
    ]
    many = replace(results, frame=pd.DataFrame(lines))
    metrics = [("vqa", f"m{metric}") for metric in range(10)]
    compare_with(many, "r0", metrics)
    begun = time.process_time()
    found = compare_with(many, "r0", metrics)
    assert len(found) == 490 and time.process_time() - begun < 1


def test_picking_the_best_counts_as_comparing_all_pairs(filled):
    results = load(filled.folder)
    found = compare_with_best(results, [VQA, CIDER])
    assert len(found) == 4 and family_size(found) == 6  # three pairs of three rows, in each of two metrics
    assert family_size(compare_with(results, "base", [VQA, CIDER])) == 4
    first = min(found, key=lambda one: one.p)
    assert first.corrected == pytest.approx(6 * first.p)


@pytest.mark.parametrize("rows", [3, 12])
def test_of_equal_rows_one_is_called_worse_as_seldom_as_alpha_says(grid, rows):
    """Among 2,000 tables of equal rows, at most 5 % (and noise) have a row that is called worse than the best."""
    for seed in range(2):
        for row in range(rows):
            grid.done(f"r{row}", seed, {"accuracy": 50.0 + row + seed * row})
    one = compare_with_best(load(grid.folder), [VQA])
    rng, wrong = np.random.default_rng(rows), 0
    for table in rng.normal(size=(2000, rows, 6)):
        best = table.mean(1).argmax()
        p = stats.ttest_1samp(np.delete(table, best, 0) - table[best], 0, axis=1).pvalue
        made = [replace(like, p=float(mine)) for like, mine in zip(one, p, strict=True)]
        wrong += any(mine.is_significant(0.05) for mine in corrected_together(made))
    assert wrong / 2000 <= 0.06


@pytest.mark.parametrize(("a_picture", "is_exact"), [(1, True), (2, False)])
def test_one_run_right_or_wrong_on_single_pictures_has_an_exact_p(another, a_picture, is_exact):
    """McNemar's test, by hand: of 30 pictures 8 are right in one alone, 1 in the other alone."""
    grid = another("exact")
    grid.tasks = ("vqa",)
    for row, right in {"a": [1] * 8 + [0] + [1] * 21, "b": [0] * 8 + [1] + [1] * 21}.items():
        rows = [
            {"question_id": at, "image_id": at // a_picture, "prediction": "x", "accuracy": float(one)}
            for at, one in enumerate(right)
        ]
        grid.done(row, 0, {"accuracy": 100 * sum(right) / 30}, predictions={"vqa": rows})
    (found,) = compare_with(load(grid.folder), "b", [VQA], "examples")
    assert ("McNemar" in found.method) is is_exact
    if is_exact:
        assert found.p == pytest.approx(2 * (1 + 9) / 2**9)
    assert found.difference == pytest.approx(100 * 7 / 30)
