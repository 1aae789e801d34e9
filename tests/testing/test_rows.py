"""Rows of two batches are joined alike in every array, whatever kind of batch it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vlpbench.testing.rounds import crossed
from vlpbench.testing.rows import first_of
from vlpbench.testing.tiny import tiny_batches


def batch(kind, seed=0):
    made = tiny_batches(4, seed=seed, fields={"field": np.arange(4.0) + 10 * seed})[kind]
    return replace(made, image_ids=np.arange(4) + 10 * seed)


@pytest.mark.parametrize("kind", ["pairs", "texts"])
def test_first_rows_come_from_the_one_and_the_rest_from_the_other(kind):
    mixed = first_of(crossed(batch(kind, 1)), crossed(batch(kind, 0)), 1)
    assert mixed.image_ids.tolist() == [10, 1, 2, 3]
    assert mixed["field"].tolist() == [10.0, 1.0, 2.0, 3.0]
    assert (mixed.images is None) == (kind == "texts")
