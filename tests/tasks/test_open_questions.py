"""Open questions: the answers that can be given, and rows that two forms share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from vlpbench.data.errors import DataError
from vlpbench.data.splits import Split
from vlpbench.tasks.answer_ranking import AnswerRanking
from vlpbench.tasks.fine_tuning import ready
from vlpbench.tasks.open_questions import OpenQuestions, answer_vocabulary
from vlpbench.tasks.trial import Trial
from vlpbench.tasks.vqa import Vqa
from vlpbench.types import Question, Sample

Made = Callable[..., Trial]


def asked(*answers: tuple[str, ...]) -> Split:
    """A split of one sample with these answers to its questions."""
    questions = tuple(Question(number, "what", given, kind="what") for number, given in enumerate(answers))
    return Split("made", "train", (Sample(1, "a.png", (), questions),), np.zeros((1, 4, 4, 3), np.uint8), ())


def test_frequent_answers_come_first_and_the_alphabet_breaks_ties() -> None:
    split = asked(("zebra",), ("cat",), ("cat",), ("ant",), ("dog",), ("dog",))
    assert answer_vocabulary(split, 10) == ("cat", "dog", "ant", "zebra")
    assert answer_vocabulary(split, 3) == ("cat", "dog", "ant")
    assert answer_vocabulary(split, 1) == ("cat",)


def test_an_answer_counts_once_a_question_however_many_gave_it() -> None:
    split = asked(("loud",) * 9 + ("rare",), ("rare",) * 2 + ("other",) * 8)
    assert answer_vocabulary(split, 3) == ("rare", "loud", "other")


def test_answers_are_counted_as_they_are_compared() -> None:
    assert answer_vocabulary(asked(("Two",), ("2.",), ("the 2",), ("three",)), 5) == ("2", "3")


def test_a_split_without_answers_is_told() -> None:
    with pytest.raises(DataError, match="train split of 'made' has no questions with answers") as caught:
        answer_vocabulary(asked((), ()), 3)
    assert "[protocol.vqa]" in caught.value.remedy


@pytest.mark.parametrize(("task", "name"), [(Vqa(), "vqa"), (AnswerRanking(), "vqa@ranking")])
def test_both_forms_are_asked_the_same_and_tell_the_same_floors(
    trial: Made, opened: Callable[..., Split], task: OpenQuestions, name: str
) -> None:
    made, split = trial(name), opened("test")
    few = dataclasses.replace(split, samples=split.samples[:2])
    rows = task.predict(*_model(task, made), few, made)
    assert [row["question_id"] for row in rows] == [q.id for sample in few.samples for q in sample.questions]
    other = Vqa().predict(*_model(Vqa(), trial("vqa")), few, trial("vqa"))
    told = ("question", "answers", "majority", "majority_of_type", "best", "chance")
    assert [[row[key] for key in told] for row in rows] == [[row[key] for key in told] for row in other]
    assert ("prompt" in rows[0]) is (name == "vqa@ranking")


def _model(task: OpenQuestions, made: Trial) -> tuple:  # type: ignore[type-arg]
    one = ready(task, made)
    return one.backbone, one.readout
