"""What a pair costs by stem and trunk: counted operations and parameters against figures worked out elsewhere.

All is built and counted on torch's meta device, where tensors have shapes and no numbers: no size costs memory or time.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
import torch

from vlpbench.backbones.decoder_only import DecoderOnly, layers_of
from vlpbench.backbones.dual_fusion import DualFusion, DualFusionConfig
from vlpbench.backbones.encoder_decoder import EncoderDecoder
from vlpbench.backbones.sizes import SIZES
from vlpbench.backbones.stems import Conv2, Conv3, Conv4, Linear
from vlpbench.training.cost import counted_flops, parameters
from vlpbench.types import Spec, Vocabulary

DECODING = frozenset({"context", "decode"})
R50, R101, R152 = (3, 4, 6, 3), (3, 4, 23, 3), (3, 8, 36, 3)
BASE, SMALL = replace(SIZES["base"], stages=R50), replace(SIZES["small"], stages=R50)
LITTLE = replace(SMALL, width=256, heads=4, encoder=4, decoder=4)
GIGA, MEGA = 1e9, 1e6


@cache
def built(stem, trunk, size, words=32_000, length=32, config=None):
    """A backbone for pictures of 224 pixels without numbers."""
    with torch.device("meta"):
        tokens = stem(size, 224)
        spec = Spec(size.width, size.width, tokens.grid, Vocabulary(words, 0, 1, 2, 3, 4))
        return trunk(spec, DECODING, tokens, size, length, config)


@cache
def forward(*plan, length=32, **more):
    """GFLOP of one pair, `length` words known and as many to say: stem, what is known, what is said, word losses."""
    backbone = built(*plan, length=length, **more).requires_grad_(False)
    words = torch.zeros(1, length, dtype=torch.long, device="meta")
    text = backbone.read(words, torch.ones(1, length, dtype=torch.bool, device="meta"))
    image = backbone.see(torch.empty(1, 3, 224, 224, device="meta"))
    with counted_flops() as stem:
        backbone.stem(image.images)
    with counted_flops() as known:
        context = backbone.context(image, text)
    with counted_flops() as said:
        features = backbone.decode(context, text)
    with counted_flops() as losses:
        backbone.token_losses(features, words)
    backbone.requires_grad_()
    return [count / GIGA for count in (stem(), known() - stem(), said(), losses())]


def close(figure):
    """Published to three digits; norms, positions and relative biases are counted by some and not by others."""
    return pytest.approx(figure, rel=0.02)


@pytest.mark.parametrize(("stem", "size", "expected", "millions"), [
    (Conv3, BASE, (6.9, 40.6, 13.1, 1.6), 232),
    (Conv2, BASE, (4.2, 163.2, 30.4, 1.6), 225),
    (Conv4, BASE, (8.3, 14.0, 8.8, 1.6), 248),
    (Conv3, SIZES["base"], (14.3, 40.6, 13.1, 1.6), 251),
    (Conv3, replace(BASE, encoder=6, decoder=6), (6.9, 20.3, 6.6, 1.6), 133),
    (Conv3, SMALL, (6.8, 12.3, 3.9, 1.0), 84),
    (Conv2, SMALL, (4.0, 52.0, 9.2, 1.0), 77),
    (Conv4, SMALL, (8.3, 4.2, 2.6, 1.0), 100),
])
def test_encoder_decoder(stem, size, expected, millions):
    """A pair at 224 pixels with 32 + 32 words, by a count of the same net with batch norm in its stem.

    Group norm has as many parameters as batch norm; the relative biases (at most 0.4 million) are ours alone.
    """
    found = forward(stem, EncoderDecoder, size)
    assert sum(found) == close(sum(expected))
    for one, other in zip(found, expected, strict=True):
        assert one == pytest.approx(other, abs=0.06, rel=0.005)  # printed to one tenth
    assert parameters(built(stem, EncoderDecoder, size)) / MEGA == close(millions)


def test_a_little_one():
    """Width 256, 4 + 4 layers, 8,000 words, 16 + 16 of them: 8.6 GFLOP and 18 million parameters."""
    assert sum(forward(Conv3, EncoderDecoder, LITTLE, words=8_000, length=16)) == close(8.6)
    assert parameters(built(Conv3, EncoderDecoder, LITTLE, words=8_000, length=16)) / MEGA == close(18.2)


def layer(width, queries, keys, memory=0):
    """FLOP of a layer by hand: projections and MLP, scores and means; and the same of a look at a memory."""
    own = 2 * queries * 12 * width**2 + 4 * queries * keys * width
    look = 2 * (queries + memory) * 2 * width**2 + 4 * queries * memory * width
    return (own + look if memory else own) / GIGA


@pytest.mark.parametrize(("size", "layers", "joint", "millions"), [(BASE, 12, 46.7, 119), (SMALL, 8, 14.2, 51)])
def test_decoder_only(size, layers, joint, millions):
    """One pass over 196 + 64 tokens costs `joint` GFLOP; ours leaves out what that computes for nobody.

    No known token looks at a word to be said, and in the last layer known tokens only give keys and values.
    """
    size = replace(size, encoder=layers, decoder=0)
    known, said, width = 196 + 32, 32, size.width
    assert layers_of(size) == layers
    assert layers * layer(width, known + said, known + said) == pytest.approx(joint, abs=0.06)
    keys_only = 2 * known * 2 * width**2 / GIGA
    by_hand = (layers - 1) * layer(width, known, known) + keys_only + layers * layer(width, said, known + said)
    _, first, then, _ = forward(Conv3, DecoderOnly, size)
    assert first + then == pytest.approx(by_hand, rel=0.002)  # the linear layer behind the stem is the stem's
    left_out = layer(width, known, known) - keys_only + layers * 4 * known * said * width / GIGA
    assert first + then == close(joint - left_out)
    assert 0.05 < left_out / joint < 0.11
    assert parameters(built(Conv3, DecoderOnly, size)) / MEGA == close(millions)


@pytest.mark.parametrize("two_way", [True, False])
def test_dual_fusion(two_way):
    """By hand: both towers, the fusion layers (6 + 6 at base), a decoder of its own that looks at all of it."""
    width, picture, words = 768, 196, 32
    config = DualFusionConfig(two_way=two_way, decoder="own")
    _, known, said, _ = forward(Conv3, DualFusion, BASE, config=config)
    towers = 12 * layer(width, picture, picture) + 6 * layer(width, words, words)
    fused = 6 * (layer(width, words, words, picture) + two_way * layer(width, picture, picture, words))
    assert known == pytest.approx(towers + fused, rel=0.002)
    assert said == pytest.approx(12 * layer(width, words, words, picture + words), rel=0.002)


def test_a_split_decoder():
    """By hand: a prefix passes both halves of the text's layers, and so does what is said."""
    width, picture, words = 768, 196, 32
    _, known, said, _ = forward(Conv3, DualFusion, BASE, config=DualFusionConfig(decoder="split"))
    lower = 6 * layer(width, words, words)
    assert known == pytest.approx(12 * layer(width, picture, picture) + lower + 6 * layer(width, words, words, picture))
    assert said == pytest.approx(lower + 6 * layer(width, words, words, picture + words))


