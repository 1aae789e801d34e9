"""VQAv2's form: questions and annotations joined, image names from a list, a captions file or a pattern."""

from __future__ import annotations

import pytest

from vlpbench.contract.dataset import BadSample
from vlpbench.data.errors import DataError
from vlpbench.data.sources.vqa import Vqa, VqaConfig
from vlpbench.types import Sample


@pytest.fixture
def made(root, cache, put):
    def build(questions, annotations=None, captions=None, **settings):
        put("q.json", questions)
        named = {"folder": "set", "questions": {"val": "q.json"}}
        if annotations is not None:
            put("a.json", annotations)
            named["annotations"] = {"val": "a.json"}
        if captions is not None:
            put("c.json", captions)
            named["captions"] = {"val": "c.json"}
        return Vqa(VqaConfig(**named | settings), root, cache)

    return build


def parts(made):
    found = list(made.read("val"))
    bad = [f"{x.where}: {x.what}" for x in found if isinstance(x, BadSample)]
    return [x for x in found if isinstance(x, Sample)], bad


def test_questions_with_ten_answers_and_one(made, questions, annotations):
    good, bad = parts(made(questions, annotations))
    assert bad == []
    assert [(sample.id, sample.image) for sample in good] == [(7, "b.png"), (3, "a.png")]
    first, second = good[1].questions
    assert (first.id, first.text, first.kind, first.answer_kind) == (30, "what colour?", "what", "other")
    assert first.answers == ("red",) * 8 + ("pink",) * 2
    assert (second.id, second.answers, second.answer_kind) == (31, ("yes",), "yes/no")
    assert good[0].fields == {}


def test_hidden_answers(made, questions):
    good, bad = parts(made(questions))
    assert bad == []
    assert [question.answers for sample in good for question in sample.questions] == [()] * 3


def test_choices(made, questions, annotations):
    for row in questions["questions"]:
        row["multiple_choices"] = ["red", "blue", "yes", "no"]
    good, bad = parts(made(questions, annotations))
    assert bad == []
    assert good[1].questions[0].choices == ("red", "blue", "yes", "no")
    assert good[1].fields["right_choice"] == {30: "red", 31: "yes"}


def test_right_answer_must_be_a_choice(made, questions, annotations):
    questions["questions"][0]["multiple_choices"] = ["green", "blue"]
    _, bad = parts(made(questions, annotations))
    assert bad == ["q.json: question 30: the right answer is not among its choices"]


def test_image_names_from_the_captions_file(made, questions, annotations, captions):
    del questions["images"]
    good, bad = parts(made(questions, annotations, captions))
    assert bad == []
    assert good[1].captions == ("Red.", "All red.")
    assert len(good[1].questions) == 2


def test_images_of_either_file_are_given(made, questions, annotations, captions, picture):
    picture("c.png")
    captions["images"].append({"id": 9, "file_name": "c.png"})
    captions["annotations"].append({"id": 9, "image_id": 9, "caption": "Third."})
    good, bad = parts(made(questions, annotations, captions))
    assert bad == []
    assert [(s.id, len(s.captions), len(s.questions)) for s in good] == [(7, 1, 1), (3, 2, 2), (9, 1, 0)]


def test_image_names_by_pattern(made, questions, annotations, picture):
    del questions["images"]
    picture("val2014/COCO_val2014_000000000003.png")
    picture("val2014/COCO_val2014_000000000007.png")
    pattern = "{data_subtype}/COCO_{data_subtype}_{image_id:012d}.png"
    good, bad = parts(made(questions, annotations, image_pattern=pattern))
    assert bad == []
    assert [sample.image for sample in good] == [f"val2014/COCO_val2014_{n:012d}.png" for n in (3, 7)]


@pytest.mark.parametrize("pattern", ["{image}.jpg", "{image_id:zz}.jpg", "{image_id", "{0}.jpg", "{image_id.x}.jpg"])
def test_unusable_pattern(made, questions, pattern):
    del questions["images"]
    with pytest.raises(DataError, match="is not a usable pattern"):
        parts(made(questions, image_pattern=pattern))


