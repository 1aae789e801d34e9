"""The floor of a VQA table: the constant answer that is worth most."""

from __future__ import annotations

import itertools
import json
import os
import random
from pathlib import Path

import pytest

from vlpbench.errors import UserError
from vlpbench.metrics.vqa_accuracy import vqa_scores
from vlpbench.metrics.vqa_floors import majority
from vlpbench.metrics.vqa_rules import soft_score
from vlpbench.metrics.vqa_vocabulary import ceiling
from vlpbench.types import Question


def ask(key: int, answers: list[str], kind: str = "what", answer_kind: str = "other") -> Question:
    return Question(key, "?", tuple(answers), kind, answer_kind)


def test_majority_is_the_constant_answer_that_scores_most() -> None:
    rng = random.Random(1)
    words = ["yes", "no", "2", "red"]
    questions = [ask(i, rng.choices(words, [5, 4, 2, 1], k=10), rng.choice(["is", "how"])) for i in range(60)]
    found = majority(questions)

    def worth(answer: str, group: list[Question]) -> float:
        return sum(soft_score(answer, question.answers) for question in group)

    assert worth(found.answer, questions) == pytest.approx(max(worth(word, questions) for word in words))
    for kind in ("is", "how"):
        group = [question for question in questions if question.kind == kind]
        assert worth(found.by_kind[kind], group) == pytest.approx(max(worth(word, group) for word in words))


def test_majority_answers_in_the_commonest_spelling_and_falls_back() -> None:
    train = [ask(1, ["The dog."], "who"), ask(2, ["the dog"], "who"), ask(3, ["the dog"], "who")]
    train.append(ask(4, ["x"], "where"))
    found = majority(train)
    assert found.answer == "the dog" and found.by_kind == {"who": "the dog", "where": "x"}
    new = [ask(7, ["?"], "where"), ask(8, ["?"], "when")]
    assert found.predictions(new) == {7: "the dog", 8: "the dog"}
    assert found.predictions(new, per_kind=True) == {7: "x", 8: "the dog"}
    assert majority([ask(1, ["b"]), ask(2, ["a"])]).answer == "a"
    with pytest.raises(UserError, match="no training question"):
        majority([])


def test_training_questions_without_answers_are_named() -> None:
    with pytest.raises(UserError, match="question 2 has no list of answers"):
        majority([ask(1, ["a"]), ask(2, [])])


def test_published_floors_of_a_real_set() -> None:
    if "VLPBENCH_DATA" not in os.environ:
        pytest.skip("VLPBENCH_DATA names no folder of data sets")
    folder = Path(os.environ["VLPBENCH_DATA"]) / "visual7w-mini"
    if not folder.is_dir():
        pytest.skip("visual7w-mini is not in VLPBENCH_DATA")

    def read(split: str) -> dict[int, Question]:
        rows = json.loads((folder / f"annotations_{split}.json").read_text())["annotations"]
        return {r["question_id"]: ask(r["question_id"], [r["answers"][0]["answer"]], r["question_type"]) for r in rows}

    train, test = read("train"), read("test")
    floor = majority(train.values())
    assert floor.answer == "during the day"
    assert vqa_scores(floor.predictions(test.values()), test)["exact"] == pytest.approx(6.2, abs=0.05)
    assert vqa_scores(floor.predictions(test.values(), per_kind=True), test)["exact"] == pytest.approx(10.3, abs=0.05)
    words = set(itertools.chain.from_iterable(question.answers for question in train.values()))
    given = [question.answers for question in test.values()]
    assert ceiling(given, words, normalised=False) == pytest.approx(55, abs=1)
