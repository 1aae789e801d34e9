"""Score matrices through to recalls, against sorting; folds, re-ranking, ties, options that contradict each other."""

from __future__ import annotations

import numpy as np
import pytest

from vlpbench.errors import UserError
from vlpbench.metrics.folds import folded
from vlpbench.metrics.recall import recall, summary
from vlpbench.metrics.shortlist import reranked_matrix
from vlpbench.scoring.retrieval import RetrievalFiles, score_retrieval

IMAGES, TEXTS = 12, 36
RNG = np.random.default_rng(4)
OWNER = RNG.permutation(np.repeat(np.arange(IMAGES), TEXTS // IMAGES))
SCORES = RNG.normal(size=(IMAGES, TEXTS)).astype(np.float32)
SCORES[OWNER, np.arange(TEXTS)] += 1
MATCH = SCORES + RNG.normal(size=SCORES.shape).astype(np.float32)


@pytest.fixture
def scored(write):
    """Scores, and what else is said -> what is found."""

    def score(scores=SCORES, owner=OWNER, match=None, **more):
        if match is not None:
            more["rerank"] = write("m.npy", match)
        return score_retrieval(RetrievalFiles(write("s.npy", scores), write("t.npy", owner), **more))

    return score


def sorted_ranks(scores, owner):
    """Zero-based ranks by sorting, as `itm_eval` and VSE++ do: of each image's best text, and of each text's image."""
    by_image = [min(np.flatnonzero(owner[np.argsort(-row)] == image)) for image, row in enumerate(scores)]
    by_text = [int(np.flatnonzero(np.argsort(-scores[:, text]) == owner[text])[0]) for text in range(len(owner))]
    return np.array(by_image), np.array(by_text)


def test_recalls_and_ranks_are_those_of_sorting(scored):
    found = scored().found
    images, texts = sorted_ranks(SCORES, OWNER)
    for direction, ranks in (("TR", images), ("IR", texts)):
        for k in (1, 5, 10):
            assert found[f"{direction}@{k}"] == pytest.approx(100 * np.mean(ranks < k))
        assert found[f"{direction}_median"] == np.floor(np.median(ranks)) + 1
        assert found[f"{direction}_mean"] == pytest.approx(np.mean(ranks) + 1)
    assert found["rsum"] == pytest.approx(sum(found[f"{d}@{k}"] for d in ("TR", "IR") for k in (1, 5, 10)))
    assert (found["images"], found["texts"], found["TR_tied"], found["IR_tied"]) == (IMAGES, TEXTS, 0, 0)
    assert (found["folds"], found["ties"], found["rerank"]) == (1, "expected", None)


def test_rows_are_queries_in_the_order_of_the_files(scored):
    rows = scored().rows()
    images, texts = sorted_ranks(SCORES, OWNER)
    assert [row["rank"] for row in rows] == [*(images + 1), *(texts + 1)]
    assert [(row["direction"], row["query"]) for row in rows] == [
        *(("TR", at) for at in range(IMAGES)), *(("IR", at) for at in range(TEXTS)),
    ]
    assert [row["hit@5"] for row in rows[:IMAGES]] == [float(rank < 5) for rank in images]


def test_a_constant_scorer_is_at_chance_and_every_query_tied(scored):
    result = scored(np.zeros_like(SCORES))
    assert result.found["IR@1"] == pytest.approx(100 / IMAGES)
    assert (result.found["TR_tied"], result.found["IR_tied"]) == (IMAGES, TEXTS)
    assert scored(np.zeros_like(SCORES), ties="optimistic").found["rsum"] == 600
    assert scored(np.zeros_like(SCORES), ties="pessimistic").found["rsum"] == 0
    assert "exact expectation" in result.text


def test_folds_are_closed_galleries_and_rows_keep_their_places(scored):
    result = scored(folds=3)
    assert {key: result.found[key] for key in ("TR@1", "IR@5", "rsum", "IR_mean")} == pytest.approx(
        {key: folded(SCORES, OWNER, 3)[key] for key in ("TR@1", "IR@5", "rsum", "IR_mean")}
    )
    assert (result.found["images"], result.found["texts"], result.found["folds"]) == (4, 12, 3)
    texts = [row for row in result.rows() if row["direction"] == "IR"]
    assert sorted(row["query"] for row in texts) == list(range(TEXTS))
    assert all(row["fold"] == OWNER[row["query"]] // 4 for row in texts)
    assert "mean over 3 consecutive folds" in result.text
    assert scored(np.zeros_like(SCORES), folds=3).found["IR_tied"] == TEXTS


@pytest.mark.parametrize(("rule", "name"), [("match", "match"), ("match+vector", "match + vector"), (None, "match")])
def test_reranking_by_each_rule(scored, rule, name):
    result = scored(match=MATCH, k=4, rule=rule)
    wanted = summary(*reranked_matrix(SCORES, MATCH, OWNER, 4, name))
    assert {key: result.found[key] for key in ("TR@1", "IR@1", "rsum")} == pytest.approx(
        {key: wanted[key] for key in ("TR@1", "IR@1", "rsum")}
    )
    assert result.found["rerank"] == {
        "k": 4, "rule": rule or "match", "directions": "each its own shortlist",
    }
    assert "top 4 of each query" in result.text and "part of R@5, R@10" in result.text


def test_matching_scores_outside_the_shortlists_are_not_read(scored):
    k = 4
    listed = np.zeros(SCORES.shape, bool)
    np.put_along_axis(listed, np.argsort(-SCORES, axis=1)[:, :k], True, axis=1)
    np.put_along_axis(listed, np.argsort(-SCORES, axis=0)[:k], True, axis=0)
    match = np.where(listed, MATCH, np.nan)
    assert scored(match=match, k=k).found["rsum"] == scored(match=MATCH, k=k).found["rsum"]
    with pytest.raises(UserError, match="not a finite number") as wrong:
        scored(match=match, k=k + 1)
    assert "--rerank" in wrong.value.place


def test_reranking_of_everything_is_ranking_by_the_match_alone(scored):
    assert scored(match=MATCH, k=TEXTS).found["rsum"] == pytest.approx(recall(MATCH, OWNER)["rsum"])


def test_reranking_within_folds_shortlists_within_folds(scored):
    wanted = folded(MATCH, OWNER, 3)["rsum"]
    assert scored(match=MATCH, k=TEXTS, folds=3).found["rsum"] == pytest.approx(wanted)


def test_equal_texts_of_other_images_are_left_out(scored, write):
    labels = np.array([f"text {at % 6}" for at in range(TEXTS)])
    result = scored(same_text=write("l.npy", labels))
    numbers = np.unique(labels, return_inverse=True)[1]
    assert result.found["rsum"] == pytest.approx(recall(SCORES, OWNER, numbers)["rsum"])
    assert result.found["masked"] > 0 and "equal text are left out" in result.text


def test_half_precision_is_said(scored):
    assert any("float16" in note for note in scored(SCORES.astype(np.float16)).found["notes"])


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ({"k": 4}, "--k says how to re-rank, but --rerank is not given"),
        ({"rule": "match"}, "--rule says how to re-rank"),
        ({"match": MATCH}, "--rerank needs --k"),
        ({"match": MATCH, "k": 0}, "1 or more, not 0"),
        ({"match": MATCH, "k": 4, "rule": "sum"}, "unknown re-ranking rule 'sum'"),
        ({"match": MATCH.T, "k": 4}, r"has the shape \(36, 12\), but the scores have \(12, 36\)"),
        ({"folds": 5}, "12 images do not make 5 folds"),
        ({"scores": np.where(SCORES[3, 4] == SCORES, np.nan, SCORES)}, "image 3 and text 4 is nan"),
        ({"scores": SCORES.T}, "names the images of 36 texts, but the scores have 12 columns"),
        ({"owner": OWNER + 1}, "counts images from 1"),
        ({"owner": OWNER * 2}, "points at rows"),
        ({"owner": np.where(OWNER == 3, 2, OWNER)}, "1 of 12 images have no text"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(scored, said, cause):
    with pytest.raises(UserError, match=cause) as wrong:
        scored(**said)
    assert wrong.value.place.startswith("--")
