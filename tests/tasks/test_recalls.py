"""Stored rows score as they did, fold by fold, and say how their lists came about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vlpbench.backbones import DualEncoder, DualFusion
from vlpbench.config.settings import Protocol
from vlpbench.data.examples import text_ids
from vlpbench.data.splits import Split
from vlpbench.errors import UserError
from vlpbench.metrics.folds import folded
from vlpbench.metrics.recall import chance
from vlpbench.records import read_predictions, write_predictions
from vlpbench.tasks.gallery import Gallery, States
from vlpbench.tasks.recalls import WAYS, recall_scores
from vlpbench.tasks.retrieval import Retrieval
from vlpbench.tasks.suite import run_task
from vlpbench.tasks.task import Readout, Row
from vlpbench.tasks.trial import Trial

Made = Callable[..., Trial]


def row(way: int, query: str, fold: int = 0, better: int = 0, **more: Any) -> Row:
    """A row as rows were before they had more columns."""
    return {"direction": WAYS[way], "query": query, "fold": fold, "better": better, "tied": 0, "right": 1, **more}


def gallery(fold: int, better: int) -> list[Row]:
    """Two images with one text each, all queries at one place."""
    names = [f"{fold}{at}" for at in "ab"]
    return [*(row(0, name, fold, better) for name in names), *(row(1, f"{name}/0", fold, better) for name in names)]


def repeated(split: Split) -> Split:
    """Pictures of which each says what its left neighbour says, too."""
    samples = split.samples
    return replace(split, samples=tuple(
        replace(one, captions=(*one.captions[:2], samples[at - 1].captions[0])) for at, one in enumerate(samples)
    ))


def test_folds_are_averaged() -> None:
    scores = recall_scores([*gallery(0, better=0), *gallery(1, better=1)])
    assert scores.values["TR@1"] == scores.values["IR@1"] == 50 and scores.values["TR_mean"] == 1.5
    assert scores.values["images"] == 2
    assert scores.told == {"images": 4, "texts": 4, "folds": 2, "same_texts": False}
    assert scores.floors["chance"]["IR@1"] == 50 and scores.floors["chance"]["IR@5"] == 100


def test_rows_without_folds_are_one_gallery() -> None:
    rows = [{key: value for key, value in one.items() if key != "fold"} for one in gallery(0, better=1)]
    scores = recall_scores(rows)
    assert scores.values["rsum"] == 400 and scores.told["folds"] == 1 and scores.examples == 4


@pytest.mark.parametrize("same", [False, True])
def test_folds_and_masks_are_those_of_the_matrix(
    same: bool, trial: Made, opened: Callable[..., Split], tmp_path: Path
) -> None:
    made = trial("retrieval", DualEncoder, protocol=Protocol(folds=3, same_texts=same))
    split = repeated(opened("test"))
    backbone = made.build(Retrieval().needs(made.blueprint.offers)).eval()
    rows = Retrieval().predict(backbone, Readout("vectors"), split, made)
    whole = Gallery(split)
    images, sentences = States(whole, backbone, made).vectors(keep=False)
    numbers = text_ids(whole.texts)
    matrix = images @ sentences[numbers].T
    expected = folded(matrix, whole.owner, 3, numbers if same else None)
    scores = Retrieval().score(rows)
    assert scores.values == pytest.approx(expected)
    assert (scores.values["masked"] or 0) > 0 or not same
    assert scores.told == {"images": 12, "texts": 36, "folds": 3, "same_texts": same}
    small = [chance(4, whole.owner[:12], numbers[at : at + 12] if same else None) for at in (0, 12, 24)]
    assert scores.floors["chance"] == pytest.approx({key: np.mean([one[key] for one in small]) for key in small[0]})
    write_predictions(tmp_path / "rows.parquet", rows)
    again = Retrieval().score(read_predictions(tmp_path / "rows.parquet"))
    assert (again.values, again.floors, again.told) == (scores.values, scores.floors, scores.told)


def test_a_fold_is_a_closed_gallery(towers: Made, opened: Callable[..., Split]) -> None:
    made = towers("retrieval", protocol=Protocol(folds=4))
    split = opened("test")
    backbone = made.build(Retrieval().needs(made.blueprint.offers)).eval()
    rows = Retrieval().predict(backbone, Readout("vectors"), split, made)
    for one in rows:
        mine = {str(sample.id) for sample in split.samples[3 * one["fold"] : 3 * one["fold"] + 3]}
        assert {item.partition("/")[0] for item in one["found"]} <= mine and one["query"].partition("/")[0] in mine
    unequal = replace(made, protocol=Protocol(folds=5))
    with pytest.raises(UserError, match="12 images do not make 5 folds"):
        Retrieval().predict(backbone, Readout("vectors"), split, unequal)


@pytest.mark.parametrize(("k", "note"), [(3, "only 3 items"), (10, None), (0, None), (99, None)])
def test_what_was_re_ranked_is_told(k: int, note: str | None, trial: Made) -> None:
    made = trial("retrieval@match", DualFusion, protocol=Protocol(samples=16, batch=8, shortlist=k))
    outcome = run_task(made)
    told = dict(outcome.scores.told)
    said = told.pop("note", None)
    assert said is None if note is None else said.startswith(note)
    assert told == {
        "images": 12, "texts": 60, "folds": 1, "same_texts": False,
        "k": k, "rule": "match", "shortlist": "vectors" if k else "all pairs",
    }
    assert outcome.head == "match" and outcome.scores.floors["chance"]["IR@1"] == pytest.approx(100 / 12)
    by_image = [one for one in outcome.rows if one["direction"] == WAYS[0]]
    assert {len(one["found"]) for one in by_image} == {50}
    assert {one["listed"] for one in by_image} == {min(k or 60, 60)}
    assert all((one["text"] is None) == (one["direction"] == WAYS[0]) for one in outcome.rows)
