"""Position tables at another size: torch's own interpolation over the grid, and no change where sizes agree."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import interpolate

from vlpbench.parts.positions import RelativeBias
from vlpbench.parts.resize import resized_bias, resized_cells, resized_words

GRIDS = [((2, 2), (4, 4)), ((4, 4), (3, 3)), ((2, 5), (4, 3)), ((1, 6), (1, 9)), ((14, 14), (30, 30)), ((1, 1), (3, 2))]


def drawn(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(math.prod(shape)))


def blended(line, new):
    """A list of rows at another length, one at a time: cell centres, ends held."""
    old = len(line)
    found = []
    for i in range(new):
        at = min(max((i + 0.5) * old / new - 0.5, 0), old - 1)
        low = int(at)
        high = min(low + 1, old - 1)
        found.append(line[low] * (low + 1 - at) + line[high] * (at - low))
    return torch.stack(found)


@pytest.mark.parametrize(("old", "new"), GRIDS)
def test_cells_are_a_direct_resize_of_the_picture_that_they_make(old, new):
    table = drawn(old[0] * old[1], 5)
    picture = table.view(*old, 5).permute(2, 0, 1)[None]  # 1, D, R, C
    direct = interpolate(picture, size=new, mode="bilinear", align_corners=False)
    expected = direct[0].permute(1, 2, 0).reshape(-1, 5)
    found = resized_cells(table, old, new)
    assert torch.allclose(found, expected, atol=1e-6)
    rows = blended(table.view(*old, 5), new[0])  # one axis, then the other, cell by cell
    by_hand = torch.stack([blended(row, new[1]) for row in rows]).reshape(-1, 5)
    assert torch.allclose(found, by_hand, atol=1e-5)


@pytest.mark.parametrize(("old", "new"), GRIDS)
def test_biases_are_a_direct_resize_over_the_offsets(old, new):
    table = drawn(3, (2 * old[0] - 1) * (2 * old[1] - 1))
    found = resized_bias(table, old, new)
    assert found.shape == RelativeBias(3, new).table.shape
    for head in range(3):
        plane = table[head].view(1, 1, 2 * old[0] - 1, 2 * old[1] - 1)
        size = (2 * new[0] - 1, 2 * new[1] - 1)
        direct = interpolate(plane, size=size, mode="bilinear", align_corners=False)
        assert torch.allclose(found[head].view(size), direct[0, 0], atol=1e-6)


def test_the_bias_of_no_offset_stays_in_the_middle():
    """SimVLM's 14 to 30 cells a side is a table of 27 to 59; offset zero is the centre of both."""
    found = resized_bias(drawn(2, 27 * 27), (14, 14), (30, 30))
    assert found.shape == (2, 59 * 59)
    assert torch.allclose(found[:, 59 * 59 // 2], drawn(2, 27 * 27)[:, 27 * 27 // 2], atol=1e-5)


def test_equal_sizes_change_no_bit_and_give_a_copy():
    for found, table in (
        (resized_cells(cells := drawn(6, 4), (2, 3), (2, 3)), cells),
        (resized_bias(bias := drawn(2, 15), (2, 3), (2, 3)), bias),
        (resized_words(words := drawn(7, 4), 7), words),
    ):
        assert torch.equal(found, table)
        assert found.data_ptr() != table.data_ptr()


def test_another_shape_of_as_many_cells_is_another_grid():
    table = drawn(8, 3)
    assert not torch.allclose(resized_cells(table, (2, 4), (4, 2)), table)


def test_words_are_cut_when_fewer_and_stretched_when_more():
    table = drawn(6, 4)
    assert torch.equal(resized_words(table, 2), table[:2])
    for length in (7, 11, 24):
        found = resized_words(table, length)
        direct = interpolate(table.T[None], size=length, mode="linear", align_corners=False)[0].T
        assert torch.allclose(found, direct, atol=1e-6)
        assert torch.allclose(found, blended(table, length), atol=1e-5)


def test_half_precision_stays_half_precision():
    half = drawn(4, 3).bfloat16()
    assert resized_cells(half, (2, 2), (3, 3)).dtype == resized_words(half, 9).dtype == torch.bfloat16
    expected = resized_cells(half.float(), (2, 2), (3, 3)).bfloat16()
    assert torch.equal(resized_cells(half, (2, 2), (3, 3)), expected)


def test_a_table_of_another_grid_is_refused():
    with pytest.raises(ValueError, match="5 entries is not one of a grid of 2 x 2, which has 4"):
        resized_cells(drawn(5, 3), (2, 2), (4, 4))
    with pytest.raises(ValueError, match="the offsets of a grid of 2 x 2, which has 9"):
        resized_bias(drawn(2, 8), (2, 2), (4, 4))
