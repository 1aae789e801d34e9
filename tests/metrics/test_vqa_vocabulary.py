"""The vocabulary score and its ceilings, against their definitions; questions it cannot answer stay in the mean."""

from __future__ import annotations

import random

import pytest

from vlpbench.errors import UserError
from vlpbench.metrics.vqa_rules import soft_score
from vlpbench.metrics.vqa_vocabulary import build_vocabulary, ceiling, vocabulary_scores
from vlpbench.types import Question


def ask(key: int, answers: list[str]) -> Question:
    return Question(key, "?", tuple(answers))


def leave_one_out(entry: str, answers: list[str]) -> float:
    """Leave each person out in turn; strings compared as written."""
    scores = [min(1, (answers[:i] + answers[i + 1 :]).count(entry) / 3) for i in range(len(answers))]
    return sum(scores) / len(scores)


def test_soft_targets_of_answers_as_written() -> None:
    questions = {
        3: ask(3, ["dog"] * 2 + ["Dog"] * 8),
        1: ask(1, ["2"] * 3 + ["two"] * 7),
        2: ask(2, ["plaid"] * 10),
        9: ask(9, ["yes"] * 10),
    }
    found = vocabulary_scores({1: "2", 2: "dog", 3: "dog", 9: "no"}, questions, ["dog", "2", "yes"])
    assert found.per_question == {3: 0.6, 1: 0.9, 2: 0.0, 9: 0.0} and list(found.per_question) == [3, 1, 2, 9]
    assert found.overall == pytest.approx(100 * 1.5 / 4)
    assert found.over_answerable == pytest.approx(100 * 1.5 / 3)
    assert found.ceiling == pytest.approx(100 * (0.6 + 0.9 + 0 + 1) / 4)
    assert found.accuracy_ceiling == pytest.approx(75)  # "Dog" and "two" count once they are normalised
    assert (found.questions, found.unanswerable, found.outside) == (4, 1, 1)


def test_random_sets_against_the_definition() -> None:
    rng = random.Random(3)
    words = ["yes", "no", "2", "two", "red", "Red", "t-shirt", ""]
    questions = {i: ask(i, rng.choices(rng.sample(words, 3), k=rng.choice([8, 10]))) for i in range(300)}
    predictions = {i: rng.choice(words) for i in questions}
    entries = ["2", "red", "", "no"]
    found = vocabulary_scores(predictions, questions, entries)
    worth = {
        i: leave_one_out(predictions[i], list(q.answers)) if predictions[i] in entries else 0
        for i, q in questions.items()
    }
    best = [max(leave_one_out(entry, list(q.answers)) for entry in entries) for q in questions.values()]
    fits = [i for i, q in questions.items() if set(q.answers) & set(entries)]
    assert found.per_question == pytest.approx(worth)
    assert found.overall == pytest.approx(100 * sum(worth.values()) / 300)
    assert found.ceiling == pytest.approx(100 * sum(best) / 300) and found.overall <= found.ceiling
    assert found.unanswerable == 300 - len(fits) > 0
    assert found.over_answerable == pytest.approx(100 * sum(worth[i] for i in fits) / len(fits))
    assert found.outside == sum(said not in entries for said in predictions.values())


def test_one_answer_a_question_is_worth_one() -> None:
    questions = {1: ask(1, ["dog"]), 2: ask(2, ["cat"])}
    found = vocabulary_scores({1: "dog", 2: "dog"}, questions, {"dog"})
    assert found.overall == 50 and found.over_answerable == 100 and found.ceiling == 50


def test_no_question_has_an_answer_in_the_list() -> None:
    found = vocabulary_scores({1: "dog"}, {1: ask(1, ["cat"] * 10)}, {"dog"})
    assert (found.overall, found.ceiling, found.over_answerable, found.unanswerable) == (0, 0, None, 1)


@pytest.mark.parametrize(
    ("vocabulary", "said"),
    [([], "not a list of answers"), ("dog", "but 'dog'"), (["dog", 2, None], "2 entries .* such as 2")],
)
def test_lists_that_are_none(vocabulary: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        vocabulary_scores({1: "dog"}, {1: ask(1, ["cat"] * 10)}, vocabulary)


def test_predictions_that_do_not_fit() -> None:
    with pytest.raises(UserError, match="1 missing: 2"):
        vocabulary_scores({1: "dog"}, {1: ask(1, ["cat"] * 10), 2: ask(2, ["cat"] * 10)}, ["cat"])
    with pytest.raises(UserError, match="question 1 has no list of answers"):
        vocabulary_scores({1: "dog"}, {1: ask(1, [])}, ["cat"])


def test_the_list_is_made_of_majority_answers() -> None:
    questions = [ask(i, ["The dog."] * 6 + ["cat"] * 4) for i in range(9)]
    questions += [ask(i, ["cat"] * 5 + ["dog"] * 5) for i in range(20, 29)]  # the first given of two that tie
    questions += [ask(i, ["1,000"] * 10) for i in range(30, 42)]
    questions += [ask(i, ["a"] * 10) for i in range(50, 59)]
    questions += [ask(i, ["rare"] * 10) for i in range(60, 68)]
    assert build_vocabulary(questions) == ("1000", "", "cat", "dog")
    assert build_vocabulary(questions, least=8)[-1] == "rare"
    assert build_vocabulary([]) == ()
    with pytest.raises(UserError, match="question 7 has no list of answers"):
        build_vocabulary([*questions, ask(7, [])])


def test_ceiling_is_the_best_word_for_each_question() -> None:
    answers = [["red"] * 3 + ["blue"] * 7, ["two"] * 10, ["plaid"] * 10, ["none"] * 2 + ["x"] * 8]
    vocabulary = ["red", "2", "0"]
    slow = [max(soft_score(word, given) for word in vocabulary) for given in answers]
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
