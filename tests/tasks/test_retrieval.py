"""Retrieval: rows that say what was found, and recalls that are those of the whole matrix."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from vlpbench.config.task_name import ProtocolName
from vlpbench.contract.abilities import Backbone
from vlpbench.data.errors import DataError
from vlpbench.data.splits import Split
from vlpbench.errors import UserError
from vlpbench.metrics.recall import recall
from vlpbench.tasks.retrieval import Retrieval
from vlpbench.tasks.task import Readout
from vlpbench.tasks.trial import Trial
from vlpbench.types import Sample

Made = Callable[..., Trial]
NEEDS = frozenset({"image_vector", "text_vector"})
ASKED = Readout("vectors")


def slow_scores(backbone: Backbone, split: Split, made: Trial) -> tuple[np.ndarray, list[int]]:
    """Pictures times captions, one pair after the other."""
    owner, columns = [], []
    with torch.no_grad():
        seen = [backbone.see(made.pictures(split, [row])) for row in range(len(split.samples))]
        images = [backbone.image_vector(one)[0] for one in seen]
        for row, sample in enumerate(split.samples):
            for caption in sample.captions:
                tokens, mask = made.tokenizer.encode([caption], made.settings.text.length)
                text = backbone.text_vector(backbone.read(torch.from_numpy(tokens), torch.from_numpy(mask)))[0]
                columns.append([float(image @ text) for image in images])
                owner.append(row)
    return np.array(columns, np.float32).T, owner


@pytest.mark.parametrize("kind", ["trial", "towers"])
def test_scores_are_the_recalls_of_the_matrix(
    kind: str, request: pytest.FixtureRequest, opened: Callable[..., Split]
) -> None:
    made: Trial = request.getfixturevalue(kind)("retrieval")
    split = opened("test")
    backbone = made.build(NEEDS).eval()
    rows = Retrieval().predict(backbone, ASKED, split, made)
    scores = Retrieval().score(rows)
    matrix, owner = slow_scores(backbone, split, made)
    expected = recall(matrix, owner)
    for metric in ("TR@1", "TR@5", "TR@10", "IR@1", "IR@5", "IR@10", "rsum", "images", "texts"):
        assert scores.values[metric] == pytest.approx(expected[metric]), metric
    assert scores.examples == len(rows) == len(split.samples) + len(owner)
    assert scores.values["images"] == 12 and scores.values["texts"] == len(owner) == 60


def test_rows_tell_what_was_found(towers: Made, opened: Callable[..., Split]) -> None:
    made, split = towers("retrieval"), opened("test")
    backbone = made.build(NEEDS).eval()
    rows = Retrieval().predict(backbone, ASKED, split, made)
    matrix, owner = slow_scores(backbone, split, made)
    ids = [str(sample.id) for sample in split.samples]
    texts = [f"{sample.id}/{number}" for sample in split.samples for number in range(len(sample.captions))]
    to_text, to_image = rows[:12], rows[12:]
    assert [row["query"] for row in to_text] == ids and [row["query"] for row in to_image] == texts
    for row, scores in zip(to_text, matrix, strict=True):
        assert row["direction"] == "image to text"
        assert row["scores"] == pytest.approx(sorted(scores, reverse=True)[:50], abs=1e-5)
        found = [scores[texts.index(text)] for text in row["found"]]
        assert found == pytest.approx(row["scores"], abs=1e-5)
        best_own = max(score for score, of in zip(scores, owner, strict=True) if ids[of] == row["query"])
        assert row["better"] == sum(scores > best_own + 1e-7)
        assert row["rank"] == row["better"] + row["tied"] / (row["right"] + 1)
    for at, row in enumerate(to_image):
        assert row["direction"] == "text to image"
        assert row["found"][0] == ids[int(matrix[:, at].argmax())]
        assert len(row["found"]) == len(row["scores"]) == 12


def test_the_floor_is_a_random_order(towers: Made, opened: Callable[..., Split]) -> None:
    made, split = towers("retrieval"), opened("test")
    rows = Retrieval().predict(made.build(NEEDS).eval(), ASKED, split, made)
    floor = Retrieval().score(rows).floors["chance"]
    assert floor["IR@1"] == pytest.approx(100 / 12)
    assert floor["IR@5"] == pytest.approx(500 / 12)
    missed = np.prod([(55 - taken) / (60 - taken) for taken in range(10)])
    assert floor["TR@10"] == pytest.approx(100 * (1 - missed))


def test_only_pictures_with_captions_are_in_the_gallery(towers: Made, opened: Callable[..., Split]) -> None:
    whole = opened("test")
    samples = tuple(
        Sample(s.id, s.image) if at % 2 else Sample(s.id, s.image, s.captions[: at + 1])
        for at, s in enumerate(whole.samples)
    )
    split = Split("digits", "test", samples, whole.pixels, ())
    made = towers("retrieval")
    rows = Retrieval().predict(made.build(NEEDS).eval(), ASKED, split, made)
    queries = [row["query"] for row in rows if row["direction"] == "image to text"]
    assert queries == [str(s.id) for s in whole.samples[::2]]
    assert len(rows) == 6 + sum(len(s.captions) for s in samples)
    bare = Split("digits", "test", tuple(Sample(s.id, s.image) for s in samples), whole.pixels, ())
    with pytest.raises(DataError, match="no captions"):
        Retrieval().predict(made.build(NEEDS).eval(), ASKED, bare, made)


def test_scores_that_are_not_finite_are_an_error(towers: Made, opened: Callable[..., Split]) -> None:
    made = towers("retrieval")
    backbone = made.build(NEEDS).eval()
    with torch.no_grad():
        backbone.image_head.linear.weight.fill_(float("nan"))  # type: ignore[union-attr, operator]
    with pytest.raises(UserError, match="not a finite number"):
        Retrieval().predict(backbone, ASKED, opened("test"), made)


@pytest.mark.parametrize(
    ("offers", "trains", "protocol", "reason"),
    [
        (NEEDS, set(), "fine-tune", None),
        (NEEDS, {"vectors"}, "zero-shot", None),
        (NEEDS, {"decode"}, "zero-shot", "n/a: pretraining did not train vectors"),
        ({"image_vector"}, {"vectors"}, "fine-tune", "n/a: needs image_vector and text_vector"),
    ],
)
def test_why_not(offers: set[str], trains: set[str], protocol: ProtocolName, reason: str | None) -> None:
    assert Retrieval().why_not(offers, trains, protocol) == reason
