"""Pairs are cells of equal seeds that were measured alike; everything else is told, never mixed in."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from vlpbench.results import load
from vlpbench.results.pairing import Measured, Score, measured, paired

ACCURACY = [("vqa", "accuracy")]
HOW = ("fine-tune", "digits", "test", "always", "20", "2")


def row(name: str, values: dict[int, float], how: tuple[str, ...] = HOW, head: str = "decoder") -> Measured:
    return Measured(name, False, {seed: Score(value, how, head) for seed, value in values.items()}, {})


def test_equal_seeds_make_pairs_and_the_others_are_named():
    pairs = paired(row("a", {0: 41.0, 1: 42.0, 3: 44.0}), row("b", {0: 40.0, 1: 43.0, 2: 50.0}))
    assert pairs.seeds == (0, 1) and pairs.differences.tolist() == [1.0, -1.0]
    assert pairs.notes == ("without a partner: seeds 2, 3",)


def test_rows_without_a_common_seed():
    pairs = paired(row("a", {0: 1.0}), row("b", {1: 1.0}))
    assert pairs.seeds == () and pairs.notes == ("a and b have no seed in common",)


@pytest.mark.parametrize(
    ("place", "other", "words"),
    [
        (1, "shapes", "data digits and shapes"), (2, "val", "split test and val"), (4, "500", "images 20 and 500"),
        (5, "1", "metrics version 2 and 1"), (3, "", "normalisation always and ?"),
    ],
)
def test_scores_measured_otherwise_are_no_pair(place: int, other: str, words: str):
    changed = (*HOW[:place], other, *HOW[place + 1 :])
    pairs = paired(row("a", {0: 1.0, 1: 2.0}), row("b", {0: 1.0, 1: 3.0}, changed))
    assert pairs.seeds == ()
    assert pairs.notes == (f"not measured alike ({words}): seeds 0, 1 not compared",)


def test_what_is_unknown_of_both_is_alike():
    how = ("digits", "test", "", "", "1", "fine-tune")  # of records that did not say it yet
    assert paired(row("a", {0: 1.0}, how), row("b", {0: 1.0}, how)).seeds == (0,)


def test_other_readouts_are_compared_and_told():
    pairs = paired(row("a", {0: 1.0}), row("b", {0: 1.0}, head="vectors"))
    assert pairs.seeds == (0,) and pairs.notes == ("readouts differ: decoder in a, vectors in b",)


def test_cells_that_failed_wait_or_have_no_value(grid):
    grid.done("a", 0, {"accuracy": 40.0, "CIDEr": None})
    grid.failed("a", 1, "out of memory")
    grid.plan("a", 2)
    grid.plan("b", 0, reason="n/a: needs decode")
    grid.done("a, blind", 0, {"accuracy": 30.0})
    grid.plan("c, blind", 0)  # there is no c
    found = measured(load(grid.folder), [*ACCURACY, ("captioning", "CIDEr"), ("vqa", "exact")])
    assert list(found) == [("small", "vqa", "accuracy")]  # nobody has any other
    rows = found["small", "vqa", "accuracy"]
    assert list(rows) == ["a", "b", "a, blind", "c, blind"]
    assert {seed: one.value for seed, one in rows["a"].scores.items()} == {0: 40.0} and rows["a"].mean == 40.0
    assert rows["a"].missing == {1: "failed", 2: "pending"}
    assert rows["b"].missing == {0: "n/a: needs decode"} and rows["b"].mean != rows["b"].mean
    assert [one.is_possible for one in rows.values()] == [True, False, True, True]
    assert not any(one.is_blind for one in rows.values())  # whatever a row is called, its record knows


def test_blind_rows_are_known_by_their_records_and_before_by_their_names(grid):
    grid.done("a", 0, {"accuracy": 40.0})
    grid.plan("a, blind", 0)
    grid.done("grey", 0, {"accuracy": 30.0}, settings={"blind": True})
    rows = measured(load(grid.folder), ACCURACY)["small", "vqa", "accuracy"]
    assert [one.is_blind for one in rows.values()] == [False, True, True]


def test_a_seed_that_two_cells_have_is_nobodys(grid):
    for seed in range(2):
        grid.done("a", seed, {"accuracy": 40.0})
    results = load(grid.folder)
    again = results.frame[results.frame["seed"] == 0].assign(cell="of another folder", value=41.0)
    twice = replace(results, frame=pd.concat([results.frame, again]))
    rows = measured(twice, ACCURACY)["small", "vqa", "accuracy"]
    assert list(rows["a"].scores) == [1] and rows["a"].missing == {0: "had by more than one cell"}


def test_failures_are_told_with_their_seeds(grid):
    for seed in range(3):
        grid.done("a", seed, {"accuracy": 40.0})
    grid.done("b", 0, {"accuracy": 40.0})
    grid.failed("b", 1, "out of memory")
    grid.failed("b", 2, "out of memory")
    rows = measured(load(grid.folder), ACCURACY)["small", "vqa", "accuracy"]
    assert "b: seeds 1, 2 failed" in paired(rows["b"], rows["a"]).notes
