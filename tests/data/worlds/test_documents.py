"""The JSON of real sets, made from one hand-written picture."""

from __future__ import annotations

from vlpbench.data.worlds.digit_scenes import DigitsConfig, lexicon
from vlpbench.data.worlds.documents import (
    Picture,
    captions_document,
    karpathy_document,
    questions_documents,
    scenes_document,
)
from vlpbench.data.worlds.questions import Asked
from vlpbench.data.worlds.scene import Scene, Thing

WORDS = lexicon(DigitsConfig())
LICENCE = {"id": 1, "name": "free", "url": ""}
TRUTHS = (Asked("is there a 3", "yes", WORDS.forms[7]), Asked("where is red", "top left", WORDS.forms[4]))
PICTURE = Picture(
    id=7, file="test_000007.png", split="test", size=32,
    scene=Scene((Thing({"kind": 3, "colour": 0, "place": 0}, (1, 2, 13, 13), variant=99),)),
    oracle="a red 3 at the top left", captions=("a red 3, at", "b", "c", "d", "e"), asked=TRUTHS,
    answers=(("yes",) * 9 + ("no",), ("top left",) * 10),
)
IMAGE = {"id": 7, "file_name": "test_000007.png", "width": 32, "height": 32, "license": 1}


def test_captions() -> None:
    made = captions_document("digits", LICENCE, [PICTURE])
    assert set(made) == {"info", "licenses", "images", "annotations"}
    assert made["images"] == [IMAGE]
    assert made["annotations"][1] == {"id": 36, "image_id": 7, "caption": "b"}
    assert len({row["id"] for row in made["annotations"]}) == 5


def test_questions_and_annotations() -> None:
    questions, annotations = questions_documents("digits", LICENCE, [PICTURE])
    assert questions["images"] == [IMAGE]
    assert questions["questions"][1] == {"question_id": 7001, "image_id": 7, "question": "where is red"}
    assert questions["data_subtype"] == annotations["data_subtype"] == "test"
    first = annotations["annotations"][0]
    assert {key: first[key] for key in ("question_id", "image_id", "question_type", "answer_type")} == {
        "question_id": 7000, "image_id": 7, "question_type": "is there", "answer_type": "yes/no"}
    assert first["multiple_choice_answer"] == "yes"
    assert first["answers"][0] == {"answer": "yes", "answer_confidence": "yes", "answer_id": 1}
    assert first["answers"][9] == {"answer": "no", "answer_confidence": "maybe", "answer_id": 10}


def test_karpathy() -> None:
    made = karpathy_document("digits", [PICTURE])
    image = made["images"][0]
    assert (image["filename"], image["imgid"], image["split"]) == ("test_000007.png", 7, "test")
    assert image["sentids"] == [sentence["sentid"] for sentence in image["sentences"]] == [35, 36, 37, 38, 39]
    assert image["sentences"][0]["tokens"] == ["a", "red", "3", "at"]
    assert image["sentences"][0]["raw"] == "a red 3, at"


def test_scenes() -> None:
    thing = {"kind": "3", "colour": "red", "place": "top left", "box": [1, 2, 13, 13], "variant": 99}
    assert scenes_document(WORDS, [PICTURE]) == {"7": {"oracle": "a red 3 at the top left", "things": [thing]}}


def test_an_empty_split_is_a_document_too() -> None:
    assert captions_document("digits", LICENCE, [])["annotations"] == []
    assert questions_documents("digits", LICENCE, [])[0]["questions"] == []