def test_no_way_to_know_image_names(made, questions):
    del questions["images"]
    with pytest.raises(DataError) as caught:
        parts(made(questions))
    assert "image_pattern" in caught.value.remedy


def test_question_without_annotation_and_annotation_without_question(made, questions, annotations):
    annotations["annotations"][0]["question_id"] = 999
    good, bad = parts(made(questions, annotations))
    assert [question.id for question in good[1].questions] == [31]
    assert bad == [
        "a.json: annotation of question 999: has no question in q.json",
        "q.json: question 30: has no annotation in a.json",
    ]


def test_repeated_ids(made, questions, annotations):
    questions["questions"].append(dict(questions["questions"][0]))
    annotations["annotations"].append(dict(annotations["annotations"][0]))
    questions["images"].append({"id": 3, "file_name": "b.png"})
    good, bad = parts(made(questions, annotations))
    assert len(good[1].questions) == 2
    assert sorted(bad) == [
        "a.json: annotation 30: 'question_id' is there twice; the first was kept",
        "q.json: image 3: 'id' is there twice; the first was kept",
        "q.json: question 30: 'question_id' is there twice; the first was kept",
    ]


def test_question_about_an_unknown_image(made, questions, annotations):
    questions["questions"][0]["image_id"] = annotations["annotations"][0]["image_id"] = 55
    _, bad = parts(made(questions, annotations))
    assert bad == ["q.json: question 30: image_id 55 is not among the images"]


def test_image_with_neither_question_nor_caption(made, questions, annotations, picture):
    picture("c.png")
    questions["images"].append({"id": 9, "file_name": "c.png"})
    _, bad = parts(made(questions, annotations))
    assert bad == ["q.json: image 9: has neither question nor caption"]


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [("question", "", "question is empty"), ("question", 4, "question is not a text"),
     ("image_id", None, "is not a whole number"), ("image_id", 7, "about another image"),
     ("multiple_choices", "abc", "not a list of texts"), ("multiple_choices", [1, 2], "not a list of texts")],
)
def test_broken_questions(made, questions, annotations, key, value, what):
    questions["questions"][0][key] = value
    good, bad = parts(made(questions, annotations))
    assert sum(len(sample.questions) for sample in good) == 2
    assert len(bad) == 1
    assert bad[0].startswith("q.json: question 30: ")
    assert what in bad[0]


@pytest.mark.parametrize(
    ("answers", "what"),
    [([], "has no 'answers'"), (None, "has no 'answers'"), ("red", "has no 'answers'"),
     ([{"answer": " "}], "its answer is empty"), ([{"answer": 3}], "is not a text"), (["red"], "is not a text"),
     ([{"answer": "red"}, {}], "is not a text"), ([{"answer": "a\ud800"}], "half a character")],
)
def test_broken_answers(made, questions, annotations, answers, what):
    annotations["annotations"][0]["answers"] = answers
    _, bad = parts(made(questions, annotations))
    assert len(bad) == 1
    assert what in bad[0]


def test_one_silent_person_among_several_is_no_fault(made, questions, annotations):
    annotations["annotations"][0]["answers"][9]["answer"] = ""
    good, bad = parts(made(questions, annotations))
    assert bad == []
    assert good[1].questions[0].answers[9] == ""


@pytest.mark.parametrize("key", ["annotations", "captions"])
def test_file_of_a_split_without_questions(root, cache, key):
    config = VqaConfig(folder="set", questions={"val": "q.json"}, **{key: {"train": "x.json"}})
    with pytest.raises(DataError, match=f"{key}.train is named"):
        parts(Vqa(config, root, cache))


def test_all_files_and_pictures_count_for_the_fingerprint(made, questions, annotations, captions):
    seen = {made(questions, annotations).fingerprint(), made(questions).fingerprint(),
            made(questions, annotations, captions).fingerprint()}
    annotations["annotations"][2]["answers"][0]["answer"] = "no"
    seen.add(made(questions, annotations).fingerprint())
    assert len(seen) == 4
