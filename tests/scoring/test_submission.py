from __future__ import annotations

import json

import pytest

from vlpbench.errors import UserError
from vlpbench.scoring.captions import CaptionFiles, score_captions
from vlpbench.scoring.submission import (
    SubmissionName,
    captioning_submission,
    vqa_submission,
    write_submission,
)

ANSWERS = [
    {"question_id": 9, "image_id": 1, "prediction": "The Dog.", "accuracy": 1.0},
    {"question_id": 4, "image_id": 1, "prediction": "", "accuracy": 0.0},
]
CAPTIONS = [{"image_id": 3, "prediction": "A dog."}, {"image_id": 1, "prediction": "Ein Hund läuft."}]


def test_answers_go_out_as_they_are():
    assert vqa_submission(ANSWERS) == [
        {"question_id": 9, "answer": "The Dog."}, {"question_id": 4, "answer": ""},
    ]


def test_captions_go_out_as_they_are():
    assert captioning_submission(iter(CAPTIONS)) == [
        {"image_id": 3, "caption": "A dog."}, {"image_id": 1, "caption": "Ein Hund läuft."},
    ]


@pytest.mark.parametrize(
    ("rows", "cause"),
    [
        ([], "no prediction to submit"),
        ([*ANSWERS, ANSWERS[0]], "1 of 3 predictions cannot be submitted: number 3: question_id 9 comes twice"),
        ([{"question_id": "q1", "prediction": "x"}], r"'question_id' is no whole number \('q1'\)"),
        ([{"question_id": True, "prediction": "x"}], "no whole number"),
        ([{"question_id": 1, "prediction": None}], r"question_id 1: its 'prediction' is not a text \(null\)"),
        ([{"question_id": 1, "answer": "x"}], "its 'prediction' is not a text"),
    ],
)
def test_what_a_server_would_refuse_is_refused(rows, cause):
    with pytest.raises(UserError, match=cause):
        vqa_submission(rows)


@pytest.mark.parametrize(
    ("task", "name", "file"),
    [
        ("captioning", SubmissionName("test2014", "prefixlm"), "captions_test2014_prefixlm_results.json"),
        ("vqa", SubmissionName("test-dev2015", "prefixlm"),
         "vqa_OpenEnded_mscoco_test-dev2015_prefixlm_results.json"),
        ("vqa", SubmissionName("test2015", "my_method/2", "abstract_v002", "MultipleChoice"),
         "vqa_MultipleChoice_abstract_v002_test2015_my-method-2_results.json"),
    ],
)
def test_files_have_official_names(tmp_path, task, name, file):
    path = write_submission(tmp_path / "new", task, ANSWERS if task == "vqa" else CAPTIONS, name)
    assert path == tmp_path / "new" / file
    assert len(json.loads(path.read_text(encoding="utf-8"))) == 2
    assert [one.name for one in path.parent.iterdir()] == [file]


def test_a_task_without_server_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(UserError, match="unknown task with an evaluation server 'retrieval'"):
        write_submission(tmp_path, "retrieval", CAPTIONS, SubmissionName("test2014", "x"))
    with pytest.raises(UserError, match="cannot be submitted"):
        write_submission(tmp_path, "captioning", [{"image_id": 1}], SubmissionName("test2014", "x"))
    assert list(tmp_path.iterdir()) == []


def test_a_submission_can_be_scored_here(tmp_path, write):
    captions = [{"image_id": 3, "caption": "a dog"}, {"image_id": 1, "caption": "x"}]
    references = write("a.json", {"annotations": captions})
    path = write_submission(tmp_path, "captioning", CAPTIONS, SubmissionName("val2014", "x"))
    assert score_captions(CaptionFiles(references, path, "Bleu_1")).found["images"] == 2
