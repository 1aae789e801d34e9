"""Two towers and what is above them: which layers exist, who looks at whom, what each decoder means."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from vlpbench.backbones.dual_fusion import DualFusion, DualFusionConfig, layers_of
from vlpbench.backbones.sizes import SIZES
from vlpbench.contract.abilities import ABILITIES

T, BOS = 8, 1
VECTORS, DECODING = {"image_vector", "text_vector"}, {"context", "decode"}
OWN, SPLIT = DualFusionConfig(decoder="own"), DualFusionConfig(decoder="split")


@pytest.fixture(autouse=True)
def _no_gradient():
    with torch.no_grad():
        yield


@pytest.fixture
def make(lively):
    def of(abilities, **settings):
        return lively(abilities, trunk=DualFusion, config=DualFusionConfig(**settings))

    return of


def same(one, other):
    return torch.allclose(one, other, atol=1e-5)


def with_token(tokens, at):
    other = tokens.clone()
    other[:, at] = torch.where(tokens[:, at] == 7, 8, 7)
    return other


def built(backbone):
    return {name.split(".")[0] for name in backbone.state_dict()} - {"stem", "words"}


def test_layers():
    base = SIZES["base"]
    assert layers_of(base, DualFusionConfig()) == (6, 6)  # ALBEF's
    assert layers_of(base, DualFusionConfig(fusion=3)) == (9, 3)
    assert layers_of(base, DualFusionConfig(fusion=12)) == (1, 12)
    assert layers_of(replace(base, decoder=1), DualFusionConfig()) == (1, 1)
    assert layers_of(replace(base, decoder=5), DualFusionConfig()) == (3, 2)


def test_settings_that_mean_nothing_are_refused():
    with pytest.raises(ValueError, match="not -1"):
        DualFusionConfig(fusion=-1)
    with pytest.raises(ValueError, match="text_norm 'pre'"):
        DualFusionConfig(decoder="split", text_norm="post")


def test_what_it_offers_depends_on_its_decoder(blueprint):
    assert DualFusion.offers_with(DualFusionConfig()) == set(ABILITIES) - DECODING
    assert DualFusion.offers_with(OWN) == set(ABILITIES)
    assert DualFusion.offers_with(SPLIT) == set(ABILITIES) - {"text_tokens"}
    with pytest.raises(ValueError, match="cannot context, decode"):
        blueprint(trunk=DualFusion).build(DECODING)
    with pytest.raises(ValueError, match="cannot text_tokens"):
        blueprint(trunk=DualFusion, config=SPLIT).build({"text_tokens"})


PICTURE = {"image_positions", "biases", "image_tower", "image_norm"}


@pytest.mark.parametrize(("abilities", "settings", "expected"), [
    (set(), {}, set()),
    ({"image_tokens"}, {}, PICTURE),
    ({"text_tokens"}, {}, {"text_tower"}),
    (VECTORS, {}, PICTURE | {"text_tower", "image_head", "text_head"}),
    ({"fused_tokens"}, {}, PICTURE | {"text_tower", "fusion", "fused_norm", "fused_image_norm"}),
    ({"fused_tokens"}, {"two_way": False, "decoder": "own"}, PICTURE | {"text_tower", "fusion", "fused_norm"}),
    (DECODING, {"two_way": False, "decoder": "own"},
     PICTURE | {"text_tower", "fusion", "fused_norm", "text_positions", "decoder", "decoder_norm"}),
    (DECODING, {"decoder": "split"}, PICTURE | {"text_tower", "decoder", "decoder_norm"}),
    ({"fused_tokens"}, {"decoder": "split"}, PICTURE | {"text_tower", "decoder", "decoder_norm"}),
    (VECTORS, {"decoder": "split"}, PICTURE | {"text_tower", "image_head", "text_head"}),
])
def test_only_what_is_asked_for_exists(make, abilities, settings, expected):
    assert built(make(abilities, **settings)) == expected


def test_what_was_not_built_says_so(make, images, tokens, present):
    backbone = make(VECTORS, decoder="own")
    image, text = backbone.see(images), backbone.read(tokens, present)
    for ability, call in {
        "fused_tokens": lambda: backbone.fused_tokens(image, text),
        "context": lambda: backbone.context(image),
        "decode": lambda: backbone.decode(None, text),
    }.items():
        with pytest.raises(AttributeError, match=f"built without '{ability}'"):
            call()
    with pytest.raises(AttributeError, match="built without 'image_tokens'"):
        make({"text_vector"}).image_tokens(image)
    with pytest.raises(AttributeError, match="built without 'text_tokens'"):
        make({"image_vector"}).text_tokens(text)
    with pytest.raises(AttributeError, match="has no 'text_tokens'"):
        make({"text_vector"}, decoder="split").text_tokens(text)


def test_pictures_look_at_words_only_both_ways(make, images, tokens, present):
    for two_way in (True, False):
        backbone = make({"fused_tokens"}, two_way=two_way)
        image = backbone.see(images)
        plain = backbone.fused_tokens(image, backbone.read(tokens, present))
        other = backbone.fused_tokens(image, backbone.read(with_token(tokens, 0), present))
        assert not torch.isclose(plain[1], other[1], atol=1e-5).all(-1)[present].any()
        if two_way:
            assert not torch.isclose(plain[0], other[0], atol=1e-5).all(-1).any()
        else:
            assert torch.equal(plain[0], backbone.image_tokens(image))
            assert torch.equal(plain[0], other[0])


def test_towers_alone_never_see_each_other(make, images, tokens, present):
    backbone = make(ABILITIES, decoder="own")
    image, text = backbone.see(images), backbone.read(tokens, present)
    pictures, words = backbone.image_tokens(image).clone(), backbone.text_tokens(text).clone()
    backbone.fused_tokens(image, text)
    assert torch.equal(backbone.image_tokens(backbone.see(images)), pictures)
    assert torch.equal(backbone.text_tokens(backbone.read(tokens, present)), words)
    changed = backbone.text_tokens(backbone.read(with_token(tokens, 4), present))
    assert not torch.isclose(words[:2, :5], changed[:2, :5], atol=1e-5).all(-1).any()  # all words visible
    assert same(words[2, :1], changed[2, :1])


def test_contexts_are_the_towers_or_what_is_fused(make, images, tokens, present):
    backbone = make(ABILITIES, decoder="own")
    image, text = backbone.see(images), backbone.read(tokens, present)
    assert torch.equal(backbone.context(image).memory, backbone.image_tokens(image))
    alone = backbone.context(None, text)
    assert same(alone.memory[present], backbone.text_tokens(text)[present])
    assert torch.equal(alone.mask, present)
    both = backbone.context(image, text)
    assert same(both.memory[both.mask], torch.cat(backbone.fused_tokens(image, text), 1)[both.mask])
    assert torch.equal(both.mask, torch.cat([torch.ones(3, 4, dtype=torch.bool), present], 1))


def test_a_causal_towers_vector_is_its_last_word(make, tokens, present):
    backbone = make({"text_vector"}, decoder="split")
    vector = backbone.text_vector(backbone.read(tokens, present))
    words = backbone.text_tower(backbone.words(tokens), present, True)
    for b, last in enumerate([7, 4, 0]):
        raw = backbone.text_head.linear.weight @ words[b, last]
        assert same(vector[b], raw / raw.norm())
    changed = backbone.text_vector(backbone.read(with_token(tokens, 2), present))
    assert not same(vector[1], changed[1])  # the last has seen all others
    assert same(vector[2], changed[2])


def test_the_lower_half_of_a_split_decoder_never_sees_the_picture(make, images, tokens, present):
    """CoCa's text: what the tower makes is the same beside any picture, and no word sees what comes after it."""
    backbone = make(VECTORS | DECODING | {"fused_tokens"}, decoder="split")
    made = []
    backbone.text_tower.register_forward_hook(lambda _, __, found: made.append(found))
    words = tokens.clone()
    words[:, 0] = BOS
    for pictures in (images, images.flip(0)):
        backbone.decode(backbone.context(backbone.see(pictures)), backbone.read(words, present))
    assert torch.equal(*made)
    image, whole = backbone.see(images), torch.ones(3, T, dtype=torch.bool)
    plain = backbone.fused_tokens(image, backbone.read(tokens, whole))
    other = backbone.fused_tokens(image, backbone.read(with_token(tokens, 4), whole))
    assert torch.equal(plain[0], other[0])
    assert same(plain[1][:, :4], other[1][:, :4])
    assert not torch.isclose(plain[1][:, 4:], other[1][:, 4:], atol=1e-5).all(-1).any()


