"""Multiple choice: what is right, what chance gives, what always picking the commonest choice gives."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from vlpbench.errors import UserError
from vlpbench.metrics.choices import choice_scores, commonest_choice
from vlpbench.types import Question


def ask(key: int, choices: list[str], kind: str = "") -> Question:
    return Question(key, "?", ("right",), kind, "other", tuple(choices))


QUESTIONS = {
    5: ask(5, ["Day.", "Night.", "Noon.", "Never."], "when"),
    2: ask(2, ["A man.", "A dog."], "who"),
    3: ask(3, ["Day.", "At home."], ""),
    4: ask(4, ["A cat.", "A dog."], "who"),
}
RIGHT = {2: "A dog.", 3: "At home.", 4: "A cat.", 5: "Day."}


def test_a_choice_is_right_as_written() -> None:
    found = choice_scores({2: "A dog.", 3: "at home.", 4: "A dog.", 5: "Day."}, QUESTIONS, RIGHT)
    assert found.overall == 50
    assert found.per_question == {5: 1.0, 2: 1.0, 3: 0.0, 4: 0.0} and list(found.per_question) == [5, 2, 3, 4]
    assert found.per_question_type == {"when": 100, "who": 50} and list(found.per_question_type) == ["when", "who"]
    assert found.questions == 4 and found.outside == 1


def test_chance_is_one_of_the_choices() -> None:
    found = choice_scores(RIGHT, QUESTIONS, RIGHT)
    assert found.overall == 100 and found.outside == 0
    assert found.chance == pytest.approx(100 * (1 / 4 + 3 / 2) / 4)
    twice = {1: ask(1, ["a", "a", "b", "c"])}
    assert choice_scores({1: "b"}, twice, {1: "a"}).chance == 50


def test_the_commonest_choice_is_the_one_most_often_right_in_training() -> None:
    seen = ["A dog."] * 3 + ["A man."] * 2 + ["Night."]
    assert commonest_choice(QUESTIONS, seen) == {5: "Night.", 2: "A dog.", 3: "Day.", 4: "A dog."}
    tied = {1: ask(1, ["b", "a", "c"]), 2: ask(2, ["x", "a", "b"])}
    assert commonest_choice(tied, ["a", "b"]) == {1: "b", 2: "a"}
    with pytest.raises(UserError, match="no training question"):
        commonest_choice(tied, [])


def test_the_floor_of_a_real_set() -> None:
    if "VLPBENCH_DATA" not in os.environ:
        pytest.skip("VLPBENCH_DATA names no folder of data sets")
    folder = Path(os.environ["VLPBENCH_DATA"]) / "visual7w-mini"
    if not folder.is_dir():
        pytest.skip("visual7w-mini is not in VLPBENCH_DATA")

    def read(name: str) -> list[dict[str, object]]:
        document = json.loads((folder / f"{name}.json").read_text())
        return document["questions" if "questions" in document else "annotations"]

    seen = [row["multiple_choice_answer"] for row in read("annotations_train")]
    rows = {row["question_id"]: row for row in read("annotations_test")}
    questions = {
        row["question_id"]: ask(row["question_id"], row["multiple_choices"], rows[row["question_id"]]["question_type"])
        for row in read("questions_test")
    }
    right = {key: row["multiple_choice_answer"] for key, row in rows.items()}
    found = choice_scores(commonest_choice(questions, seen), questions, right)
    assert found.overall == pytest.approx(46.9, abs=0.05) and found.chance == 25
    assert found.questions == 503 and found.outside == 0
    assert set(found.per_question_type) == {"when", "where", "who"}


@pytest.mark.parametrize(
    ("predictions", "right", "said"),
    [
        ({2: "A dog."}, RIGHT, "the predictions .*3 missing: 3, 4, 5"),
        ({**RIGHT, 9: "x"}, RIGHT, "1 extra: 9"),
        ({**RIGHT, 2: 0}, RIGHT, "question 2 is 0, not a string"),
        (RIGHT, {2: "A dog."}, "the right choices .*3 missing: 3, 4, 5"),
        (RIGHT, {**RIGHT, 5: "day", 2: "a dog"}, "right choice of 2 questions is not among their choices: 2, 5"),
    ],
)
def test_what_cannot_be_scored(predictions: dict[int, str], right: dict[int, str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        choice_scores(predictions, QUESTIONS, right)


def test_questions_without_choices_are_named() -> None:
    questions = {**QUESTIONS, 7: ask(7, [])}
    with pytest.raises(UserError, match="1 questions have no choices: 7"):
        choice_scores({**RIGHT, 7: "a"}, questions, {**RIGHT, 7: "a"})
    with pytest.raises(UserError, match="1 questions have no choices: 7"):
        commonest_choice(questions, ["a"])
