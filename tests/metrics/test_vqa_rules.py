"""VQA accuracy of one question: its definition, the three rules, and what other codebases were seen to give."""

from __future__ import annotations

import pytest

from vlpbench.errors import UserError
from vlpbench.metrics.vqa_rules import RULES, Rule, credits_of, exact, normalise, soft_score, soft_targets


def by_definition(prediction: str, answers: list[str]) -> float:
    """Leave each person out in turn, and see how many of the others agree."""
    scores = []
    for left_out in range(len(answers)):
        others = answers[:left_out] + answers[left_out + 1 :]
        scores.append(min(1.0, sum(normalise(answer) == normalise(prediction) for answer in others) / 3))
    return sum(scores) / len(scores)


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


def test_strings_are_credited_as_written() -> None:
    assert credits_of(["dog"] * 3 + ["Dog"] * 6 + ["x"]) == {"Dog": 1.0, "dog": 0.9, "x": 0.3}
    assert list(credits_of(["dog", "Dog", "Dog"])) == ["Dog", "dog"]
    assert credits_of(["dog"]) == {"dog": 1.0}
