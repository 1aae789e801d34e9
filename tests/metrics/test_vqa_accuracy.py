"""VQA accuracy against its definition, against what other codebases were seen to give, and on bad input."""

from __future__ import annotations

import copy
import itertools
import json
import os
import random
from pathlib import Path

import pytest

from vlpbench.errors import UserError
from vlpbench.metrics.vqa_accuracy import (
    RULES,
    Rule,
    ceiling,
    exact,
    example_scores,
    majority,
    normalise,
    soft_score,
    soft_targets,
    vqa_scores,
)
from vlpbench.types import Question


def by_definition(prediction: str, answers: list[str]) -> float:
    """Leave each person out in turn, and see how many of the others agree."""
    scores = []
    for left_out in range(len(answers)):
        others = answers[:left_out] + answers[left_out + 1 :]
        scores.append(min(1.0, sum(normalise(answer) == normalise(prediction) for answer in others) / 3))
    return sum(scores) / len(scores)


def ask(key: int, answers: list[str], kind: str = "what", answer_kind: str = "other") -> Question:
    return Question(key, "?", tuple(answers), kind, answer_kind)


@pytest.mark.parametrize(("matches", "score"), [(0, 0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1), (5, 1), (10, 1)])
def test_the_table_of_ten_answers(matches: int, score: float) -> None:
    answers = ["dog"] * matches + [f"x{i}" for i in range(10 - matches)]
    assert soft_score("dog", answers) == score
    assert soft_targets(answers).get("dog", 0) == score


@pytest.mark.parametrize("people", range(2, 13))
def test_the_closed_form_is_the_definition(people: int) -> None:
    for matches in range(people + 1):
        answers = ["dog"] * matches + ["cat"] * (people - matches)
        assert soft_score("Dog.", answers) == pytest.approx(by_definition("dog", answers), abs=1e-15)
        for answer, score in soft_targets(answers).items():
            assert score == soft_score(answer, answers)


# What the official evaluator (2021) and LAVIS (2016) were seen to give, and `always`.
SEEN = [
    ("Yes", ["yes"] * 10, 0, 1, 1),
    ("the dog", ["the dog"] * 10, 1, 0, 1),
    ("dog", ["the dog"] * 10, 0, 0, 1),
    ("2", ["two"] * 10, 0, 0, 1),
    ("the dog", ["the dog"] * 9 + ["a cat"], 1, 0, 1),
    ("2", ["two"] * 9 + ["3"], 1, 0, 1),
    ("Black.", ["black"] * 10, 0, 1, 1),
    ("none", ["0"] * 9 + ["1"], 1, 1, 1),
    ("t-shirt", ["t shirt"] * 5 + ["t-shirt"] * 5, 1, 1, 1),
]


@pytest.mark.parametrize(("prediction", "answers", "in_2021", "in_2016", "always"), SEEN)
def test_three_rules(prediction: str, answers: list[str], in_2021: float, in_2016: float, always: float) -> None:
    found = {rule: soft_score(prediction, answers, rule) for rule in RULES}
    assert found == {"always": always, "2016": in_2016, "2021": in_2021}


def test_a_rule_that_is_not_one() -> None:
    wrong: Rule = "allways"  # type: ignore[assignment]
    with pytest.raises(UserError, match="did you mean 'always'"):
        soft_score("a", ["a", "b"], wrong)
    with pytest.raises(UserError, match="did you mean 'always'"):
        vqa_scores({1: "a"}, {1: ask(1, ["x"])}, wrong)


@pytest.mark.parametrize("answers", [[], ["dog"], "dog"])
def test_leave_one_out_needs_two_people(answers: list[str]) -> None:
    with pytest.raises(ValueError, match="two or more"):
        soft_score("dog", answers)


def test_normalising_twice_changes_nothing_but_a_row_of_dots() -> None:
    for raw in ["The U.S.A., two dogs!", "dont", "1,000 a-b", "None", "somebody'd", "a - b", "couldnt've"]:
        assert normalise(normalise(raw)) == normalise(raw)
    assert normalise("." * 40) == "." * 8


def test_one_answer() -> None:
    assert exact("The dog.", "the dog", normalised=True) == 1.0
    assert exact("The dog.", "the dog", normalised=False) == 0.0
    assert soft_targets(["The dog."]) == {"dog": 1.0}


