"""What is built and what it starts from: the abilities asked for, by name and seed alone."""

from __future__ import annotations

import pytest
import torch

from vlpbench.backbones import vlpbench_stems, vlpbench_trunks
from vlpbench.backbones.dual_encoder import DualEncoder
from vlpbench.backbones.encoder_decoder import EncoderDecoder
from vlpbench.backbones.stems import Conv2, Linear, Timm
from vlpbench.contract.abilities import ABILITIES, Backbone
from vlpbench.training.build import draw

VECTORS = {"image_vector", "text_vector"}
DECODING = {"context", "decode"}
HEADS = {"decode": "decoder", "image_vector": "image_head", "text_vector": "text_head"}


def test_names():
    assert [stem.name for stem in vlpbench_stems()] == ["linear", "conv2", "conv3", "conv4", "timm"]
    assert [trunk.name for trunk in vlpbench_trunks()] == ["encoder-decoder", "decoder-only", "dual", "dual-fusion"]


@pytest.mark.parametrize("trunk", vlpbench_trunks(), ids=lambda trunk: trunk.name)
def test_a_trunk_has_the_methods_of_what_it_offers_and_no_others(trunk):
    own = {ability for ability in ABILITIES if getattr(trunk, ability) is not getattr(Backbone, ability)}
    assert own == trunk.offers


@pytest.mark.parametrize("abilities", [set(), {"context"}, DECODING, VECTORS, DECODING | VECTORS, {"fused_tokens"}])
def test_only_the_heads_that_are_asked_for_exist(blueprint, abilities):
    backbone = blueprint().build(abilities)
    assert backbone.abilities == abilities
    built = {ability for ability, head in HEADS.items() if hasattr(backbone, head)}
    assert built == abilities & HEADS.keys()


def test_what_was_not_built_says_so(blueprint, images, tokens, present):
    backbone = blueprint().build({"context"})
    context = backbone.context(backbone.see(images))
    text = backbone.read(tokens, present)
    asked = {
        "decode": [lambda: backbone.decode(context, text), lambda: backbone.begin(context, 1, 4)],
        "image_vector": [lambda: backbone.image_vector(backbone.see(images))],
        "text_vector": [lambda: backbone.text_vector(text)],
    }
    for ability, calls in asked.items():
        for call in calls:
            with pytest.raises(AttributeError, match=rf"built without '{ability}' \(with: context\)"):
                call()


def used(backbone, images, tokens, present):
    """A number that every ability the backbone was built with has a part in."""
    image, text, total = backbone.see(images), backbone.read(tokens, present), 0.0
    for ability in sorted(backbone.abilities - {"context", "decode", "fused_tokens"}):
        found = getattr(backbone, ability)(image if ability.startswith("image") else text)
        total = total + (found * torch.linspace(-1, 1, found.numel()).view_as(found)).sum()
    if "fused_tokens" in backbone.abilities:
        total = total + sum((part * torch.linspace(-1, 1, 32)).sum() for part in backbone.fused_tokens(image, text))
    if "decode" in backbone.abilities:
        total = total + backbone.token_losses(backbone.decode(backbone.context(image, text), text), tokens).sum()
    return total


FUSED, BOTH = {"fused_tokens"}, {"fused_tokens", "text_tokens"}
ASKED = [DECODING, VECTORS, FUSED, BOTH, DECODING | VECTORS, DECODING | FUSED, DECODING | BOTH, VECTORS | FUSED,
         VECTORS | BOTH, DECODING | VECTORS | FUSED, set(ABILITIES), {"image_tokens", "text_tokens"}]
"""What objectives ask for, alone and in sums, and everything."""


def untrained(backbone):
    return {name for name, one in backbone.named_parameters() if one.grad is None or not one.grad.any()}


@pytest.mark.parametrize("abilities", ASKED, ids=lambda one: "+".join(sorted(one)))
def test_every_weight_that_is_built_is_trained(lively, images, tokens, present, wiring, abilities):
    changes, offered = wiring
    if not abilities <= offered:
        with pytest.raises(ValueError, match="cannot "):
            lively(abilities, **changes)
        abilities = offered
    backbone = lively(abilities, **changes).train()
    used(backbone, images, tokens, present).backward()
    assert untrained(backbone) == set()


