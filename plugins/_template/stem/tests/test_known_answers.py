"""Known answers of this very stem: what it gives where anybody can tell. With another one, write them anew."""

from __future__ import annotations

import pytest
import torch
from vlpbench_example import ExampleStem

from vlpbench.testing import BackboneSubject


@pytest.fixture(scope="module")
def stem():
    """Built for pictures of 32 x 32 pixels: four rows of four tokens."""
    return BackboneSubject(stem=ExampleStem).build(frozenset({"image_tokens"})).stem


@pytest.mark.parametrize(("row", "column", "token"), [(0, 0, 0), (7, 8, 1), (31, 7, 12), (31, 31, 15)])
def test_a_pixel_is_seen_by_the_token_of_its_patch_alone(stem, row, column, token):
    pictures = torch.zeros(2, 3, 32, 32)
    pictures[1, :, row, column] = 1.0
    plain, spotted = stem(pictures)
    assert stem.grid == (4, 4)
    assert [at for at in range(16) if not torch.allclose(plain[at], spotted[at])] == [token]
