"""Questions as examples and as rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from vlpbench.data.errors import DataError
from vlpbench.data.splits import Split
from vlpbench.metrics.vqa_accuracy import soft_targets
from vlpbench.tasks.questions import (
    answer_scores,
    asked_of,
    floor_columns,
    question_columns,
    question_examples,
)
from vlpbench.tasks.trial import Trial
from vlpbench.types import Question, Sample

Made = Callable[..., Trial]
WOOD = Question(7, "which wood", ("oak", "oak", "ash"), "which", "other")
MANY = Question(9, "how many", ("2", "2", "3"), "how many", "number")


def split_of(*samples: tuple[Question, ...]) -> Split:
    """A split with a picture for each tuple of questions."""
    made = tuple(Sample(10 + at, f"{at}.png", (), questions) for at, questions in enumerate(samples))
    return Split("made", "train", made, np.zeros((len(made), 4, 4, 3), np.uint8), ())


def test_questions_without_answers_are_left_out() -> None:
    assert asked_of(split_of((WOOD, Question(8, "why")), (), (MANY,))) == [(0, WOOD), (2, MANY)]
    with pytest.raises(DataError, match="no questions with answers"):
        asked_of(split_of((Question(8, "why"),)))


def test_an_example_is_a_question_with_its_picture(trial: Made) -> None:
    made, split = trial("vqa"), split_of((WOOD,), (MANY, WOOD))
    worth = np.array([[1.0], [2.0], [3.0]])
    texts = ["which wood", "how many", "which wood"]
    examples = question_examples(split, [0, 1, 1], texts, {"worth": worth}, made)
    assert len(examples) == 3 and examples.fields["worth"] is worth
    assert examples.image_rows.tolist() == [0, 1, 1] and examples.image_ids.tolist() == [10, 11, 11]
    assert [made.tokenizer.decode(tokens) for tokens in examples.tokens] == texts
    assert examples.caption_ids.tolist() == [0, 1, 0] and examples.many.tolist() == [1, 1, 1]
    assert examples.tokens.shape[1] == made.tokenizer.lengths(texts).max(), "nothing is padded in vain"


def rows_of(split: Split, answers: list[str], made: Trial, **way: str) -> list[dict[str, Any]]:
    asked = asked_of(split)
    floors = floor_columns([question for _, question in asked], answers, made)
    return [
        {**question_columns(split.samples[row], question), "prediction": "oak", **floor, **way}
        for (row, question), floor in zip(asked, floors, strict=True)
    ]


def test_floors_are_columns(trial: Made) -> None:
    taught = split_of((WOOD, MANY), (MANY,))
    made = trial("vqa", opener=lambda name, purpose: taught)
    first, second = rows_of(split_of((WOOD,), (MANY,)), ["oak", "2", "elm"], made)
    assert (first["majority"], first["majority_of_type"], first["best"]) == ("2", "oak", "oak")
    assert (second["majority"], second["majority_of_type"], second["best"]) == ("2", "2", "2")
    assert first["chance"] == pytest.approx(soft_targets(WOOD.answers)["oak"] / 3)


def test_scores_tell_how_questions_were_asked_where_rows_say_it(trial: Made) -> None:
    made = trial("vqa", opener=lambda name, purpose: split_of((WOOD, MANY)))
    plain = answer_scores(rows_of(split_of((WOOD,)), ["oak"], made))
    assert plain.told == {"normalisation": "always", "images": 1}
    told = answer_scores(rows_of(split_of((WOOD,)), ["oak"], made, prompt="{question}", visible="all")).told
    assert told == {"normalisation": "always", "images": 1, "prompt": "{question}", "visible": "all"}
