"""Blocks against their formula; candidates one by one; one word at a time against all at once."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import gelu, layer_norm

from vlpbench.parts import DecoderBlock, EncoderBlock, FusionBlock, Mlp, Past, masks

WIDTH, HEADS = 12, 3
B, C, S, K = 2, 3, 5, 4


def drawn(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def stirred(module):
    """All weights away from ones and zeros, so that each of them matters."""
    torch.manual_seed(0)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return module.double()


@pytest.fixture
def decoder():
    return stirred(DecoderBlock(WIDTH, HEADS))


@pytest.fixture
def memory(decoder):
    return drawn(B, K, WIDTH)


def test_mlp_is_four_times_as_wide_inside():
    mlp = stirred(Mlp(WIDTH))
    x = drawn(2, WIDTH)
    assert mlp[0].out_features == 4 * WIDTH
    expected = gelu(x @ mlp[0].weight.T + mlp[0].bias) @ mlp[2].weight.T + mlp[2].bias
    assert torch.allclose(mlp(x), expected)


def normal(norm, x):
    return layer_norm(x, (WIDTH,), norm.weight, norm.bias)


def test_encoder_block_normalises_before_each_part():
    block, x = stirred(EncoderBlock(WIDTH, HEADS)), drawn(B, S, WIDTH)
    mask = masks.causal(S)
    middle = x + block.attention(normal(block.norm1, x), mask)
    assert torch.allclose(block(x, mask), middle + block.mlp(normal(block.norm2, middle)))


def test_decoder_block_looks_at_itself_then_at_the_memory(decoder, memory):
    x, mask = drawn(B, 1, S, WIDTH), masks.causal(S)
    row = x[:, 0]
    row = row + decoder.attention(normal(decoder.norm1, row), mask)
    row = row + decoder.cross.ask(normal(decoder.norm2, row), decoder.cross.keys(memory))
    row = row + decoder.mlp(normal(decoder.norm3, row))
    assert torch.allclose(decoder(x, decoder.cross.keys(memory), None, mask)[:, 0], row)


def test_candidates_are_as_one_by_one(decoder, memory):
    x, mask, keys = drawn(B, C, S, WIDTH), masks.causal(S), decoder.cross.keys(memory)
    present = masks.padding(torch.tensor([[True, True, False, False], [True] * K]))
    together = decoder(x, keys, present, mask)
    assert together.shape == (B, C, S, WIDTH)
    alone = torch.cat([decoder(x[:, c : c + 1], keys, present, mask) for c in range(C)], 1)
    assert torch.allclose(together, alone)


def test_a_later_word_changes_nothing_before_it(decoder, memory):
    x, mask, keys = drawn(B, 1, S, WIDTH), masks.causal(S), decoder.cross.keys(memory)
    other = x.clone()
    other[:, :, 3] = drawn(B, 1, WIDTH)
    before, after = decoder(x, keys, None, mask), decoder(other, keys, None, mask)
    assert torch.allclose(before[:, :, :3], after[:, :, :3])
    assert not torch.isclose(before[:, :, 3:], after[:, :, 3:]).all(-1).any()


def own_places(at, before=0):
    """1, 1, C, before + (at + 1) * C: a beam looks at what is shared and at its own words, not at others'."""
    own = torch.eye(C, dtype=torch.bool).repeat(1, at + 1)
    return torch.cat([torch.ones(C, before, dtype=torch.bool), own], 1)[None, None]


def test_step_by_step_is_as_all_at_once(decoder, memory):
    x, keys = drawn(B, C, S, WIDTH), decoder.cross.keys(memory)
    present = masks.padding(torch.tensor([[True, True, True, False], [True] * K]))
    together = decoder(x, keys, present, masks.causal(S))
    past = Past(S)
    with torch.no_grad():
        steps = [decoder.step(x[:, :, at], past, own_places(at), keys, present) for at in range(S)]
    assert torch.allclose(together, torch.stack(steps, 2))


@pytest.fixture
def encoder():
    return stirred(EncoderBlock(WIDTH, HEADS))


def test_keys_that_are_kept_are_those_of_the_normalised_input(encoder):
    x, kept = drawn(B, S, WIDTH), []
    assert torch.equal(encoder(x, masks.causal(S), kept), encoder(x, masks.causal(S)))
    expected = encoder.attention.keys(normal(encoder.norm1, x))
    for found in (kept[0], encoder.keys(x)):
        assert all(torch.allclose(one, other) for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize("many", [1, C])
def test_beyond_what_came_before_is_one_pass_over_both(encoder, many):
    before, x = drawn(B, K, WIDTH), drawn(B, many, S, WIDTH)
    found = encoder.beyond(x, encoder.keys(before), masks.behind(None, K, masks.causal(S)))
    for c in range(many):
        joint = encoder(torch.cat([before, x[:, c]], 1), masks.prefix(torch.tensor([K] * B), K + S))
        assert torch.allclose(found[:, c], joint[:, K:])


@pytest.mark.parametrize("behind", [True, False])
def test_an_encoder_block_goes_on_step_by_step(encoder, behind):
    """Behind what came before, and with nothing before."""
    x, before = drawn(B, C, S, WIDTH), encoder.keys(drawn(B, K, WIDTH))
    together = (encoder.beyond(x, before, masks.behind(None, K, masks.causal(S))) if behind
                else encoder(x.flatten(0, 1), masks.causal(S)).unflatten(0, (B, C)))
    past, ahead = (Past(S, before), K) if behind else (Past(S), 0)
    with torch.no_grad():
        steps = [encoder.step(x[:, :, at], past, own_places(at, ahead)) for at in range(S)]
    assert torch.allclose(together, torch.stack(steps, 2))


@pytest.mark.parametrize("two_way", [True, False])
def test_fusion_by_its_definition(two_way):
    """Each looks at itself, then at what the other was before the block."""
    block, picture, words = stirred(FusionBlock(WIDTH, HEADS, two_way)), drawn(B, K, WIDTH), drawn(B, S, WIDTH)
    there = masks.padding(torch.tensor([[True, True, False, False, False], [True] * S]))

    def by_hand(part, x, other, own_mask, other_mask):
        x = x + part.attention(normal(part.norm1, x), own_mask)
        x = x + part.cross.ask(normal(part.norm2, x), part.cross.keys(other), other_mask)
        return x + part.mlp(normal(part.norm3, x))

    found_picture, found_words = block(picture, words, there, there)
    seen = normal(block.image_norm, picture) if two_way else picture
    assert torch.allclose(found_words, by_hand(block.words, words, seen, there, None))
    if two_way:
        said = normal(block.words_norm, words)
        assert torch.allclose(found_picture, by_hand(block.image, picture, said, None, there))
    else:
        assert found_picture is picture
        assert not any(name.startswith("image") for name, _ in block.named_parameters())
