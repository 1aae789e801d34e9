"""Labels of a split: one text a sample, and a clear word where that is not so."""

from __future__ import annotations

import numpy as np
import pytest

from vlpbench.data.errors import DataError
from vlpbench.data.labels import labels_of
from vlpbench.data.splits import Split, open_split
from vlpbench.data.worlds.shapes import Shapes, ShapesConfig
from vlpbench.types import Sample


def split(*fields):
    samples = tuple(Sample(n, f"{n}.png", fields=one) for n, one in enumerate(fields))
    return Split("made", "train", samples, np.zeros((len(samples), 8, 8, 3), np.uint8), ())


def test_one_a_sample_in_their_order():
    assert labels_of(split({"label": "cat"}, {"label": "dog", "other": 1}, {"label": "cat"})) == ("cat", "dog", "cat")


def test_a_set_without_classes_says_which_have_some():
    with pytest.raises(DataError, match="no classes") as caught:
        labels_of(split({}, {"labels": ["cat"]}))
    assert "folders" in caught.value.remedy
    assert "'made', split 'train'" in caught.value.place


@pytest.mark.parametrize(("odd", "told"), [
    ({}, "no label"), ({"label": 3}, "the label 3"), ({"label": " "}, "the label ' '"),
    ({"label": None}, "the label None"), ({"label": ["a"]}, "names no class"),
])
def test_one_odd_sample_is_named(odd, told):
    with pytest.raises(DataError, match=r"sample 1 \(1.png\)") as caught:
        labels_of(split({"label": "cat"}, odd))
    assert told in caught.value.cause


def test_worlds_have_them(tmp_path):
    world = Shapes(ShapesConfig(train=60, val=2, test=2, kinds=3), tmp_path, tmp_path)
    found = labels_of(open_split(world, "train", purpose="train", size=48, on_bad="error"))
    assert len(found) == 60
    assert set(found) == {"circle", "square", "triangle"}