def test_every_weight_of_a_convolutional_stem_is_trained(lively, images, tokens, present):
    backbone = lively(DECODING, stem=Conv2).train()
    used(backbone, images, tokens, present).backward()
    assert untrained(backbone) == set()


def test_what_some_abilities_need_is_a_part_of_what_all_need(blueprint, wiring):
    """And starts from the same numbers."""
    changes, offered = wiring
    whole = blueprint(**changes).build(offered).state_dict()
    for abilities in ASKED:
        if abilities <= offered:
            few = blueprint(**changes).build(abilities).state_dict()
            assert all(torch.equal(value, whole[key]) for key, value in few.items())


@pytest.mark.parametrize("trunk", [EncoderDecoder, DualEncoder])
@pytest.mark.parametrize("stem", [Linear, Conv2])
def test_one_seed_starts_equal_names_alike_whatever_else_is_built(blueprint, trunk, stem):
    torch.manual_seed(1)
    few = blueprint(trunk=trunk, stem=stem).build({"image_tokens", "text_tokens"}).state_dict()
    torch.manual_seed(2)
    many = blueprint(trunk=trunk, stem=stem).build(trunk.offers).state_dict()
    assert set(few) < set(many)
    assert all(torch.equal(value, many[name]) for name, value in few.items())


def test_both_trunks_start_what_they_share_alike(blueprint):
    one, other = (blueprint(trunk=trunk).build(VECTORS).state_dict() for trunk in (EncoderDecoder, DualEncoder))
    shared = set(one) & set(other)
    assert {"words.weight", "stem.project.weight", "image_head.linear.weight", "text_head.linear.weight"} <= shared
    assert all(torch.equal(one[name], other[name]) for name in shared)


def test_another_seed_starts_elsewhere(blueprint):
    one, other = (blueprint(seed=seed).build(ABILITIES).state_dict() for seed in (0, 1))
    alike = {name for name in one if torch.equal(one[name], other[name])}
    constant = ("norm", "biases", "last_bias", "stem.project.bias")  # ones and zeros, whatever the seed
    assert all(any(part in name for part in constant) for name in alike)
    assert "words.weight" not in alike


def test_drawing_leaves_the_global_generator_alone(blueprint):
    backbone, before = blueprint(stem=Conv2).build(ABILITIES), torch.get_rng_state()
    draw(backbone, 7)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_timm_stem_keeps_its_own_start_by_the_seed(blueprint):
    def weights(seed, global_seed):
        torch.manual_seed(global_seed)
        plan = blueprint(stem=Timm, argument="test_vit", pixels=32, seed=seed)
        return {name: one for name, one in plan.build(VECTORS).state_dict().items() if name.startswith("stem.")}

    one, again, other = weights(0, 1), weights(0, 2), weights(1, 1)
    assert all(torch.equal(value, again[name]) for name, value in one.items())
    assert not torch.equal(one["stem.project.weight"], other["stem.project.weight"])
    assert not torch.equal(one["stem.net.patch_embed.proj.weight"], other["stem.net.patch_embed.proj.weight"])


def test_a_new_backbone_is_near_chance(blueprint, images, tokens, present):
    """The loss of a word is near log V when training starts."""
    backbone = blueprint().build(DECODING).eval()
    with torch.no_grad():
        context = backbone.context(backbone.see(images), backbone.read(tokens, present))
        losses = backbone.token_losses(backbone.decode(context, backbone.read(tokens, present)), tokens)
    assert torch.isfinite(losses).all()
    assert losses.mean().item() == pytest.approx(torch.tensor(40.0).log().item(), abs=1.5)


def test_pictures_of_another_size_are_refused(blueprint):
    for trunk in (EncoderDecoder, DualEncoder):
        backbone = blueprint(trunk=trunk).build({"image_tokens"})
        with pytest.raises(ValueError, match="16 tokens from 32 x 32 pixels; the stem was built for 2 x 2"):
            backbone.image_tokens(backbone.see(torch.zeros(1, 3, 32, 32)))
