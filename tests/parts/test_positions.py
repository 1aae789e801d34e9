"""Position tables, and the relative bias against a double loop over grid cells."""

from __future__ import annotations

import pytest
import torch

from vlpbench.parts import PositionTable, RelativeBias


def numbered(heads, grid):
    """A bias whose every entry is another number."""
    bias = RelativeBias(heads, grid)
    with torch.no_grad():
        bias.table.copy_(torch.arange(bias.table.numel()).view_as(bias.table) + 1.0)
    return bias


@pytest.mark.parametrize("grid", [(1, 1), (1, 4), (3, 2), (3, 3)])
@pytest.mark.parametrize("others", [0, 2])
def test_relative_bias_is_one_number_for_each_offset(grid, others):
    rows, columns = grid
    cells = [(r, c) for r in range(rows) for c in range(columns)]
    found = numbered(2, grid)(others)
    assert found.shape == (1, 2, len(cells) + others, len(cells) + others)
    numbers = {}
    for n in range(2):
        for i, a in enumerate(cells):
            for j, b in enumerate(cells):
                offset = (n, a[0] - b[0], a[1] - b[1])
                assert numbers.setdefault(offset, found[0, n, i, j].item()) == found[0, n, i, j].item()
    assert len(set(numbers.values())) == len(numbers) == 2 * (2 * rows - 1) * (2 * columns - 1)
    assert min(numbers.values()) >= 1.0  # all of them come from the table


def test_relative_bias_is_zero_outside_the_grid():
    found = numbered(2, (2, 2))(3)
    assert (found[:, :, 4:] == 0).all() and (found[..., 4:] == 0).all()
    assert (found[:, :, :4, :4] != 0).all()


def test_relative_bias_starts_without_preference_and_learns():
    bias = RelativeBias(2, (3, 2))
    assert not bias().any()
    bias(1).sum().backward()
    assert (bias.table.grad > 0).all()
    assert [name for name, _ in bias.named_parameters()] == list(bias.state_dict())  # what is derived is not saved


def test_position_table_gives_the_first_places():
    table = PositionTable(5, 3, 0.5)
    assert torch.equal(table(2), table.weight[:2])
    assert torch.equal(table(5), table.weight)


def test_position_table_ends():
    with pytest.raises(ValueError, match="6 tokens, but the position table ends at 5"):
        PositionTable(5, 3, 0.5)(6)


def test_position_table_is_drawn_as_wide_as_told():
    torch.manual_seed(0)
    assert PositionTable(200, 100, 0.3).weight.std().item() == pytest.approx(0.3, rel=0.02)


def test_position_table_at_places():
    table = PositionTable(5, 3, 0.5)
    places = torch.tensor([[0, 4], [2, 2]])
    assert torch.equal(table.at(places), table.weight[places])
    with pytest.raises(IndexError):
        table.at(torch.tensor([5]))
