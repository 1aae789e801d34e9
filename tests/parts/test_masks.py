"""Every mask against two loops over positions; True = may look."""

from __future__ import annotations

import pytest
import torch

from vlpbench.parts import masks


def by_loop(rows, queries, keys, may_look):
    """B, 1, Q, K from a rule over (row, query, key)."""
    found = [[[bool(may_look(b, q, k)) for k in range(keys)] for q in range(queries)] for b in range(rows)]
    return torch.tensor(found, dtype=torch.bool).view(rows, 1, queries, keys)


def test_padding_hides_absent_keys_from_every_query():
    present = torch.tensor([[True, True, False], [True, False, True], [False, False, False]])
    expected = by_loop(3, 3, 3, lambda b, q, k: present[b, k])
    assert torch.equal(masks.padding(present).expand(3, 1, 3, 3), expected)


@pytest.mark.parametrize("length", [1, 2, 5])
def test_causal_shows_itself_and_the_past(length):
    assert torch.equal(masks.causal(length), by_loop(1, length, length, lambda b, q, k: k <= q))


def test_prefix_positions_see_each_other_and_the_rest_is_causal():
    lengths = torch.tensor([0, 1, 3, 5])
    expected = by_loop(4, 5, 5, lambda b, q, k: k <= q or (q < lengths[b] and k < lengths[b]))
    assert torch.equal(masks.prefix(lengths, 5), expected)


def test_prefix_of_nothing_or_one_is_causal_and_of_everything_is_full():
    assert torch.equal(masks.prefix(torch.tensor([0, 1]), 4), masks.causal(4).expand(2, 1, 4, 4))
    assert masks.prefix(torch.tensor([4]), 4).all()


@pytest.mark.parametrize(("images", "texts"), [(0, 3), (3, 0), (1, 1), (4, 3)])
def test_visible(images, texts):
    many = images + texts
    assert masks.visible("all", images, texts) is None
    assert torch.equal(masks.visible("causal", images, texts), by_loop(1, many, many, lambda b, q, k: k <= q))
    rule = by_loop(1, many, many, lambda b, q, k: k <= q or (q < images and k < images))
    assert torch.equal(masks.visible("causal-text", images, texts), rule)


def test_another_word_for_visible_is_refused():
    with pytest.raises(ValueError, match=r"'all', 'causal' or 'causal-text', not 'causel'"):
        masks.visible("causel", 2, 2)


def test_behind_others_one_sees_what_is_there_of_them_and_by_the_mask_oneself():
    present = torch.tensor([[True, False, True], [False] * 3])
    rule = by_loop(2, 4, 7, lambda b, q, k: present[b, k] if k < 3 else k - 3 <= q)
    assert torch.equal(masks.behind(present, 3, masks.causal(4)), rule)
    rule = by_loop(1, 4, 7, lambda b, q, k: k < 3 or k - 3 <= q)
    assert torch.equal(masks.behind(None, 3, masks.causal(4)), rule)
    assert torch.equal(masks.behind(None, 0, masks.causal(4)), masks.causal(4))


def test_everybody_may_look_at_itself():
    present = torch.tensor([[True, False, True], [False] * 3])
    rule = by_loop(2, 3, 3, lambda b, q, k: q == k or present[b, k])
    assert torch.equal(masks.or_itself(masks.padding(present)), rule)
    assert torch.equal(masks.or_itself(masks.causal(3)), masks.causal(3))
