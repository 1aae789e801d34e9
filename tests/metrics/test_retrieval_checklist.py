"""The retrieval rows of the conformance checklist, 19 to 25: mistakes that evaluation code makes, one test each.

Every row states the mistake, shows what it would have given, and checks that it is not what comes out here.
"""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from vlpbench.errors import UserError
from vlpbench.metrics.folds import folded
from vlpbench.metrics.recall import chance, ranks, ranks_of_vectors, recall, summary
from vlpbench.metrics.shortlist import k_note, reranked_matrix, statement


def test_row_19_recall_is_a_hit_rate_and_five_captions_are_not_five_pairs() -> None:
    owner = np.repeat(np.arange(6), 5)
    similarity = np.zeros((6, 30))
    similarity[np.arange(6), np.arange(6) * 5] = 2  # each image finds the first of its five captions
    similarity[:, 1::5] = 1  # a caption of each image that every image likes equally well
    found = recall(similarity, owner)
    share_of_right = np.mean([(owner[row.argmax()] == image) / 5 for image, row in enumerate(similarity)])
    assert found["TR@1"] == 100 and share_of_right == pytest.approx(0.2)
    # Flattened to 30 pairs an image stands five times, and its other captions are wrong answers to it.
    flattened = recall(similarity[owner], np.arange(30))
    assert flattened["TR@1"] < 100 and flattened["images"] == 30
    assert found["images"] == 6 and found["texts"] == 30


def test_row_20_ties_are_counted_by_query_not_by_score_value() -> None:
    similarity = np.array([[0.5, 0.5, 0.1], [0.5, 0.5, 0.5], [0.0, 0.2, 0.3]])
    by_value = np.argwhere(np.sort(similarity, axis=1)[:, ::-1] == np.diag(similarity)[:, None])
    assert len(by_value) > 3  # more ranks than queries
    by_image, by_text = ranks(similarity, [0, 1, 2])
    assert len(by_image.expected()) == len(by_text.expected()) == 3
    assert by_image.expected().tolist() == [0.5, 1.0, 0.0]
    assert recall(similarity, [0, 1, 2])["TR_tied"] == 2


@pytest.mark.parametrize("value", [0.0, 0.5, -1.0])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int64])
def test_row_21_a_constant_scorer_is_at_chance(value: float, dtype: type) -> None:
    owner = np.repeat(np.arange(20), 5)
    found, floor = recall(np.full((20, 100), value, dtype), owner), chance(20, owner)
    assert {name: found[name] for name in floor} == pytest.approx(floor)
    assert found["TR@1"] == pytest.approx(5.0) and found["IR@1"] == pytest.approx(5.0)
    assert found["IR_mean"] == pytest.approx(10.5)
    assert (found["TR_tied"], found["IR_tied"]) == (20, 100)


def test_row_21_scores_that_are_not_numbers_are_refused() -> None:
    bad = np.full((4, 4), np.nan, np.float32)
    assert not (bad > np.diag(bad)[:, None]).any()  # so that counting better items gives 100 %
    for attempt in (
        lambda: recall(bad, range(4)),
        lambda: ranks_of_vectors(bad, bad, range(4)),
        lambda: folded(bad, range(4), 2),
        lambda: reranked_matrix(np.eye(4), bad, range(4), 2, "match"),
    ):
        with pytest.raises(UserError, match="not a finite number"):
            attempt()


def test_row_22_directions_are_not_swapped() -> None:
    # Three images, nine captions. Each image finds a caption of its own first; all captions but those find image 0.
    owner = np.repeat(np.arange(3), 3)
    similarity = np.zeros((3, 9))
    similarity[0] = 5
    similarity[np.arange(3), np.arange(3) * 3] = 9
    found = recall(similarity, owner)
    assert found["TR@1"] == 100
    assert found["IR@1"] == pytest.approx(100 * 5 / 9)
    assert (found["images"], found["texts"]) == (3, 9)
    with pytest.raises(UserError, match="rows are images"):
        recall(similarity.T, np.arange(9).repeat(2))
    assert (len(ranks(similarity, owner)[0].better), len(ranks(similarity, owner)[1].better)) == (3, 9)


def test_row_23_gallery_sizes_are_part_of_every_result() -> None:
    rng = np.random.default_rng(0)
    owner = np.repeat(np.arange(10), 5)
    similarity = rng.normal(size=(10, 50)) + 2 * (owner[None] == np.arange(10)[:, None])
    whole = recall(similarity, owner)
    half = recall(similarity[:5, :25], owner[:25])
    assert (whole["images"], whole["texts"]) == (10, 50) and (half["images"], half["texts"]) == (5, 25)
    assert half["IR@1"] > whole["IR@1"]  # a smaller gallery is easier: the number alone says nothing
    again = summary(*reranked_matrix(similarity, similarity, owner, 5, "match"))
    assert (again["images"], again["texts"]) == (10, 50)
    assert folded(similarity, owner, 2)["images"] == 5


def test_row_24_folds_are_averaged_and_closed() -> None:
    rng = np.random.default_rng(1)
    owner = np.repeat(np.arange(20), 5)
    similarity = rng.normal(size=(20, 100)) + 1.5 * (owner[None] == np.arange(20)[:, None])
    parts = [recall(similarity[at : at + 4, 5 * at : 5 * at + 20], owner[:20]) for at in range(0, 20, 4)]
    found = folded(similarity, owner)
    assert found["IR@1"] == pytest.approx(np.mean([part["IR@1"] for part in parts]))
    assert found["IR@1"] != pytest.approx(parts[0]["IR@1"])  # the first fold alone
    assert found["IR@1"] > recall(similarity, owner)["IR@1"]  # the whole gallery
    mixed = rng.permutation(100)
    assert folded(similarity[:, mixed], owner[mixed]) == pytest.approx(found)


def test_row_25_rule_and_k_are_said_and_have_no_default() -> None:
    asked = inspect.signature(reranked_matrix).parameters
    assert asked["k"].default is asked["rule"].default is inspect.Parameter.empty
    assert "top 16" in statement(16, "match") and "by match;" in statement(16, "match")
    assert "by match + vector;" in statement(16, "match + vector")
    assert k_note(9) and not k_note(10)
    rng = np.random.default_rng(0)
    vector, match = rng.normal(size=(2, 30, 60))
    owner = np.arange(60) // 2
    results = {
        (k, rule): summary(*reranked_matrix(vector, match, owner, k, rule))["IR_mean"]
        for k in (10, 20)
        for rule in ("match", "match + vector")
    }
    assert len(set(results.values())) == 4  # each names another result
