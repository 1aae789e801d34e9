"""Questions with choices as rows, and scores that anybody can add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from vlpbench.data.errors import DataError
from vlpbench.data.splits import Split
from vlpbench.errors import UserError
from vlpbench.metrics.choices import choice_scores
from vlpbench.tasks.choice_questions import (
    PER_TOKEN,
    Choice,
    choice_row_scores,
    choice_rows,
    choices_of,
    filled,
)
from vlpbench.tasks.trial import Trial
from vlpbench.types import Question, Sample

Opened = Callable[..., Split]


def made(*asked: tuple[tuple[str, ...], str], name: str = "train") -> Split:
    """A split of one picture with a question for each (choices, right one)."""
    questions = tuple(
        Question(at, "what", ("x",), "what" if at % 2 else "who", choices=choices)
        for at, (choices, _) in enumerate(asked)
    )
    right = {at: right for at, (_, right) in enumerate(asked) if right}
    sample = Sample(1, "a.png", (), questions, {"right_choice": right} if right else {})
    return Split("made", name, (sample,), np.zeros((1, 4, 4, 3), np.uint8), ())


def test_only_questions_with_choices_and_a_right_one_are_asked(chosen: Opened, opened: Opened) -> None:
    split, world = chosen("test"), opened("test")
    asked = choices_of(split)
    questions = [q for sample in world.samples for q in sample.questions]
    assert [one.question.id for one in asked] == [q.id for q in questions][:-1]
    for one, question in zip(asked, questions, strict=False):
        assert one.right in one.question.choices and one.right == f"{question.answers[0].capitalize()}."
        assert question in world.samples[one.row].questions
    assert [one.question.id for one in choices_of(made((("a", "b"), "a"), (("a", "b"), "")))] == [0]


def test_a_split_without_choices_is_told(opened: Opened) -> None:
    with pytest.raises(DataError, match="test split of 'digits' has no questions with choices") as caught:
        choices_of(opened("test"))
    assert "multiple_choices" in caught.value.remedy and "[protocol.vqa]" in caught.value.remedy


def test_fewer_choices_are_filled_up() -> None:
    asked = choices_of(made((("a", "b", "c"), "a"), (("d",), "d")))
    texts, there = filled(asked)
    assert texts == ["a", "b", "c", "d", "", ""]
    assert there.tolist() == [[True, True, True], [True, False, False]]


def test_rows_and_scores(trial: Callable[..., Trial]) -> None:
    taught = made((("b", "a"), "b"), (("c", "b"), "b"), (("a", "b"), "a"))
    split = made((("a", "b"), "b"), (("c", "a", "b"), "a"), (("d", "c"), "d"), (("d", "c"), "c"), name="test")
    asked = choices_of(split)
    one = trial("vqa@choices", opener=lambda name, purpose: taught)
    scores = [[-2.0, -1.0], [-1.0, -3.0, -2.0], [-1.0, -1.0], [0.0, -1.0]]
    rows = choice_rows(split, asked, scores, {"prompt": "p"}, one)
    assert [row["prediction"] for row in rows] == ["b", "c", "d", "d"], "of equals, the first"
    assert [row["majority"] for row in rows] == ["b", "b", "d", "d"], "b was right twice, a once"
    found = choice_row_scores(rows)
    assert found.values == {
        "multiple_choice": 50.0, "multiple_choice[kind=what]": 0.0, "multiple_choice[kind=who]": 100.0,
    }
    assert [row["multiple_choice"] for row in rows] == [1.0, 0.0, 1.0, 0.0]
    assert found.floors["chance"] == {"multiple_choice": pytest.approx(100 * (1 / 2 + 1 / 3 + 1 / 2 + 1 / 2) / 4)}
    assert found.floors["majority"] == {"multiple_choice": 50.0}
    assert (found.examples, found.told) == (4, {"images": 1, "prompt": "p"})


def test_the_mean_over_tokens_is_scored_beside_the_sum() -> None:
    row = {
        "question_id": 1, "image_id": 1, "question": "what", "question_type": "", "answer_type": "other",
        "answers": ["x"], "choices": ["a", "a long one"], "right_choice": "a long one", "prediction": "a",
        "scores": [-2.0, -3.0], "tokens": [1, 3],
    }
    values = choice_row_scores([row]).values
    assert values["multiple_choice"] == 0.0 and values[PER_TOKEN] == 100.0
    del row["tokens"]
    assert PER_TOKEN not in choice_row_scores([row]).values


def test_scores_need_rows_alone(chosen: Opened, trial: Callable[..., Trial]) -> None:
    """And are those of the metric on the questions themselves."""
    split = chosen("test")
    asked = choices_of(split)
    rng = np.random.default_rng(0)
    scores = [rng.random(len(one.question.choices)).tolist() for one in asked]
    rows = choice_rows(split, asked, scores, {}, trial("vqa@choices", opener=lambda name, purpose: chosen(name)))
    found = choice_row_scores([dict(row) for row in rows])
    expected = choice_scores(
        {row["question_id"]: row["prediction"] for row in rows},
        {one.question.id: one.question for one in asked},
        {one.question.id: one.right for one in asked},
    )
    assert found.values["multiple_choice"] == expected.overall
    assert found.floors["chance"]["multiple_choice"] == expected.chance
    seen = Counter(one.right for one in choices_of(chosen("train", "train")))
    most = [max(one.question.choices, key=lambda choice: seen[choice]) == one.right for one in asked]
    assert found.floors["majority"]["multiple_choice"] == pytest.approx(100 * np.mean(most))


def test_a_right_choice_that_is_none_is_told() -> None:
    row = {
        "question_id": 1, "image_id": 1, "question": "what", "question_type": "", "answer_type": "other",
        "answers": ["x"], "choices": ["a", "b"], "right_choice": "c", "prediction": "a", "scores": [0.0, -1.0],
    }
    with pytest.raises(UserError, match="not among their choices"):
        choice_row_scores([row])
    assert Choice(0, Question(1, "what"), "c").right == "c"
