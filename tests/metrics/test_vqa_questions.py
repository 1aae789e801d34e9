"""What every VQA score asks of a set before it counts."""

from __future__ import annotations

import pytest

from vlpbench.errors import UserError
from vlpbench.metrics.vqa_questions import check_answers, check_predictions, grouped, percent, single_answers
from vlpbench.types import Question


def test_positions_by_type() -> None:
    kinds = [("what", "other"), ("is", "yes/no"), ("", "other"), ("what", "number")]
    groups = grouped([Question(7 - at, "?", (), kind, answer_kind) for at, (kind, answer_kind) in enumerate(kinds)])
    assert groups.questions == 4
    assert groups.answer_type == {"number": [3], "other": [0, 2], "yes/no": [1]}
    assert groups.question_type == {"is": [1], "what": [0, 3]}
    assert list(groups.answer_type) == ["number", "other", "yes/no"] and list(groups.question_type) == ["is", "what"]


def test_percent_is_exact_in_any_order() -> None:
    scores = [0.1] * 10 + [1e16, -1e16]
    assert percent(scores) == percent(scores[::-1]) == pytest.approx(100 / 12)


def test_one_answer_or_several() -> None:
    assert single_answers({1: ["a"], 2: ["b"]}) is True
    assert single_answers({1: ["a"] * 2, 2: ["b"] * 10}) is False
    with pytest.raises(UserError, match=r"7 of 8 have one: 0, 1, 2, 3, 4, \.\.\."):
        single_answers({**{i: ["a"] for i in range(7)}, 9: ["a", "b"]})


def test_every_bad_question_is_found_where_an_id_comes_twice() -> None:
    assert check_answers([(1, ["a"]), (1, ["a", ""])]) is None
    with pytest.raises(UserError, match="question 1 has no list of answers") as caught:
        check_answers([(1, []), (1, ["a"])])
    assert "test-std" in caught.value.remedy
    with pytest.raises(UserError, match="not a string: 1, 2, 3, 4, 5, \\.\\.\\."):
        check_answers([(i, ["a", b"a"]) for i in range(1, 7)])  # type: ignore[list-item]


def test_one_string_a_question() -> None:
    questions = {1: Question(1, "?"), 2: Question(2, "?")}
    assert check_predictions({2: "a", 1: ""}, questions) is None
    with pytest.raises(UserError, match="1 missing: 1"):
        check_predictions({2: "a"}, questions)
    with pytest.raises(UserError, match="question 2 is True, not a string"):
        check_predictions({1: "a", 2: True}, questions)  # type: ignore[dict-item]