@pytest.mark.parametrize(("name", "encoder", "decoder", "words"), [
    ("small", 25.2, 33.6, 16.4), ("base", 85.1, 113.4, 24.6),
    ("large", 302.3, 403.1, 32.8), ("huge", 629.7, 839.6, 41.0),
])
def test_parameters_of_simvlms_sizes(name, encoder, decoder, words):
    """Millions, without the stem, from layers and widths in arXiv 2108.10904 and 32,000 tied words."""
    backbone = built(Conv3, EncoderDecoder, SIZES[name])
    assert parameters(backbone.encoder) / MEGA == pytest.approx(encoder, rel=0.003)
    assert parameters(backbone.decoder) / MEGA == pytest.approx(decoder, rel=0.003)
    assert parameters(backbone.words) / MEGA == pytest.approx(words, rel=0.003)
    extra = parameters(backbone) - sum(parameters(one) for one in
                                       (backbone.encoder, backbone.decoder, backbone.words, backbone.stem))
    assert extra / MEGA < 0.7  # position tables, relative biases, last norms


def test_parameters_of_the_decoder_only_small():
    """18 layers of width 512 and the word table are 73.1 million, against 75.2 of 8 + 8."""
    backbone = built(Conv3, DecoderOnly, SIZES["small"])
    assert len(backbone.encoder) == 18
    assert (parameters(backbone.encoder) + parameters(backbone.words)) / MEGA == pytest.approx(73.1, rel=0.003)


@pytest.mark.parametrize(("stages", "millions"), [
    (R50, (1.44, 8.54, 23.51)), (R101, (1.44, 27.54, 42.50)), (R152, (2.57, 43.18, 58.14)),
])
def test_parameters_and_tokens_of_stems(stages, millions):
    """The ResNets' first two, three and four stages, without the linear layer to the trunk's width."""
    size = replace(SIZES["base"], stages=stages)
    natural = (Conv2, 28, 512), (Conv3, 14, 1024), (Conv4, 7, 2048)
    for (stem, side, leaving), expected in zip(natural, millions, strict=True):
        with torch.device("meta"):
            tokens = stem(size, 224)
        assert tokens.grid == (side, side)
        assert parameters(tokens.net) / MEGA == pytest.approx(expected, abs=0.01)
        assert tokens.project.weight.shape == (768, leaving)


def test_tokens_of_larger_pictures_and_of_patches():
    with torch.device("meta"):
        assert Conv3(SIZES["base"], 480).grid == (30, 30)
        assert Linear(SIZES["base"], 224).grid == (14, 14)
    biases = built(Conv3, EncoderDecoder, SIZES["base"]).biases
    assert {tuple(bias.table.shape) for bias in biases} == {(12, 27 * 27)}
