"""Decoder-only: context and words apart are one pass over both with a prefix mask, whatever shares the context."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from vlpbench.backbones.decoder_only import DecoderOnly, layers_of
from vlpbench.backbones.encoder_decoder import EncoderDecoder
from vlpbench.backbones.sizes import SIZES
from vlpbench.parts import masks

P, T, S, BOS = 4, 8, 5, 1


@pytest.fixture(scope="module")
def backbone(lively):
    return lively({"context", "decode", "fused_tokens"}, trunk=DecoderOnly)


@pytest.fixture(autouse=True)
def _no_gradient():
    with torch.no_grad():
        yield


@pytest.fixture
def candidates():
    """Four sentences for each of three rows, BOS first."""
    words = torch.randint(7, 40, (3, 4, S), generator=torch.Generator().manual_seed(4))
    words[..., 0] = BOS
    return words


def read(backbone, words):
    return backbone.read(words, torch.ones_like(words, dtype=torch.bool))


def same(one, other):
    return torch.allclose(one, other, atol=1e-4)


def may_look(visible, images, known, q, k):
    """The definition: position q of [picture; prefix; words] looks at position k."""
    both_known = q < images + known and k < images + known
    both_seen = q < images and k < images
    return k <= q or (visible == "all" and both_known) or (visible == "causal-text" and both_seen)


def joint(backbone, picture, prefix, words, visible):
    """Features of `words` (S) behind `picture` (3, H, W or None) and `prefix` (k words, none padded), in one pass."""
    sequence = torch.cat([prefix, words])
    x = backbone.words.weight[sequence] + backbone.text_positions.weight[: len(sequence)]
    images = 0 if picture is None else P
    if images:
        x = torch.cat([backbone.stem(picture[None])[0] + backbone.image_positions.weight, x])
    looks = [[may_look(visible, images, len(prefix), q, k) for k in range(len(x))] for q in range(len(x))]
    mask = torch.tensor(looks)[None, None]
    x = x[None]
    for block, bias in zip(backbone.encoder, [*backbone.biases, backbone.last_bias], strict=True):
        near = torch.zeros(1, backbone.heads, len(looks), len(looks))
        if images:
            near[..., :P, :P] = bias.table[:, bias.offsets]
        x = block(x, near.masked_fill(~mask, -torch.inf))
    return backbone.encoder_norm(x)[0, -len(words) :]


@pytest.mark.parametrize("visible", ["all", "causal", "causal-text"])
@pytest.mark.parametrize("pictured", [True, False])
@pytest.mark.parametrize("lengths", [(8, 5, 1), (3, 0, 2)])
def test_it_is_one_joint_pass(backbone, images, tokens, candidates, visible, pictured, lengths):
    present = torch.arange(T) < torch.tensor(lengths)[:, None]
    image = backbone.see(images) if pictured else None
    context = backbone.context(image, backbone.read(tokens, present), visible)
    found = backbone.decode(context, read(backbone, candidates))
    for b, k in enumerate(lengths):
        for c in range(4):
            picture = images[b] if pictured else None
            assert same(found[b, c], joint(backbone, picture, tokens[b, :k], candidates[b, c], visible))


@pytest.mark.parametrize("visible", ["all", "causal", "causal-text"])
def test_a_picture_alone_is_a_prefix_of_nothing(backbone, images, candidates, visible):
    found = backbone.decode(backbone.context(backbone.see(images), None, visible), read(backbone, candidates[:, 0]))
    for b in range(3):
        assert same(found[b], joint(backbone, images[b], candidates[0, 0, :0], candidates[b, 0], visible))


def test_the_joint_mask_is_the_prefix_mask():
    rule = [[may_look("all", P, 3, q, k) for k in range(P + 3 + S)] for q in range(P + 3 + S)]
    assert torch.equal(masks.prefix(torch.tensor([P + 3]), P + 3 + S)[0, 0], torch.tensor(rule))


def _moves(parameter):
    return parameter.grad is not None and parameter.grad.any()


def test_gradients_are_those_of_the_joint_pass(backbone, images, tokens, candidates):
    def gradient(make):
        backbone.zero_grad()
        with torch.enable_grad():
            (make() * torch.linspace(-1, 1, S * 32).view(S, 32)).sum().backward()
        return {name: one.grad.clone() for name, one in backbone.named_parameters() if _moves(one)}

    def apart():
        text = backbone.read(tokens[:1], torch.arange(T)[None] < 3)
        context = backbone.context(backbone.see(images[:1]), text)
        return backbone.decode(context, read(backbone, candidates[:1, 0]))[0]

    found = gradient(apart)
    expected = gradient(lambda: joint(backbone, images[0], tokens[0, :3], candidates[0, 0], "all"))
    assert set(found) == set(expected)
    assert all(torch.allclose(one, expected[name], rtol=1e-3, atol=1e-3) for name, one in found.items())


def test_positions_run_on_from_the_prefix(backbone, images, tokens, candidates, lively):
    backbone = lively({"context", "decode"}, trunk=DecoderOnly)
    present = torch.arange(T) < torch.tensor([[8], [5], [0]])

    def features():
        context = backbone.context(backbone.see(images), backbone.read(tokens, present))
        return backbone.decode(context, read(backbone, candidates))

    assert len(backbone.text_positions.weight) == 2 * T
    plain = features()
    backbone.text_positions.weight[8 + 2] += torch.randn(32)  # place 10: the first row's third, out of reach of others
    changed = features()
    assert torch.equal(changed[1:], plain[1:])
    assert torch.equal(changed[0, :, :2], plain[0, :, :2])
    assert not torch.isclose(changed[0, :, 2:], plain[0, :, 2:]).all(-1).any()


def test_where_there_is_nothing_to_see_bos_alone_stands(backbone, tokens, candidates):
    """The words of a row without a picture or a prefix are as if no context had been there."""
    for columns in (T, 1):
        nothing = backbone.read(tokens[:, :columns], torch.zeros(3, columns, dtype=torch.bool))
        found = backbone.decode(backbone.context(None, nothing), read(backbone, candidates))
        assert torch.isfinite(found).all()
        assert same(found[1, 2], joint(backbone, None, tokens[0, :0], candidates[1, 2], "all"))


def test_what_is_not_there_gives_no_nan_to_gradients(backbone, tokens, candidates):
    nothing = backbone.read(tokens, torch.zeros(3, T, dtype=torch.bool))
    with torch.enable_grad():
        backbone.decode(backbone.context(None, nothing), read(backbone, candidates)).sum().backward()
    assert all(one.grad is None or torch.isfinite(one.grad).all() for one in backbone.parameters())
    backbone.zero_grad()


def test_texts_longer_than_told_are_refused(backbone, images, tokens):
    long = torch.full((3, T + 1), 7)
    with pytest.raises(ValueError, match="a prefix of 9 tokens; texts were to have 8"):
        backbone.context(backbone.see(images), read(backbone, long))
    context = backbone.context(backbone.see(images), read(backbone, tokens))
    with pytest.raises(ValueError, match="9 words to say; texts were to have 8"):
        backbone.decode(context, read(backbone, long))
    assert torch.isfinite(backbone.decode(context, read(backbone, tokens))).all()  # full prefix, full text


def test_depth_is_the_most_that_costs_no_more_than_the_encoder_decoder():
    assert {name: layers_of(size) for name, size in SIZES.items()} | {"small": 18, "base": 28} == {
        "nano": 3, "tiny": 7, "small": 18, "base": 28, "large": 56, "huge": 74,
    }
    assert layers_of(replace(SIZES["base"], encoder=6, decoder=6)) == 14


@pytest.mark.parametrize("name", ["nano", "tiny"])
def test_its_layers_are_no_larger_than_the_encoder_decoders(blueprint, name):
    def matrices(trunk):
        built = blueprint(trunk=trunk, size=SIZES[name]).build({"context", "decode"})
        layers = ("encoder.", "decoder.")
        return sum(p.numel() for n, p in built.named_parameters() if n.startswith(layers) and p.ndim == 2)

    width = SIZES[name].width
    assert 0 <= matrices(EncoderDecoder) - matrices(DecoderOnly) < 12 * width**2
