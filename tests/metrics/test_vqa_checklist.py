"""Mistakes that others have made in scoring VQA, each with the test that we do not: rows 1 to 8 of a list of 28."""

from __future__ import annotations

import copy

import pytest

from vlpbench.metrics.vqa_accuracy import RULES, ceiling, normalise, soft_score, vqa_scores, vqa_table
from vlpbench.metrics.vqa_vocabulary import vocabulary_scores
from vlpbench.types import Question


def ask(key: int, answers: list[str]) -> Question:
    return Question(key, "?", tuple(answers))


@pytest.mark.parametrize("rule", RULES)
def test_row_01_leave_one_out_and_not_a_third_a_match(rule: str) -> None:
    """allenai/close #5, mmf #187, open_flamingo #144: min(n / 3, 1) is another number."""
    for matches, score in enumerate([0, 30, 60, 90, 100, 100]):
        answers = ["dog"] * matches + [f"x{at}" for at in range(10 - matches)]
        assert vqa_table({1: "dog"}, {1: ask(1, answers)}, RULES).overall[rule] == pytest.approx(score, abs=1e-12)


@pytest.mark.parametrize("rule", RULES)
def test_row_02_leave_one_out_by_position_and_not_by_value(rule: str) -> None:
    """The official formula on answers without ids leaves out all equal ones at once: unanimous would score 0."""
    found = vqa_table({1: "dog", 2: "dog"}, {1: ask(1, ["dog"] * 10), 2: ask(2, ["dog"] * 5 + ["cat"] * 5)})
    assert found.per_question[rule] == {1: 1.0, 2: 1.0}


def test_row_03_unanimous_answers_under_each_rule() -> None:
    """vqaEval.py of 2021 does not normalise them; lmms-eval PR 794."""
    assert vqa_table({1: "Black."}, {1: ask(1, ["black"] * 10)}).overall == {"always": 100, "2016": 100, "2021": 0}
    nine = {1: ask(1, ["black"] * 9 + ["grey"])}
    assert vqa_table({1: "Black."}, nine).overall == {"always": 100, "2016": 100, "2021": 100}


def test_row_04_given_answers_are_normalised_like_the_prediction() -> None:
    """vqaEval.py of 2016 and LAVIS keep the articles of given answers; Cyanogenoid/pytorch-vqa #5."""
    questions = {1: ask(1, ["the cat"] * 10)}
    assert vqa_table({1: "the cat"}, questions).overall == {"always": 100, "2016": 0, "2021": 100}
    assert vqa_scores({1: "the cat"}, questions)["accuracy"] == 100  # `always` is what is scored unless one asks


def test_row_05_normalising_once_and_keeping_raw_answers() -> None:
    """lmms-eval PR 760: twice is the same but for rows of periods; LLaVA #618: "A" becomes empty, so raw ones stay."""
    for raw in ["The U.S.A., two dogs!", "dont", "1,000 a-b", "None", "a - b", "A", "", "it's 5:30", "couldnt've"]:
        assert normalise(normalise(raw)) == normalise(raw)
    assert normalise(normalise("." * 40)) == "" != normalise("." * 40)
    assert normalise("A") == ""
    predictions, questions = {1: "A"}, {1: ask(1, ["A"] * 4 + ["B"] * 6)}
    assert vqa_table(predictions, questions).overall == {"always": 100, "2016": 0, "2021": 100}
    assert predictions == {1: "A"} and questions[1].answers[:4] == ("A",) * 4


def test_row_06_none_is_zero() -> None:
    """GT-Vision-Lab/VQA #7: a quirk, kept on purpose."""
    assert normalise("None") == "0"
    assert [soft_score("none", ["0"] * 9 + ["1"], rule) for rule in RULES] == [1, 1, 1]
    assert vqa_table({1: "none"}, {1: ask(1, ["0"] * 10)}).overall == {"always": 100, "2016": 100, "2021": 0}


def test_row_07_scoring_changes_nothing_it_was_given() -> None:
    """vqaEval.py rewrites its annotations, so that a second call scores otherwise."""
    questions = {key: ask(key, ["The dog."] * 3 + ["a  Dog"] * 3 + [" two\n"] * 4) for key in (1, 2)}
    predictions = {1: "Dog!", 2: "\ttwo"}
    before = copy.deepcopy((predictions, questions))
    tables = [vqa_table(predictions, questions) for _ in range(2)]
    scores = [vocabulary_scores(predictions, questions, ["dog", "Dog!"]) for _ in range(2)]
    assert tables[0] == tables[1] and scores[0] == scores[1]
    assert (predictions, questions) == before


def test_row_08_questions_that_the_vocabulary_cannot_answer_count() -> None:
    """ViLT, METER and BEiT-3 drop them from val; Cadene/murel #19, tsujuifu/pytorch_violet #8."""
    questions = {1: ask(1, ["dog"] * 10), 2: ask(2, ["zebra"] * 10)}
    found = vocabulary_scores({1: "dog", 2: "dog"}, questions, ["dog"])
    assert found.questions == len(found.per_question) == 2 and found.unanswerable == 1
    assert found.overall == found.ceiling == 50 and found.over_answerable == 100
    table = vqa_table({1: "dog", 2: "dog"}, questions)
    assert table.counts.overall == len(table.per_question["always"]) == 2 and table.overall["always"] == 50
    assert ceiling([q.answers for q in questions.values()], ["dog"]) == 50
