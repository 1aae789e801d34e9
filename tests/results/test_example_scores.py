"""Scores of single examples: their mean is the recorded value, or there are none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vlpbench.errors import UserError
from vlpbench.results import load
from vlpbench.results.example_scores import image_scores


def questions(*right: float) -> list[dict[str, Any]]:
    """Two questions a picture, one kind each."""
    return [
        {"question_id": at, "image_id": at // 2, "question_type": "how many" if at % 2 else "what",
         "prediction": "x", "accuracy": score}
        for at, score in enumerate(right)
    ]


def captions(*cider: float) -> list[dict[str, Any]]:
    return [{"image_id": at, "prediction": "x", "CIDEr": score, "Bleu_4": score} for at, score in enumerate(cider)]


def queries(way: str, *better: int) -> list[dict[str, Any]]:
    names = [f"{at // 2}/{at}" if way == "text to image" else str(at) for at in range(len(better))]
    return [
        {"direction": way, "query": name, "better": count, "tied": 0, "right": 1}
        for name, count in zip(names, better, strict=True)
    ]


def test_shares_of_questions_become_percent(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 62.5}, predictions={"vqa": questions(1, 0.5, 1, 0)})
    found = load(grid.folder).examples("vqa", "accuracy")
    assert found["score"].tolist() == [100, 50, 100, 0] and found["score"].mean() == 62.5
    assert found["example"].tolist() == ["0", "1", "2", "3"] and found["image"].tolist() == ["0", "0", "1", "1"]
    assert found[["grid", "row", "seed", "task", "metric"]].drop_duplicates().to_numpy().tolist() == [
        ["small", "a", 0, "vqa", "accuracy"]
    ]


def test_a_part_of_the_questions(grid: Any) -> None:
    values = {"accuracy": 62.5, "accuracy[kind=how many]": 25.0}
    folder = grid.done("a", 0, {"accuracy": 62.5}, predictions={"vqa": questions(1, 0.5, 1, 0)})
    scores = folder.read("scores.json")
    scores["tasks"]["vqa"]["values"] = values
    folder.score_again(scores, {"vqa": questions(1, 0.5, 1, 0)})
    found = load(grid.folder).examples("vqa", "accuracy[kind=how many]")
    assert found["score"].tolist() == [50, 0] and found["image"].tolist() == ["0", "1"]


def test_captions_keep_their_scale(grid: Any) -> None:
    grid.done("a", 0, {"CIDEr": 1.5}, predictions={"captioning": captions(1.0, 2.0)})
    assert load(grid.folder).examples("captioning", "CIDEr")["score"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(("metric", "way", "images"), [
    ("TR@1", "image to text", ["0", "1", "2", "3"]), ("IR@1", "text to image", ["0", "0", "1", "1"]),
])
def test_queries_hit_or_miss(another: Any, metric: str, way: str, images: list[str]) -> None:
    grid = another("found")
    grid.tasks = ("retrieval",)
    folder = grid.done("a", 0, {"TR@1": 50.0})
    scores = folder.read("scores.json")
    scores["tasks"]["retrieval"]["values"] = {metric: 50.0}
    folder.score_again(scores, {"retrieval": queries(way, 0, 3, 0, 1)})
    found = load(grid.folder).examples("retrieval", metric)
    assert found["score"].tolist() == [100, 0, 100, 0] and found["image"].tolist() == images


def test_a_score_of_the_whole_set_has_none(grid: Any) -> None:
    grid.done("a", 0, {"Bleu_4": 0.7}, predictions={"captioning": captions(0.5, 1.0)})
    with pytest.raises(UserError, match=r"mean of the examples' Bleu_4 is 0.75 and the recorded value 0.7") as caught:
        load(grid.folder).examples("captioning", "Bleu_4")
    assert "over seeds" in caught.value.remedy
    grid.done("b", 0, {"METEOR": 0.7}, predictions={"captioning": captions(0.5)})
    with pytest.raises(UserError, match="METEOR is no mean of scores"):
        load(grid.folder).examples("captioning", "METEOR")


def test_what_is_not_there_is_named(grid: Any) -> None:
    folder = grid.done("a", 0, {"accuracy": 50.0, "CIDEr": None}, predictions={"vqa": questions(1, 0)})
    results = load(grid.folder)
    with pytest.raises(UserError, match="unknown task 'vqaa'"):
        results.examples("vqaa", "accuracy")
    with pytest.raises(UserError, match="unknown metric 'acuracy'") as caught:
        results.examples("vqa", "acuracy")
    assert "accuracy" in caught.value.remedy
    with pytest.raises(UserError, match="no cell has a value of captioning CIDEr"):
        results.examples("captioning", "CIDEr")
    (folder.path / "predictions" / "vqa.parquet").write_bytes(b"PAR1")
    with pytest.raises(UserError, match="cannot read predictions"):
        results.examples("vqa", "accuracy")


def test_a_row_as_sums_over_images(grid: Any) -> None:
    for seed, right in ((1, (0, 0, 1, 0)), (0, (1, 1, 1, 0))):
        grid.done("a", seed, {"accuracy": 25.0 * sum(right)}, predictions={"vqa": questions(*right)})
    found = image_scores(load(grid.folder), "small", "a", "vqa", "accuracy")
    assert found.seeds == (0, 1) and found.images == ("0", "1")
    assert found.counts.tolist() == [2, 2] and found.sums.tolist() == [[200, 100], [0, 100]]
    assert np.allclose(found.sums.sum(1) / found.counts.sum(), [75, 25])


def test_seeds_that_were_asked_other_questions_are_no_pairs(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 50.0}, predictions={"vqa": questions(1, 0)})
    grid.done("a", 1, {"accuracy": 50.0}, predictions={"vqa": questions(1, 0, 1, 0)})
    with pytest.raises(UserError, match="different examples"):
        image_scores(load(grid.folder), "small", "a", "vqa", "accuracy")
    with pytest.raises(UserError, match="row 'b' of small has no value"):
        image_scores(load(grid.folder), "small", "b", "vqa", "accuracy")


def test_no_example_is_no_score(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 50.0}, predictions={"vqa": questions()})
    with pytest.raises(UserError):
        load(grid.folder).examples("vqa", "accuracy")
