"""VQA accuracy of a whole set: groups, rules, sets with one answer, and input that cannot be scored."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from vlpbench.errors import UserError
from vlpbench.metrics.vqa_accuracy import (
    EXACT,
    RULES,
    Rule,
    example_scores,
    soft_score,
    vqa_scores,
    vqa_table,
)
from vlpbench.types import Question


def ask(key: int, answers: list[str], kind: str = "what", answer_kind: str = "other") -> Question:
    return Question(key, "?", tuple(answers), kind, answer_kind)


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


def small_set() -> tuple[dict[int, str], dict[int, Question]]:
    """A set whose questions have 8 or 10 answers, some without a type, with spellings that the rules treat unlike."""
    rng = random.Random(5)
    words = ["yes", "Yes.", "no", "the dog", "dog", "two", "2", "t-shirt", " red", "none", "red\n"]
    questions = {}
    for key in rng.sample(range(10_000), 400):
        pool = rng.sample(words, rng.choice([1, 2, 4]))
        kind, answer_kind = rng.choice(["is", "how many", ""]), rng.choice(["yes/no", "number", "other"])
        questions[key] = ask(key, rng.choices(pool, k=rng.choice([8, 10])), kind, answer_kind)
    predictions = {key: rng.choice([*questions[key].answers, *words]) for key in sorted(questions)}
    return predictions, questions


def test_the_table_holds_all_means_of_all_rules() -> None:
    predictions, questions = small_set()
    table = vqa_table(predictions, questions)
    assert tuple(table.overall) == tuple(table.per_question) == RULES
    for rule in RULES:
        slow = {key: soft_score(predictions[key], q.answers, rule) for key, q in questions.items()}
        assert table.per_question[rule] == slow and list(table.per_question[rule]) == list(questions)
        assert table.overall[rule] == pytest.approx(100 * sum(slow.values()) / len(slow), abs=1e-12)
        for types, field in ((table.per_answer_type, "answer_kind"), (table.per_question_type, "kind")):
            for name, scores in types.items():
                some = [slow[key] for key, q in questions.items() if getattr(q, field) == name]
                assert scores[rule] == pytest.approx(100 * sum(some) / len(some), abs=1e-12)
    assert list(table.per_answer_type) == ["number", "other", "yes/no"]
    assert list(table.per_question_type) == ["how many", "is"]
    assert len(set(table.overall.values())) == 3  # the rules do differ on these


def test_the_table_counts_its_questions() -> None:
    predictions, questions = small_set()
    counts = vqa_table(predictions, questions, ["2016"]).counts
    assert counts.overall == 400 == sum(counts.per_answer_type.values())
    assert counts.per_question_type["is"] == sum(q.kind == "is" for q in questions.values())
    assert sum(counts.per_question_type.values()) == sum(q.kind != "" for q in questions.values()) < 400


def test_the_table_has_the_rules_asked_for() -> None:
    predictions, questions = small_set()
    whole = vqa_table(predictions, questions)
    for rule in RULES:
        one = vqa_table(predictions, questions, [rule])
        assert one.overall == {rule: whole.overall[rule]}
        assert vqa_scores(predictions, questions, rule)["accuracy"] == whole.overall[rule]


def test_a_mean_does_not_hang_on_the_order_of_questions() -> None:
    predictions, questions = small_set()
    turned = dict(reversed(questions.items()))
    assert vqa_table(predictions, turned).overall == vqa_table(predictions, questions).overall
    assert vqa_table(predictions, turned).per_question_type == vqa_table(predictions, questions).per_question_type


def test_one_answer_a_question_is_never_a_third() -> None:
    questions = {1: ask(1, ["in the road"], "where"), 2: ask(2, ["nobody"], "who"), 3: ask(3, ["a man"], "who")}
    table = vqa_table({1: "In the road.", 2: " nobody ", 3: "woman"}, questions, ["2016"])
    assert tuple(table.overall) == EXACT == tuple(table.per_question)
    assert table.overall == pytest.approx({"exact": 100 / 3, "exact_normalised": 200 / 3})
    assert table.per_question_type["who"] == {"exact": 50, "exact_normalised": 50}
    assert table.per_question["exact"] == {1: 0.0, 2: 1.0, 3: 0.0}
    assert table.counts.per_question_type == {"where": 1, "who": 2}


def test_a_rule_that_is_not_one() -> None:
    wrong: Rule = "allways"  # type: ignore[assignment]
    for questions in ({1: ask(1, ["x"])}, {1: ask(1, ["x", "y"])}):
        with pytest.raises(UserError, match="did you mean 'always'"):
            vqa_scores({1: "a"}, questions, wrong)


TWO = ["a"] * 2
BAD: list[tuple[dict[Any, Any], dict[Any, Any], str]] = [
    ({1: "a"}, {1: TWO, 2: TWO}, "1 missing: 2"),
    ({1: "a", 2: "a"}, {1: TWO}, "1 extra: 2"),
    ({"1": "a"}, {1: TWO}, "1 missing: 1; 1 extra: '1'"),
    ({1: "a", 2: "a"}, {1: ["a"], 2: TWO}, r"not of one kind \(1 of 2 have one: 1\)"),
    ({1: "a"}, {1: []}, r"question 1 has no list of answers, but \(\)"),
    ({1: "a", 2: "a"}, {1: [], 2: []}, r"2 questions \(1, 2\) have no list of answers"),
    ({1: 2}, {1: ["2"]}, "prediction for question 1 is 2, not a string"),
    ({1: "a", 3: None, 2: ["a"]}, {1: TWO, 2: TWO, 3: TWO}, r"2 predictions .* \(questions 2, 3\): .* \['a'\]"),
    ({1: "a", 2: "a"}, {1: ["a", 3], 2: TWO}, "1 questions have an answer that is not a string: 1"),
    ({1: "a", 2: "a"}, {1: TWO, 2: ["a", {"answer": "a"}]}, "1 questions have an answer that is not a string: 2"),
    ({}, {}, "no question to score"),
]


@pytest.mark.parametrize(("predictions", "answers", "said"), BAD)
def test_what_cannot_be_scored(predictions: dict[int, str], answers: dict[int, list[str]], said: str) -> None:
    questions = {key: ask(key, given) for key, given in answers.items()}
    with pytest.raises(UserError, match=said):
        vqa_table(predictions, questions)


def test_a_string_does_not_stand_for_a_list_of_answers() -> None:
    question = Question(1, "?", "yes")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="question 1 has no list of answers, but 'yes'"):
        vqa_table({1: "y"}, {1: question})