def test_whole_and_groups() -> None:
    ten = ["2"] * 8 + ["3"] * 2
    questions = {
        5: ask(5, ten, "how many", "number"),
        3: ask(3, ["yes"] * 10, "is the", "yes/no"),
        4: ask(4, ["no"] * 9 + ["yes"], "is the", "yes/no"),
        9: ask(9, ["dog"] * 10, ""),
    }
    predictions = {9: "cat", 3: "Yes", 4: "yes", 5: "three"}
    assert example_scores(predictions, questions) == {"accuracy": {5: 0.6, 3: 1.0, 4: 0.3, 9: 0.0}}
    assert vqa_scores(predictions, questions) == pytest.approx(
        {
            "accuracy": 47.5,
            "accuracy[answer_kind=number]": 60,
            "accuracy[answer_kind=other]": 0,
            "accuracy[answer_kind=yes/no]": 65,
            "accuracy[kind=how many]": 60,
            "accuracy[kind=is the]": 65,
        }
    )


def test_one_answer_a_question_gives_both_exact_scores() -> None:
    questions = {1: ask(1, ["in the road"], "where"), 2: ask(2, ["nobody"], "who")}
    found = vqa_scores({1: "In the road.", 2: " nobody "}, questions)
    assert found["exact"] == 50 and found["exact_normalised"] == 100
    assert found["exact[kind=where]"] == 0 and "accuracy" not in found


def test_scoring_twice_gives_the_same_and_touches_nothing() -> None:
    questions = {1: ask(1, ["The dog."] * 3 + ["a  Dog"] * 3 + ["two"] * 4)}
    predictions = {1: "Dog!"}
    before = copy.deepcopy((predictions, questions))
    first = [vqa_scores(predictions, questions, rule) for rule in RULES]
    assert [vqa_scores(predictions, questions, rule) for rule in RULES] == first
    assert (predictions, questions) == before


def test_permuted_predictions_keep_their_questions() -> None:
    rng = random.Random(0)
    questions = {i: ask(i, [rng.choice("abcd") for _ in range(10)]) for i in range(50)}
    predictions = {i: rng.choice("abcd") for i in questions}
    mixed = list(predictions)
    rng.shuffle(mixed)
    assert example_scores({i: predictions[i] for i in mixed}, questions) == example_scores(predictions, questions)
    assert len(example_scores(predictions, questions)["accuracy"]) == len(questions)


@pytest.mark.parametrize(
    ("predictions", "questions", "said"),
    [
        ({1: "a"}, {1: ask(1, ["a"] * 2), 2: ask(2, ["a"] * 2)}, "1 missing: 2"),
        ({1: "a", 2: "a"}, {1: ask(1, ["a"] * 2)}, "1 extra: 2"),
        ({1: "a", 2: "a"}, {1: ask(1, ["a"]), 2: ask(2, ["a"] * 2)}, "not of one kind"),
        ({1: "a"}, {1: ask(1, [])}, "question 1 has no list of answers"),
        ({1: 2}, {1: ask(1, ["2"])}, "not a string"),
        ({}, {}, "no question to score"),
    ],
)
def test_what_cannot_be_scored(predictions: dict[int, str], questions: dict[int, Question], said: str) -> None:
    with pytest.raises(UserError, match=said):
        vqa_scores(predictions, questions)


def test_ceiling_is_the_best_word_for_each_question() -> None:
    answers = [["red"] * 3 + ["blue"] * 7, ["two"] * 10, ["plaid"] * 10, ["none"] * 2 + ["x"] * 8]
    vocabulary = ["red", "2", "0"]
    slow = [max(by_definition(word, given) for word in vocabulary) for given in answers]
    assert ceiling(answers, vocabulary) == pytest.approx(100 * sum(slow) / 4)
    assert ceiling(answers, vocabulary) == pytest.approx(100 * (0.9 + 1 + 0 + 0.6) / 4)


def test_ceiling_of_single_answers_as_written() -> None:
    answers = [["The road"], ["a dog"], ["cat"]]
    assert ceiling(answers, {"road", "a dog"}) == pytest.approx(200 / 3)
    assert ceiling(answers, {"road", "a dog"}, normalised=False) == pytest.approx(100 / 3)
    with pytest.raises(ValueError, match="one"):
        ceiling([["a", "b"]], {"a"}, normalised=False)
    with pytest.raises(UserError, match="no question"):
        ceiling([], {"a"})
    with pytest.raises(UserError, match="no list of answers"):
        ceiling([[]], {"a"})


def test_majority_is_the_constant_answer_that_scores_most() -> None:
    rng = random.Random(1)
    words = ["yes", "no", "2", "red"]
    questions = [ask(i, rng.choices(words, [5, 4, 2, 1], k=10), rng.choice(["is", "how"])) for i in range(60)]
    found = majority(questions)

    def worth(answer: str, group: list[Question]) -> float:
        return sum(by_definition(answer, list(question.answers)) for question in group)

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
