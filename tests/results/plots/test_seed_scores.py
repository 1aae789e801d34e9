"""Rows in the grid's order with mean and interval; what has none says why."""

from __future__ import annotations

import pytest

from vlpbench.errors import UserError
from vlpbench.results.frame import load
from vlpbench.results.plots.seed_scores import floor_scores, row_scores, scored_tasks, subject


def test_mean_and_t_interval(vqa):
    first, second = row_scores(vqa(["b", "a"]), "vqa", "accuracy")
    assert (first.name, second.name) == ("b", "a")
    assert first.scores == (40.0, 40.5, 41.0)
    assert first.mean == pytest.approx(40.5)
    assert first.high - first.mean == pytest.approx(4.302653 * 0.5 / 3**0.5, abs=1e-5)
    assert first.mean - first.low == pytest.approx(first.high - first.mean)
    assert first.title == "b"


def test_caption_scores_have_the_scale_of_print(field):
    field.done("a", 0, {"captioning": {"CIDEr": 1.25, "rest": 1.0}})
    results = field.read()
    assert row_scores(results, "captioning", "CIDEr")[0].mean == pytest.approx(125)
    assert row_scores(results, "captioning", "rest")[0].mean == pytest.approx(1)


def test_what_is_missing_says_why(field, grid):
    field.reference = "some"
    field.done("some", 0, {"vqa": {"accuracy": 30.0}})
    grid.failed("some", 1, "out of memory")
    grid.failed("none", 0, "out of memory")
    grid.plan("later", 0)
    grid.plan("never", 0, "n/a: needs decode")
    field.done("blind", 0, {"vqa": {"accuracy": 10.0}}, settings={"blind": True})
    rows = {row.name: row for row in row_scores(field.read(), "vqa", "accuracy")}
    assert rows["some"].title == "some (n=1/2)"
    assert rows["some"].low != rows["some"].low  # one seed has no interval
    assert rows["some"].is_reference and not rows["blind"].is_reference
    assert rows["blind"].is_blind and not rows["some"].is_blind
    assert {name: row.instead for name, row in rows.items()} == {
        "some": "", "none": "failed", "later": "pending", "never": "n/a: needs decode", "blind": "",
    }


def test_the_first_task_and_its_usual_metric(field):
    field.done("a", 0, {"captioning": {"Bleu_4": 0.2, "CIDEr": 1.0}, "vqa": {"exact": 1.0, "accuracy": 9.0}})
    results = field.read()
    assert scored_tasks(results) == {"captioning": "CIDEr", "vqa": "accuracy"}
    assert subject(results, "", "") == ("captioning", "CIDEr")
    assert subject(results, "", "exact") == ("vqa", "exact")
    assert subject(results, "vqa", "") == ("vqa", "accuracy")


@pytest.mark.parametrize(
    ("task", "metric", "words"),
    [("vqaa", "", "unknown task 'vqaa'"), ("vqa", "acuracy", "unknown metric of vqa 'acuracy'")],
)
def test_what_there_is_not(task, metric, words, vqa):
    with pytest.raises(UserError, match=words) as error:
        subject(vqa(["a"]), task, metric)
    assert "did you mean" in error.value.remedy


def test_nothing_is_scored_yet(grid):
    grid.plan("a", 0)
    with pytest.raises(UserError, match="no cell has a score yet"):
        subject(load(grid.folder), "", "")


def test_floors_where_grids_agree(vqa):
    assert floor_scores(vqa(["a"]), "vqa", "accuracy") == {"chance": 38.0, "majority": 2.0}
    assert floor_scores(vqa(["a"]), "vqa", "exact") == {}


def test_two_grids_are_told_apart(field, vqa, another):
    first = vqa(["a"])
    other = another("other")
    other.done("a", 0, {"accuracy": 5.0})
    both = load(*first.folders, other.folder)
    assert [row.name for row in row_scores(both, "vqa", "accuracy")] == ["small: a", "other: a"]
