"""Attention against the formula, head by head and query by query."""

from __future__ import annotations

import math

import pytest
import torch

from vlpbench.parts import Attention, joined, masks


def by_formula(attention, x, memory, mask=None):
    """softmax(q k / sqrt(H) + bias) v for one query of one head of one row at a time."""
    heads, width = attention.heads, x.shape[-1] // attention.heads
    query, key, value = attention.query(x), attention.key(memory), attention.value(memory)
    found = torch.zeros_like(query)
    for b in range(len(x)):
        for n in range(heads):
            part = slice(n * width, (n + 1) * width)
            for q in range(x.shape[1]):
                logits = torch.stack([query[b, q, part] @ key[b, k, part] for k in range(memory.shape[1])])
                logits = logits / math.sqrt(width)
                if mask is not None:
                    row = mask.expand(len(x), heads, x.shape[1], memory.shape[1])[b, n, q]
                    logits = logits.masked_fill(~row, -math.inf) if row.dtype == torch.bool else logits + row
                found[b, q, part] = logits.softmax(0) @ value[b, :, part]
    return attention.out(found)


@pytest.fixture
def attention():
    torch.manual_seed(0)
    return Attention(12, 3).double()


@pytest.fixture
def x(attention):
    return torch.randn(2, 5, 12, dtype=torch.float64)


def test_everything_visible(attention, x):
    assert torch.allclose(attention(x), by_formula(attention, x, x))


def test_boolean_mask(attention, x):
    present = torch.tensor([[True, True, True, False, False], [True] * 5])
    mask = masks.causal(5) & masks.padding(present)
    assert torch.allclose(attention(x, mask), by_formula(attention, x, x, mask))


def test_additive_bias_of_each_head(attention, x):
    bias = torch.randn(1, 3, 5, 5, dtype=torch.float64)
    assert torch.allclose(attention(x, bias), by_formula(attention, x, x, bias))


def test_bias_and_mask_joined(attention, x):
    bias, mask = torch.randn(1, 3, 5, 5, dtype=torch.float64), masks.causal(5)
    expected = bias.masked_fill(~mask, -math.inf)
    assert torch.equal(joined(bias, mask), expected)
    assert torch.allclose(attention(x, joined(bias, mask)), by_formula(attention, x, x, expected))


def test_joined_of_one_is_that_one():
    bias, mask = torch.zeros(1, 1, 2, 2), masks.causal(2)
    assert joined(None, None) is None
    assert joined(bias, None) is bias
    assert joined(None, mask) is mask


def test_keys_made_once_serve_any_query(attention, x):
    memory = torch.randn(2, 7, 12, dtype=torch.float64)
    keys = attention.keys(memory)
    assert [part.shape for part in keys] == [(2, 3, 7, 4)] * 2
    together = attention.ask(x, keys)
    assert torch.allclose(together, by_formula(attention, x, memory))
    one_by_one = [attention.ask(x[:, q : q + 1], keys) for q in range(5)]
    assert torch.allclose(together, torch.cat(one_by_one, 1))


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("many", [1, 3])
def test_shared_and_own_keys_are_one_row_of_keys(attention, many, masked):
    """Each candidate of each row, by the formula, over what it shares and itself."""
    torch.manual_seed(1)
    shared, x = torch.randn(2, 4, 12, dtype=torch.float64), torch.randn(2, many, 5, 12, dtype=torch.float64)
    present = torch.tensor([[True, False, True, True], [False] * 4])
    mask = masks.behind(present, 4, masks.causal(5)) if masked else None
    found = attention.ask_both(x, attention.keys(shared), attention.keys(x.flatten(0, 1)), mask)
    for c in range(many):
        expected = by_formula(attention, x[:, c], torch.cat([shared, x[:, c]], 1), mask)
        assert torch.allclose(found[:, c], expected)


def test_what_is_hidden_has_no_say(attention, x):
    mask = masks.padding(torch.tensor([[True, True, False, True, True]] * 2))
    other = x.clone()
    other[:, 2] += 3.0
    seen = [0, 1, 3, 4]
    assert torch.allclose(attention(x, mask)[:, seen], attention(other, mask)[:, seen])
    assert not torch.allclose(attention(x)[:, seen], attention(other)[:, seen])


def test_width_must_be_shared_out_among_the_heads():
    with pytest.raises(ValueError, match="width 10 is not a multiple of 3 heads"):
        Attention(10, 3)
