from __future__ import annotations

import pytest

from vlpbench.errors import UserError
from vlpbench.scoring.kinds import check_kinds, kind_of

VQA = {"annotations": [{"question_id": 1, "answers": [{"answer": "yes"}]}]}
ANSWERS = [{"question_id": 1, "answer": "yes"}]
ASKED = {"questions": [{"question_id": 1, "question": "Is it?"}]}
COCO = {"images": [{"id": 1}], "annotations": [{"image_id": 1, "caption": "A dog."}]}
CAPTIONS = [{"image_id": 1, "caption": "a dog"}]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (VQA, "VQA annotations"), (VQA["annotations"], "VQA annotations"), (ANSWERS, "VQA predictions"),
        (ASKED, "VQA questions"), (COCO, "caption annotations"), (CAPTIONS, "caption predictions"), ([], None),
        ({}, None), ([1], None), ({"annotations": [{"x": 1}]}, None), ("text", None),
    ],
)
def test_files_are_known_by_their_first_row(value, kind):
    assert kind_of(value) == kind


def test_a_swapped_pair_is_recognised_and_the_right_order_told(document):
    wanted = {
        "caption annotations": document(CAPTIONS, "--annotations", "one.json"),
        "caption predictions": document(COCO, "--predictions", "two.json"),
    }
    with pytest.raises(UserError, match="--annotations and --predictions are swapped") as wrong:
        check_kinds(wanted)
    assert wrong.value.remedy == "give --annotations two.json --predictions one.json"


def test_questions_in_the_place_of_annotations_are_swapped_too(document):
    wanted = {
        "VQA annotations": document(ASKED, "--annotations", "q.json"),
        "VQA predictions": document(ANSWERS),
        "VQA questions": document(VQA, "--questions", "a.json"),
    }
    with pytest.raises(UserError, match="--annotations and --questions are swapped"):
        check_kinds(wanted)


def test_a_file_of_another_task_is_named(document):
    with pytest.raises(UserError, match=r"p\.json holds caption predictions, not VQA predictions") as wrong:
        check_kinds({"VQA predictions": document(CAPTIONS)})
    assert '"answer": "yes"' in wrong.value.remedy


def test_a_wrong_top_level_tells_the_keys(document):
    with pytest.raises(UserError, match=r"top level is no list \(an object with results, info\)"):
        check_kinds({"VQA predictions": document({"results": ANSWERS, "info": {}})})
    with pytest.raises(UserError, match="top level is no object"):
        check_kinds({"caption annotations": document([[1]], "--annotations", "a.json")})


def test_right_files_pass(document):
    check_kinds({"VQA annotations": document(VQA), "VQA predictions": document(ANSWERS)})
    with pytest.raises(UserError):  # and the same call with one of another task does not
        check_kinds({"VQA annotations": document(VQA), "VQA predictions": document(COCO)})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("VQA predictions", [{**ANSWERS[0], "answers": ["yes"], "caption": "a dog", "multiple_choice_answer": "no"}]),
        ("caption predictions", [{**CAPTIONS[0], "answer": "yes", "answers": [], "question_id": 1}]),
        ("caption annotations", {"annotations": [{**COCO["annotations"][0], "answers": ["yes"], "question_id": 4}]}),
        ("VQA annotations", {"annotations": [{**VQA["annotations"][0], "caption": "a dog"}], "questions": []}),
    ],
)
def test_keys_of_another_kind_do_no_harm(document, kind, value):
    assert check_kinds({kind: document(value)}) is None
    with pytest.raises(UserError, match="holds"):
        check_kinds({kind: document(VQA["annotations"] if isinstance(value, list) else {"questions": [{}]})})
