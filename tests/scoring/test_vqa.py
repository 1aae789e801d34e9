"""VQA files through to the scores: the golden rows, groups, tolerance, choices, vocabularies, and what is refused."""

from __future__ import annotations

import copy
import json
import os
import random
from pathlib import Path

import pytest

from vlpbench.errors import UserError
from vlpbench.metrics.vqa_rules import normalise
from vlpbench.scoring.vqa import VqaFiles, score_vqa

WORDS = ["yes", "no", "two", "a dog", "the dog", "dog", "red.", "3", "Yes", "t-shirt"]


def annotation(number, said, kind="what", answer_type="other", **more):
    given = [{"answer": one, "answer_confidence": "yes", "answer_id": at} for at, one in enumerate(said, 1)]
    return {"question_id": number, "image_id": number, "question_type": kind, "answer_type": answer_type,
            "answers": given, "multiple_choice_answer": said[0], **more}


@pytest.fixture
def scored(write):
    """(annotations, predictions by id or rows) -> what is found."""

    def score(annotations, predictions, **more):
        if isinstance(predictions, dict):
            predictions = [{"question_id": key, "answer": text} for key, text in predictions.items()]
        if isinstance(annotations, list):
            annotations = {"info": {}, "annotations": annotations}
        return score_vqa(VqaFiles(write("a.json", annotations), write("p.json", predictions), **more))

    return score


@pytest.mark.parametrize(
    ("prediction", "answers", "rules"),
    [
        ("Yes", ["yes"] * 10, (100, 100, 0)),
        ("the dog", ["the dog"] * 10, (100, 0, 100)),
        ("dog", ["the dog"] * 10, (100, 0, 0)),
        ("2", ["two"] * 10, (100, 0, 0)),
        ("the dog", ["the dog"] * 9 + ["a cat"], (100, 0, 100)),
        ("2", ["two"] * 9 + ["3"], (100, 0, 100)),
        ("dog", ["dog"] * 2 + ["cat"] * 8, (60, 60, 60)),
    ],
)
def test_rules_differ_as_they_do_in_the_field(scored, prediction, answers, rules):
    found = scored([annotation(1, answers)], {1: prediction}).found
    expected = dict(zip(("always", "2016", "2021"), rules, strict=True))
    assert found["overall"] == pytest.approx(expected)
    assert found["per_answer_type"] == {"other": pytest.approx(expected)}
    assert found["per_question_type"] == {"what": pytest.approx(expected)}
    assert (found["questions"], found["unit"]) == (1, "percent")


def slow_accuracy(prediction, answers):
    """Leave each person out in turn, as the paper says; both sides normalised."""
    said, given = normalise(prediction), [normalise(one) for one in answers]
    parts = [min(1, sum(one == said for one in given[:at] + given[at + 1:]) / 3) for at in range(len(given))]
    return 100 * sum(parts) / len(parts)


def test_groups_are_means_over_their_questions_whatever_the_order(scored):
    rng = random.Random(3)
    rows = [
        annotation(number, rng.choices(WORDS[:4], k=10), rng.choice(["what", "is"]), rng.choice(["other", "number"]))
        for number in rng.sample(range(10**6), 60)
    ]
    said = [{"question_id": row["question_id"], "answer": rng.choice(WORDS)} for row in rows]
    rng.shuffle(said)
    result = scored(rows, said)
    by_id = {row["question_id"]: row["answer"] for row in said}
    slow = {row["question_id"]: slow_accuracy(by_id[row["question_id"]], [one["answer"] for one in row["answers"]])
            for row in rows}
    assert result.found["overall"]["always"] == pytest.approx(sum(slow.values()) / 60, abs=1e-9)
    for key, groups in (("answer_type", "per_answer_type"), ("question_type", "per_question_type")):
        for name in {row[key] for row in rows}:
            own = [slow[row["question_id"]] for row in rows if row[key] == name]
            assert result.found[groups][name]["always"] == pytest.approx(sum(own) / len(own), abs=1e-9)
    examples = result.rows()
    assert [one["question_id"] for one in examples] == [row["question_id"] for row in rows]
    assert all(100 * one["always"] == pytest.approx(slow[one["question_id"]]) for one in examples)
    assert all(one["prediction"] == by_id[one["question_id"]] for one in examples)


