"""Labelled pictures: which are left out, and features that depend on no block."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from vlpbench.data.errors import DataError
from vlpbench.data.splits import Split
from vlpbench.tasks.labelled import Labelled
from vlpbench.tasks.trial import Trial
from vlpbench.training.pace import Pace
from vlpbench.types import Sample

Made = Callable[..., Trial]


def relabelled(split: Split, label: Callable[[int], Any]) -> Split:
    """The same pictures with other labels; None leaves the field away."""
    samples = (
        dataclasses.replace(one, fields={} if label(at) is None else {"label": label(at)})
        for at, one in enumerate(split.samples)
    )
    return dataclasses.replace(split, samples=tuple(samples))


def test_pictures_without_a_label_are_left_out_and_counted(opened: Callable[..., Split]) -> None:
    split = relabelled(opened("test"), lambda at: [None, "", "dog", "cat"][at % 4])
    found = Labelled(split)
    assert found.rows == [at for at in range(12) if at % 4 > 1] and found.left_out == 6
    assert found.labels == ["dog", "cat"] * 3 and len(found) == 6
    assert [one.id for one in found.samples] == [split.samples[at].id for at in found.rows]
    assert found.numbers(["bee", "cat"]).tolist() == [-1, 1] * 3


def test_no_labels_names_the_split_and_the_remedy(opened: Callable[..., Split]) -> None:
    with pytest.raises(DataError, match="val split of 'digits' has no pictures with labels") as caught:
        Labelled(relabelled(opened("val"), lambda at: None))
    assert "name a data set with labels in [protocol.classification] data" in caught.value.remedy
    texts = Split("words", "train", (Sample(1, fields={"label": "dog"}),), np.zeros((0, 32, 32, 3), np.uint8), ())
    with pytest.raises(DataError, match="train split of 'words' has no pictures"):
        Labelled(texts)


@pytest.mark.parametrize("label", [3, ["dog"], 1.5])
def test_a_label_that_is_no_text_is_named(opened: Callable[..., Split], label: Any) -> None:
    split = opened("test")
    with pytest.raises(DataError, match=f"label of sample {split.samples[2].id} is .*not a text") as caught:
        Labelled(relabelled(split, lambda at: label if at == 2 else "dog"))
    assert "split 'test'" in caught.value.place


@pytest.mark.parametrize("at_once", [1, 3, 64])
def test_features_do_not_depend_on_the_block(trial: Made, opened: Callable[..., Split], at_once: int) -> None:
    made, split = trial("classification@probe"), opened("test")
    backbone = made.build(frozenset({"image_tokens"})).eval()
    with torch.no_grad():
        slow = [backbone.image_tokens(backbone.see(made.pictures(split, [row])))[0].mean(0) for row in range(12)]
    found = Labelled(split).features(
        lambda image: backbone.image_tokens(image).mean(1), backbone,
        dataclasses.replace(made, pace=Pace(at_once=at_once)),
    )
    assert found.dtype == np.float64
    assert found == pytest.approx(torch.stack(slow).numpy(), abs=1e-5)


def test_features_that_are_not_finite_are_an_error(trial: Made, opened: Callable[..., Split]) -> None:
    made = trial("classification@probe")
    backbone = made.build(frozenset({"image_tokens"})).eval()
    with pytest.raises(DataError, match="not a finite number"):
        Labelled(opened("test")).features(
            lambda image: backbone.image_tokens(image).mean(1) * torch.nan, backbone, made
        )
