"""Where curves part, which scores and predictions differ."""

from __future__ import annotations

import math

import pytest

from vlpbench.records import CellFolder
from vlpbench.results.difference_curves import courses
from vlpbench.results.difference_outcome import Outcome, outcome
from vlpbench.results.difference_records import Side


def row(step: int, loss: float, stage: str = "pretrain", **more: float) -> dict[str, object]:
    return {"stage": stage, "step": step, "loss": loss, **more}


@pytest.fixture
def came_out(record):
    def compare(of_b, of_a=None) -> Outcome:
        a, b = record("one", "x", 0, "aa", of_a), record("two", "x", 0, "bb", of_b)
        found = outcome(Side(a, {}), Side(b, {}))
        assert found is not None
        return found

    return compare


def test_curves_that_are_equal():
    (found,) = courses([row(0, 2.0), row(5, 1.0)], [row(0, 2.0), row(5, 1.0)])
    assert found.is_equal and found.equal_to == 5 and found.steps == (2, 2)


def test_the_first_step_that_differs_and_what_differs_in_it():
    (found,) = courses(
        [row(0, 2.0), row(120, 1.5), row(127, 1.0, z=1.0)], [row(0, 2.0), row(120, 1.5), row(127, 1.25, z=2.0)]
    )
    assert (found.equal_to, found.parts_at, found.is_equal) == (120, 127, False)
    assert list((found.figures or {}).items()) == [("loss", (1.0, 1.25)), ("z", (1.0, 2.0))]
    assert found.loss is None


def test_where_the_rate_parts_first_the_losses_step_is_told_too():
    (found,) = courses(
        [row(0, 2.0, lr=0.1), row(1, 2.0, lr=0.1), row(2, 1.0)], [row(0, 2.0, lr=0.2), row(1, 2.0, lr=0.2), row(2, 1.5)]
    )
    assert (found.equal_to, found.parts_at, found.loss) == (None, 0, (2, 1.0, 1.5))
    assert found.figures == {"lr": (0.1, 0.2)}


def test_a_curve_that_ends_early_and_one_that_is_not_there():
    short, alone = courses([row(0, 2.0)], [row(0, 2.0), row(5, 1.0), row(0, 1.0, "vqa")])
    assert (short.equal_to, short.parts_at, short.is_equal) == (0, None, False)
    assert (alone.stage, alone.steps, alone.is_equal) == ("vqa", (0, 1), False)


def test_scores_that_differ_are_listed(came_out):
    found = came_out({"values/accuracy": 41.0})
    assert [(one.name, one.a, one.b) for one in found.scores] == [("vqa.accuracy", 40.0, 41.0)]
    assert found.compared == 2 and not found.is_equal


def test_a_score_that_one_lacks_has_its_reason(came_out):
    found = came_out({"values/accuracy": None, "reasons": {"accuracy": "no Java"}})
    assert [(one.b, one.reason) for one in found.scores] == [(None, "no Java")]
    gone = came_out({"values": {"accuracy": 40.0}})
    assert [(one.name, one.reason) for one in gone.scores] == [("vqa.accuracy[kind=where]", "not measured in B")]


def test_a_score_that_neither_has_is_equal(came_out):
    lacking = {"values/accuracy": None, "reasons": {"accuracy": "no Java"}}
    assert came_out({**lacking, "reasons": {"accuracy": "no jar"}}, lacking).is_equal


def test_predictions_tell_how_many_differ_and_the_first_whose_answer_does(came_out):
    (found,) = came_out({"rows/1/probability": 0.25, "rows/2/prediction": "no", "rows/3/prediction": "no"}).predictions
    assert (found.rows, found.differ, found.answers) == ((4, 4), 3, 2)
    assert found.first == {"question_id": 2} and found.columns == {"prediction": ("yes", "no")}


def test_predictions_in_another_order_and_of_other_columns_are_equal(came_out, record):
    rows = [{"question_id": at, "prediction": "yes", "new": 1} for at in (3, 1, 0, 2)]
    assert came_out({"rows": rows}).is_equal


def test_predictions_about_other_questions_are_told(came_out):
    rows = [{"question_id": at, "prediction": "yes"} for at in (0, 1)]
    (found,) = came_out({"rows": rows}).predictions
    assert not found.is_equal and found.differ == 0 and found.unread == "2 rows are about the same, and equal"


def test_what_is_no_number_equals_itself(came_out, record):
    rows = [{"question_id": 0, "prediction": "yes", "probability": math.nan, "rank": None}]
    assert came_out({"rows": rows}, {"rows": rows}).is_equal
    other = came_out({"rows": [{**rows[0], "probability": 0.5}]}, {"rows": rows})
    assert other.plain()["predictions"][0]["columns"]["probability"] == ["nan", 0.5]


def test_a_task_of_one_alone_stands_beside_and_is_no_difference(record):
    a, b = record("one", "x", 0, "aa"), CellFolder(record("two", "x", 0, "bb"))
    scores = b.read("scores.json")
    scores["tasks"]["captioning@zero-shot"] = {"values": {"CIDEr": 1.0}, "reasons": {}}
    scores.pop("schema")
    b.score_again(scores, {"captioning@zero-shot": [{"image_id": 1, "prediction": "a"}]})
    found = outcome(Side(a, {}), Side(b.path, {}))
    assert found is not None and found.only == {"captioning@zero-shot": "B"}
    assert found.is_equal and [one.task for one in found.predictions] == ["vqa"]


def test_without_numbers_nothing_comes_out(record):
    a, b = record("one", "x", 0, "aa"), CellFolder(record("two", "x", 0, "bb"))
    b.fail("why", {}, {})
    assert outcome(Side(a, {}), Side(b.path, {})) is None
