"""The label of a sample: a text, nothing, or a clear word where it is something else."""

from __future__ import annotations

import numpy as np
import pytest

from vlpbench.data.errors import DataError
from vlpbench.data.labels import label_of
from vlpbench.data.splits import Split, open_split
from vlpbench.data.worlds.shapes import Shapes, ShapesConfig
from vlpbench.types import Sample


def split(*fields):
    samples = tuple(Sample(n, f"{n}.png", fields=one) for n, one in enumerate(fields))
    return Split("made", "train", samples, np.zeros((len(samples), 8, 8, 3), np.uint8), ())


def labels(one):
    return [label_of(sample, one) for sample in one.samples]


def test_a_text_or_nothing():
    assert labels(split({"label": "cat"}, {"other": 1}, {"label": None}, {"label": "dog"})) == ["cat", "", "", "dog"]


@pytest.mark.parametrize("odd", [3, ["a"], True])
def test_an_odd_label_is_named(odd):
    with pytest.raises(DataError, match="the label of sample 1 is") as caught:
        labels(split({"label": "cat"}, {"label": odd}))
    assert repr(odd) in caught.value.cause and "'made', split 'train'" in caught.value.place


def test_worlds_have_them(tmp_path):
    world = Shapes(ShapesConfig(train=60, val=2, test=2, kinds=3), tmp_path, tmp_path)
    found = labels(open_split(world, "train", purpose="train", size=48, on_bad="error"))
    assert len(found) == 60
    assert set(found) == {"circle", "square", "triangle"}
