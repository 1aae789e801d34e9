"""The list of suite names is the suite's, and knows what a plugin may not take."""

from __future__ import annotations

import pytest

from vlpbench.metrics.captions import METRICS
from vlpbench.metrics.classification import accuracies
from vlpbench.metrics.names import SUITE, extras_among, is_suite, taken
from vlpbench.metrics.recall import recall
from vlpbench.metrics.vqa_accuracy import EXACT


def test_captions_are_those_that_are_measured() -> None:
    assert SUITE["captioning"] == METRICS


def test_retrieval_has_all_that_a_summary_has() -> None:
    found = recall([[1.0, 0.0], [0.0, 1.0]], [0, 1])
    assert set(found) <= set(SUITE["retrieval"])
    assert {name for name in SUITE["retrieval"] if "@" in name} == {name for name in found if "@" in name}


def test_classification_and_answers_are_known_with_their_parts() -> None:
    found = accuracies(["a", "b"], [list("abcdef"), list("bacdef")], 6)
    assert all(is_suite(name) for name in (*found, *EXACT, "accuracy[answer_kind=number]", "multiple_choice[kind=a]"))


@pytest.mark.parametrize("name", ["accuracy", "cider", "CIDEr", "bleu_4", "rsum", "prediction", "rank", "image_id"])
def test_a_name_of_the_suite_is_taken(name: str) -> None:
    assert taken(name)


@pytest.mark.parametrize("name", ["caption-length", "clip-score", "accuracy-of-colours"])
def test_any_other_is_free(name: str) -> None:
    assert not taken(name) and not is_suite(name)


def test_extras_are_what_the_suite_has_not() -> None:
    assert extras_among(["CIDEr", "length", "accuracy[kind=x]", "length", "colour"]) == ("length", "colour")