def test_a_split_decoder_says_what_it_reads_of_the_same_words(make, images, tokens, present):
    """Reading and writing are the same layers: with the picture alone, features of said words are the fused words."""
    backbone = make(DECODING | {"fused_tokens"}, decoder="split")
    image, text = backbone.see(images), backbone.read(tokens, present)
    said = backbone.decode(backbone.context(image), text)
    assert same(said[present], backbone.fused_tokens(image, text)[1][present])


def test_berts_norms_in_the_text_tower(make, tokens, present, images):
    backbone = make({"fused_tokens", "text_tokens"}, text_norm="post")
    assert backbone.text_tower.post_norm
    found = backbone.fused_tokens(backbone.see(images), backbone.read(tokens, present))
    assert all(torch.isfinite(part).all() for part in found)


@pytest.mark.parametrize("settings", [{"two_way": False}, {"two_way": True}, {"decoder": "split"}], ids=str)
def test_texts_of_one_picture_side_by_side_are_as_each_beside_a_picture_of_its_own(
    make, images, tokens, present, settings
):
    """Four texts for each of two pictures, picked out of three; keys are made once a picture where that can be."""
    backbone = make({"fused_tokens"}, fusion=2, **settings)
    at, text = torch.tensor([2, 0]), torch.tensor([0, 1, 2, 0, 2, 2, 1, 0])
    read = backbone.read(tokens, present)
    rows = []
    layer = backbone.decoder[1] if backbone.split else backbone.fusion[1].words
    layer.cross.key.register_forward_hook(lambda _, given, __: rows.append(len(given[0])))
    together = backbone.fused_tokens(backbone.see(images).rows(at).each(4), read.rows(text))
    assert rows == ([8] if settings.get("two_way") else [3]), "the whole batch's, which other pairs of it will want"
    plain = backbone.fused_tokens(backbone.see(images).rows(at.repeat_interleave(4)), read.rows(text))
    for one, other in zip(together, plain, strict=True):
        assert one.shape == other.shape and torch.allclose(one, other, rtol=0, atol=1e-5)