def test_scoring_twice_is_scoring_once_and_files_stay_as_they_are(scored, tmp_path):
    rows = [annotation(1, ["a dog"] * 5 + ["dog."] * 5)]
    before = copy.deepcopy(rows)
    assert scored(rows, {1: "dog"}).found == scored(rows, {1: "dog"}).found
    assert json.loads((tmp_path / "a.json").read_text())["annotations"] == before


def test_answers_may_be_plain_texts_and_types_may_be_missing(scored):
    rows = [{"question_id": "q1", "answers": ["yes"] * 4 + ["no"] * 6}, {"question_id": "q2", "answers": ["no"] * 10}]
    result = scored(rows, {"q1": "yes", "q2": "no"})
    assert result.found["overall"]["always"] == 100
    assert result.found["per_answer_type"] == result.found["per_question_type"] == {}
    assert any("have no 'answer_type'" in note for note in result.found["notes"])
    assert [row["question_id"] for row in result.rows()] == ["q1", "q2"]


def test_a_bare_list_of_annotations_is_read(scored, write):
    path = write("a2.json", [annotation(1, ["yes"] * 10)])
    predictions = write("p2.json", [{"question_id": 1, "answer": "yes"}])
    assert score_vqa(VqaFiles(path, predictions)).found["overall"]["2016"] == 100


def test_numbers_of_answers_other_than_ten_are_said(scored):
    notes = scored([annotation(1, ["yes"] * 3)], {1: "yes"}).found["notes"]
    assert any("3 answers, not ten" in note for note in notes)
    assert any("not even a unanimous answer" in note for note in notes)


def test_one_answer_a_question_is_exact_match_under_two_names(scored):
    result = scored([annotation(1, ["in the road"]), annotation(2, ["two"])], {1: "In the road.", 2: "two"})
    assert result.found["overall"] == {"exact": 50, "exact_normalised": 100}
    assert "always" not in result.text and "exact_normalised" in result.text


def test_empty_predictions_count_and_are_said(scored):
    found = scored([annotation(1, ["yes"] * 10), annotation(2, ["no"] * 10)], {1: "", 2: "no"}).found
    assert found["overall"]["always"] == 50
    assert "empty predicted answers, scored as they are: 1 of 2" in found["notes"]


@pytest.mark.parametrize(
    ("annotations", "predictions", "cause"),
    [
        ([annotation(1, ["a"] * 10)], {2: "a"}, "1 of 1 questions without prediction: 1; 1 predicted question not in"),
        ([annotation(1, ["a"] * 10)], [{"question_id": 1, "answer": "a"}] * 2, "predicted more than once: 1"),
        ([annotation(1, ["a"] * 10)], [{"question_id": 1, "anwser": "a"}], "'answer' is missing"),
        ([annotation(1, ["a"] * 10)], {1: None}, r"'answer' is not a text \(null\)"),
        ([annotation(1, ["a"] * 10)] * 2, {1: "a"}, "in 1 of 2 annotations 'question_id' came before: number 2"),
        ([annotation(1, ["a"] * 10, answers=[])], {1: "a"}, r"'answers' is empty \(hidden answers\?\)"),
        ([annotation(1, ["a"], answers="a")], {1: "a"}, "'answers' is no list of answers"),
        ([annotation(1, ["a"], answers=[{"anwser": "a"}])], {1: "a"}, "did you mean its key 'anwser'"),
        ([annotation(1, ["a"], answers=[2])], {1: "a"}, r"has an answer that is not a text \(2\)"),
        ([annotation(1, ["a"] * 10, question_type="\ud800")], {1: "a"}, "'question_type' holds half a character"),
        ([annotation(1, ["a"]), annotation(2, ["a"] * 10)], {1: "a", 2: "a"}, "there is one answer, in others several"),
    ],
)
def test_what_is_malformed_is_named(scored, annotations, predictions, cause):
    with pytest.raises(UserError, match=cause) as wrong:
        scored(annotations, predictions)
    assert wrong.value.place


CHOICES = ["A cat.", "A dog.", "Nobody.", "A bird."]


@pytest.fixture
def chosen(scored, write):
    """Annotations of two questions with one answer, and predictions; questions as said."""

    def score(questions, predictions, **more):
        rows = [annotation(1, ["a dog"], multiple_choice_answer="A dog."),
                annotation(2, ["nobody"], multiple_choice_answer="Nobody.")]
        path = write("q.json", {"questions": questions})
        return scored([{**row, **more} for row in rows], predictions, questions=path)

    return score


def asked(number, **more):
    return {"question_id": number, "image_id": number, "question": "Who?", "multiple_choices": CHOICES, **more}


