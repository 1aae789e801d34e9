"""VQA by type: all types that the data set names, in few places or many."""

from __future__ import annotations

import pytest

from vlpbench.errors import UserError
from vlpbench.results.plots.questions import questions, why_no_questions
from vlpbench.results.plots.style import alternative

TYPES = {
    "accuracy": 50.0, "accuracy[kind=how many]": 20.0, "accuracy[answer_kind=yes/no]": 60.0,
    "accuracy[answer_kind=number]": 10.0, "accuracy[rule=2016]": 49.0,
}


def heads(figure):
    return [label.get_text().replace("\n", "") for label in figure.axes[0].get_xticklabels()]


def test_types_of_answers_then_of_questions(field, texts):
    for seed in range(3):
        field.done("a", seed, {"vqa": {name: value + seed for name, value in TYPES.items()}})
    figure = questions(field.read(), width="page")
    assert heads(figure) == ["number", "yes/no", "how many"]
    written = texts(figure)
    assert {"11.0", "61.0", "21.0", "±2.5"} <= set(written)
    assert alternative(figure).endswith("number: a 11.0; yes/no: a 61.0; how many: a 21.0")


def test_a_type_of_both_says_of_which(field):
    field.done("a", 0, {"vqa": {"accuracy[answer_type=other]": 1.0, "accuracy[question_type=other]": 2.0}})
    assert heads(questions(field.read())) == ["other (answer)", "other (question)"]


def test_many_types_stand_below_each_other(field):
    field.done("a", 0, {"vqa": {f"accuracy[question_type=what {at}]": float(at) for at in range(30)}})
    figure = questions(field.read())
    assert heads(figure) == ["a"]
    assert len(figure.axes[0].get_yticklabels()) == 30


def test_a_row_without_scores_says_why_once(field, grid, texts):
    field.done("a", 0, {"vqa": TYPES})
    grid.failed("b", 0, "out of memory")
    assert texts(questions(field.read())).count("failed") == 1


def test_no_types(vqa):
    results = vqa(["a"], 1)
    assert why_no_questions(results) == "no row has an accuracy by type of question or answer"
    with pytest.raises(UserError, match="no row has an accuracy by type"):
        questions(results)


def test_an_unknown_task(field):
    field.done("a", 0, {"vqa": TYPES})
    with pytest.raises(UserError, match="unknown task with types of questions 'captioning'"):
        questions(field.read(), task="captioning")
