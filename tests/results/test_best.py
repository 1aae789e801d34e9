"""The best rows of a metric, and those that nobody can call worse."""

from __future__ import annotations

import pytest

from vlpbench.results import load
from vlpbench.results.best import best_of, best_rows, not_worse
from vlpbench.results.comparisons import compare_with_best
from vlpbench.results.pairing import Measured, Score


def rows(better: str = "higher", /, **values: tuple[float, ...]) -> dict[str, Measured]:
    """Of each row the scores of seeds 0, 1, ...; one called `blind` is."""
    return {
        name: Measured(name, name == "blind", {seed: Score(x, (), "") for seed, x in enumerate(mine)}, {}, better)
        for name, mine in values.items()
    }


@pytest.mark.parametrize(("better", "names"), [("higher", ["b"]), ("lower", ["a"]), ("", [])])
def test_the_best_end_is_that_of_the_metric(better: str, names: list[str]):
    assert best_of(rows(better, a=(1.0, 2.0), b=(3.0, 2.0))) == names


def test_ties_rounding_and_rows_that_are_never_best():
    assert best_of(rows(a=(0.1, 0.2), b=(0.3, 0.0), c=(0.1, 0.19))) == ["a", "b"]  # 0.15000000000000002
    assert best_of(rows(blind=(9.0,), a=(1.0,), none=())) == ["a"]
    assert best_of(rows(none=())) == []


def test_bold_are_the_best_and_all_not_significantly_worse(grid):
    near = {0: (60.0, 59.0, 20.0), 1: (61.0, 62.5, 21.5), 2: (62.0, 60.5, 21.0), 3: (60.5, 60.0, 20.4)}
    for seed, scores in near.items():
        for name, score in zip(("top", "near", "far"), scores, strict=True):
            grid.done(name, seed, {"accuracy": score})
    grid.done("lone", 9, {"accuracy": 99.0})  # one run is not held against three of each other
    results, metrics = load(grid.folder), [("vqa", "accuracy")]
    best = best_rows(results, metrics)
    assert best == {("small", "vqa", "accuracy"): ["top"]}
    bold = not_worse(best, compare_with_best(results, metrics), 0.05)
    assert bold == {("small", "vqa", "accuracy"): {"top", "near"}}


def test_with_one_seed_the_best_alone_is_bold(grid):
    for name, score in {"a": 40.0, "b": 40.5, "c": 40.5}.items():
        grid.done(name, 0, {"accuracy": score})
    results, metrics = load(grid.folder), [("vqa", "accuracy")]
    bold = not_worse(best_rows(results, metrics), compare_with_best(results, metrics), 0.05)
    assert bold == {("small", "vqa", "accuracy"): {"b", "c"}}