def test_choices_give_multiple_choice_accuracy_beside_exact_match(chosen):
    result = chosen([asked(2), asked(1)], {1: "A dog.", 2: "nobody"})
    assert result.found["multiple_choice"] == 50 and result.found["multiple_choice_chance"] == 25
    assert result.found["overall"] == {"exact": 50, "exact_normalised": 100}
    assert [row["multiple_choice"] for row in result.rows()] == [1.0, 0.0]
    assert any("count as wrong there: 1 of 2" in note for note in result.found["notes"])
    assert "multiple choice, percent" in result.text


def test_questions_without_choices_are_only_checked(chosen):
    found = chosen([{"question_id": number, "question": "Who?"} for number in (1, 2)], {1: "a dog", 2: "x"}).found
    assert "multiple_choice" not in found


def test_choices_whose_right_one_is_not_told_are_not_scored(chosen):
    found = chosen([asked(1), asked(2)], {1: "a dog", 2: "x"}, multiple_choice_answer=None).found
    assert "multiple_choice" not in found
    assert any("tell no right one" in note for note in found["notes"])


@pytest.mark.parametrize(
    ("questions", "cause"),
    [
        ([asked(1)], "1 annotations have no question: 2"),
        ([asked(1), asked(2), asked(3)], "1 questions have no annotation: 3"),
        ([asked(1), asked(2), asked(2)], "'question_id' came before"),
        ([asked(1), asked(2, multiple_choices=["A cat."])], "'multiple_choices' is no list of two or more texts"),
        ([asked(1), asked(2, multiple_choices=["A cat.", "x"])], "no choice is the 'multiple_choice_answer' in a.json"),
    ],
)
def test_questions_that_do_not_fit_are_named(chosen, questions, cause):
    with pytest.raises(UserError, match=cause):
        chosen(questions, {1: "a dog", 2: "x"})


@pytest.mark.parametrize("words", [["yes", "2"], {"yes": 0, "2": 1}, {"0": "yes", "1": "2"}, "yes\n\n 2 \n"])
def test_a_vocabulary_counts_what_it_cannot_answer(scored, write, words):
    rows = [annotation(1, ["yes"] * 10), annotation(2, ["two"] * 10), annotation(3, ["no"] * 10)]
    result = scored(rows, {1: "yes", 2: "2", 3: "no"}, vocabulary=write("v.json", words))
    found = result.found["vocabulary"]
    assert found["score"] == found["ceiling"] == pytest.approx(100 / 3)
    assert found["accuracy_ceiling"] == pytest.approx(200 / 3)
    assert (found["unanswerable"], found["predictions_outside"], found["score_of_answerable"]) == (2, 1, 100)
    assert result.found["overall"]["always"] == 100
    assert [row["vocabulary"] for row in result.rows()] == [1.0, 0.0, 0.0]
    assert "questions that it cannot answer" in result.text


@pytest.mark.parametrize(
    ("words", "cause"),
    [("", "no answers"), ([], "no answers in it"), ([1], "1 answers are no texts"), ("[1", "not JSON"),
     ({"yes": 0, "": 1}, None)],
)
def test_what_is_no_vocabulary_is_refused(scored, write, words, cause):
    path = write("v.json", words)
    if cause is None:  # the empty answer is an entry of the published list
        assert scored([annotation(1, [""] * 10)], {1: ""}, vocabulary=path).found["vocabulary"]["score"] == 100
        return
    with pytest.raises(UserError, match=cause):
        scored([annotation(1, ["a"] * 10)], {1: "a"}, vocabulary=path)


def test_a_real_set_with_choices(write):
    if "VLPBENCH_DATA" not in os.environ:
        pytest.skip("VLPBENCH_DATA names no folder of data sets")
    folder = Path(os.environ["VLPBENCH_DATA"]) / "visual7w-mini"
    if not folder.is_dir():
        pytest.skip("visual7w-mini is not in VLPBENCH_DATA")
    path = folder / "annotations_test.json"
    rows = json.loads(path.read_text(encoding="utf-8"))["annotations"]
    said = [{"question_id": row["question_id"], "answer": row["multiple_choice_answer"]} for row in rows]
    found = score_vqa(VqaFiles(path, write("p.json", said), folder / "questions_test.json")).found
    assert found["multiple_choice"] == found["overall"]["exact_normalised"] == 100
    assert found["multiple_choice_chance"] == 25 and found["questions"] == len(rows)
    assert set(found["per_question_type"]) == {"where", "when", "who"}
