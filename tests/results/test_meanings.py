"""What numbers mean is read from the record: sizes, rules, lists and their directions."""

from __future__ import annotations

from typing import Any

import pytest

from vlpbench.results.meanings import meaning, sizes

RETRIEVAL = "percent, TR: find a text of an image, IR: find the image of a text"


def one(told: dict[str, Any], *metrics: str) -> dict[str, Any]:
    return {"values": dict.fromkeys(metrics, 1.0), "told": told, "examples": 1_200}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "1,200 examples"),
        ({"images": 50}, "1,200 examples on 50 images"),
        ({"images": 1}, "1,200 examples on 1 image"),
        ({"images": 1_200}, "1,200 images"),
        ({"images": 200, "texts": 1_000}, "200 images and 1,000 texts"),
    ],
)
def test_sizes(told: dict[str, Any], said: str) -> None:
    assert sizes(one(told)) == said


@pytest.mark.parametrize("rule", ["always", "2016", "2021"])
def test_the_rule_of_normalisation_is_the_records(rule: str) -> None:
    said = meaning("vqa@decoder", one({"normalisation": rule}, "accuracy"))
    assert said == f"percent, leave-one-out accuracy, answers normalised by rule `{rule}`"


def test_sets_with_one_answer_name_both_ways_of_equality() -> None:
    said = meaning("vqa", one({"normalisation": "always"}, "exact", "exact_normalised"))
    assert said == "percent, exact match of the one answer, as written and normalised"


def test_choices_with_their_prompt_and_context() -> None:
    told = {"images": 9, "prompt": "question: {question} answer:", "visible": "causal"}
    assert meaning("vqa@choices@zero-shot", one(told, "multiple_choice")) == (
        "percent of right choices; asked as \"question: {question} answer:\"; context visible 'causal'"
    )
    plain = one({"prompt": "{question}", "visible": "all"}, "multiple_choice")
    assert meaning("vqa@choices", plain) == "percent of right choices"


def test_captions_say_their_tokens_and_scale() -> None:
    said = meaning("captioning@zero-shot", one({"images": 3, "tokenizer": "PTB"}, "CIDEr"))
    assert said == "pycocoevalcap's scales times 100, PTB tokens; CIDEr is CIDEr-D"


def test_a_shortlist_says_k_rule_and_direction() -> None:
    told = {"images": 50, "folds": 1, "same_texts": False, "k": 32, "rule": "match", "shortlist": "vectors"}
    assert meaning("retrieval@match", one(told)) == (
        f"{RETRIEVAL}; each direction its own shortlist of k = 32 by vectors, ordered by match alone; all others below "
        "it by vectors"
    )
    added = meaning("retrieval@match", one({**told, "rule": "match + vector"}))
    assert "ordered by match + vector; all others" in added


def test_without_a_shortlist_all_pairs_are_ordered() -> None:
    told = {"k": 0, "rule": "likelihood per token", "shortlist": "all pairs"}
    assert meaning("retrieval@likelihood", one(told)) == f"{RETRIEVAL}; all pairs ordered by likelihood per token"


def test_folds_equal_texts_and_a_short_list_are_told() -> None:
    told = {"folds": 5, "same_texts": True, "note": "only 8 items of each query were re-ranked"}
    assert meaning("retrieval", one(told)) == (
        f"{RETRIEVAL}; mean of 5 folds, each a gallery of its own; texts that read as a right one do not compete; "
        "only 8 items of each query were re-ranked"
    )
    assert meaning("retrieval", one({"folds": 1, "same_texts": False})) == RETRIEVAL


def test_classes_and_their_templates() -> None:
    told = {"classes": 8, "templates": ["a picture of {}"], "labels_not_in_training": 0, "cut_prompts": 0}
    assert meaning("classification@zero-shot", one(told)) == 'percent; 8 classes; class prompts: "a picture of {}"'
    many = {**told, "templates": ["a {}", "one {}"], "labels_not_in_training": 1, "cut_prompts": 3, "unlabelled": 2}
    said = meaning("classification@zero-shot", one(many))
    for words in ('mean of 2 templates, first "a {}"', "1 image of classes that training does not have",
                  "3 class prompts cut (text.length)", "2 images without a label left out"):
        assert words in said.removeprefix("percent; 8 classes; ")
    assert meaning("classification@probe", one({})) == "percent"


@pytest.mark.parametrize("task", ["vqa", "captioning", "retrieval", "classification@probe"])
def test_what_is_told_beyond_is_left(task: str) -> None:
    assert meaning(task, one({"moon": "full"}, "accuracy")) == meaning(task, one({}, "accuracy"))


def test_a_task_that_is_not_known_has_no_meaning() -> None:
    assert meaning("grounding", one({"images": 3})) == ""
