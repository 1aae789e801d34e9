"""Rows of questions hold all that it takes to score them again: scores, floors and ceilings are functions of rows."""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from vlpbench.data.errors import DataError
from vlpbench.data.splits import Split
from vlpbench.metrics.vqa_accuracy import RULES, normalise
from vlpbench.tasks.questions import (
    answer_scores,
    asked_of,
    floor_columns,
    question_columns,
    question_examples,
)
from vlpbench.tasks.suite import run_task
from vlpbench.tasks.trial import Trial
from vlpbench.types import Question, Sample

Made = Callable[..., Trial]
WORDS = ("two", "2", "red", "blue", "yes", "no")


def split_of(seed: int, many: int, answers: int, name: str = "train") -> Split:
    """Pictures with two questions each, answered by so many people."""
    chance = random.Random(seed)
    samples = []
    for number in range(many):
        asked = tuple(
            Question(10 * number + at, f"what {kind}?", tuple(chance.choices(WORDS, k=answers)), kind, "other")
            for at, kind in enumerate(("colour", "number"))
        )
        samples.append(Sample(number, f"{number}.png", (), asked))
    return Split("made", name, tuple(samples), np.zeros((many, 4, 4, 3), np.uint8), ())


def rows_of(split: Split, floors: list[dict[str, Any]] | None = None, seed: int = 0) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    asked = asked_of(split)
    more = floors or [{}] * len(asked)
    return [
        question_columns(split.samples[row], question) | {"prediction": chance.choice(WORDS)} | columns
        for (row, question), columns in zip(asked, more, strict=True)
    ]


def slow(given: list[str], said: str) -> float:
    """Leave-one-out accuracy of one answer, person by person."""
    spelt = [normalise(one) for one in given]
    per_person = []
    for left_out in range(len(spelt)):
        others = spelt[:left_out] + spelt[left_out + 1 :]
        per_person.append(min(1.0, others.count(normalise(said)) / 3))
    return sum(per_person) / len(per_person)


def test_scores_are_the_mean_of_the_rows() -> None:
    rows = rows_of(split_of(1, 20, 10))
    scores = answer_scores(rows)
    expected = [slow(row["answers"], row["prediction"]) for row in rows]
    assert scores.values["accuracy"] == pytest.approx(100 * sum(expected) / len(expected), abs=1e-9)
    assert [row["accuracy"] for row in rows] == pytest.approx(expected, abs=1e-9)
    assert {f"accuracy[rule={rule}]" for rule in RULES[1:]} <= set(scores.values)
    assert scores.examples == 40 and scores.told == {"normalisation": "always", "images": 20}
    assert scores.floors == {} and scores.ceilings == {}


def test_scores_are_a_function_of_rows_as_they_are_stored(trial: Made) -> None:
    """Rows written as JSON and read back, and rows that hold their scores already, give the very same scores."""
    outcome = run_task(trial("vqa"))
    stored = json.loads(json.dumps(outcome.rows))
    assert answer_scores(stored) == outcome.scores
    before = copy.deepcopy(stored)
    assert answer_scores(stored) == outcome.scores and stored == before


def test_other_predictions_are_other_scores() -> None:
    rows = rows_of(split_of(1, 20, 10))
    first = answer_scores(rows).values["accuracy"]
    for row in rows:
        row["prediction"] = Counter(map(normalise, row["answers"])).most_common(1)[0][0]
    assert answer_scores(rows).values["accuracy"] > first


@pytest.mark.parametrize("answers", [1, 10])
def test_floors_come_from_their_columns(trial: Made, answers: int) -> None:
    train, test = split_of(2, 15, answers), split_of(3, 12, answers, "test")
    made = trial("vqa", opener=lambda name, purpose: train)
    given = ("2", "red", "yes")
    questions = [question for _, question in asked_of(test)]
    columns = floor_columns(questions, given, made)
    rows = rows_of(test, columns)
    scores = answer_scores(rows)
    metric = {1: "exact_normalised", 10: "accuracy"}[answers]

    def share(said: list[str]) -> float:
        one = slow if answers > 1 else (lambda right, word: float(normalise(right[0]) == normalise(word)))
        return 100 * sum(one(row["answers"], word) for row, word in zip(rows, said, strict=True)) / len(rows)

    assert scores.floors["majority"][metric] == pytest.approx(share([row["majority"] for row in rows]), abs=1e-9)
    by_type = [row["majority_of_type"] for row in rows]
    assert scores.floors["majority of its question type"][metric] == pytest.approx(share(by_type), abs=1e-9)
    assert len({row["majority"] for row in rows}) == 1
    assert len({(row["question_type"], row["majority_of_type"]) for row in rows}) == 2
    drawn = [share([word] * len(rows)) for word in given]
    assert scores.floors["chance"][metric] == pytest.approx(sum(drawn) / len(drawn), abs=1e-9)
    best = [max(slow(row["answers"], word) if answers > 1 else normalise(row["answers"][0]) == word for word in given)
            for row in rows]
    assert scores.ceilings[metric] == pytest.approx(100 * sum(best) / len(best), abs=1e-9)


def test_a_question_that_no_answer_fits(trial: Made) -> None:
    made = trial("vqa", opener=lambda name, purpose: split_of(2, 5, 10))
    (column,) = floor_columns([Question(1, "what?", ("zebra",) * 10)], ("red", "blue"), made)
    assert column["best"] == "" and column["chance"] == 0


def test_how_a_question_was_asked_is_told() -> None:
    rows = [row | {"prompt": "question: {} answer:", "visible": "causal"} for row in rows_of(split_of(1, 3, 10))]
    told = answer_scores(rows).told
    assert told["prompt"] == "question: {} answer:" and told["visible"] == "causal"


def test_a_split_without_answers_is_told() -> None:
    hidden = Sample(1, questions=(Question(1, "what?"),))
    silent = Split("made", "test", (hidden,), np.zeros((1, 4, 4, 3), np.uint8), ())
    with pytest.raises(DataError, match="the test split of 'made' has no questions with answers"):
        asked_of(silent)


def test_examples_are_one_a_question(trial: Made) -> None:
    split = split_of(4, 3, 10)
    asked = asked_of(split)
    rows, texts = [row for row, _ in asked], [question.text for _, question in asked]
    found = question_examples(split, rows, texts, {"targets": np.eye(6)}, trial("vqa"))
    assert len(found) == 6 and found.image_rows.tolist() == [0, 0, 1, 1, 2, 2]
    assert found.caption_ids.tolist() == [0, 1, 0, 1, 0, 1] and found.many.tolist() == [1] * 6
    assert found.tokens.shape == found.mask.shape and found.fields["targets"].shape == (6, 6)
