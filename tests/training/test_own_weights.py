"""A checkpoint of ours elsewhere: the same at the same size, resized tables at others, a sentence for all else."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn.functional import interpolate

from vlpbench.backbones import Conv2, DualEncoder, EncoderDecoder, Linear, Timm, vlpbench_trunks
from vlpbench.backbones.dual_encoder import DualConfig
from vlpbench.backbones.dual_fusion import DualFusion, DualFusionConfig
from vlpbench.backbones.sizes import SIZES
from vlpbench.errors import UserError
from vlpbench.objectives.contrastive import Contrastive
from vlpbench.training.checkpoint import Origin, save_weights
from vlpbench.training.learner import Learner, Term
from vlpbench.training.own_weights import fit_checkpoint

VECTORS = {"image_vector", "text_vector"}
ALL = {*VECTORS, "context", "decode"}


@pytest.fixture
def saved(blueprint, tmp_path):
    """(abilities, origin, changes of the plan) -> the backbone, every table stirred, and its file."""

    def make(abilities=ALL, origin=None, **changes):
        backbone = replace(blueprint, seed=5, **changes).build(abilities)
        with torch.no_grad():
            for name, parameter in backbone.named_parameters():
                if "biases" in name or "last_bias" in name:
                    parameter.normal_(generator=torch.Generator().manual_seed(7))
        path = tmp_path / "weights.safetensors"
        if origin is True:
            origin = Origin("linear/x/nano", backbone.spec.grid, 6, "v")
        save_weights(backbone, path, origin)
        return backbone, path

    return make


EVERY = [*((trunk, None) for trunk in vlpbench_trunks()), (DualFusion, DualFusionConfig(decoder="own")),
         (DualFusion, DualFusionConfig(decoder="split"))]
"""All trunks, and those wirings of theirs that have other tables."""


@pytest.mark.parametrize(("trunk", "config"), EVERY)
def test_what_was_trained_for_one_thing_is_loaded_for_another(blueprint, saved, trunk, config):
    """Prefix LM leaves a writer, contrastive learning a seer; `init` builds what the tasks may ask, which is all."""
    offers = trunk.offers_with(config or trunk.config_class())
    asked = [one for one in (VECTORS, {"context", "decode"}, {"fused_tokens"}, offers) if one <= offers]
    for theirs in asked:
        given, path = saved(theirs, trunk=trunk, config=config)
        for ours in asked:
            fitted = fit_checkpoint(replace(blueprint, trunk=trunk, config=config).build(ours), path)
            there = given.state_dict()
            assert "words.weight" in fitted.weights and "stem.project.weight" in fitted.weights
            assert all(torch.equal(value, there[name]) for name, value in fitted.weights.items())
            if ours == offers:
                assert fitted.weights.keys() == there.keys()


@pytest.mark.parametrize(("trunk", "config"), EVERY)
@pytest.mark.parametrize("origin", [None, True])
def test_the_same_size_comes_back_to_the_bit(blueprint, saved, trunk, config, origin):
    abilities = trunk.offers_with(config or trunk.config_class())
    theirs, path = saved(abilities, origin, trunk=trunk, config=config)
    fitted = fit_checkpoint(replace(blueprint, trunk=trunk, config=config).build(abilities), path)
    expected = theirs.state_dict()
    assert fitted.weights.keys() == expected.keys()
    assert all(torch.equal(value, expected[name]) for name, value in fitted.weights.items())
    assert (fitted.unused, fitted.resized) == ((), ())


@pytest.mark.parametrize("origin", [None, True])
@pytest.mark.parametrize(("trunk", "words"), [(EncoderDecoder, "text_positions.weight"),
                                              (DualEncoder, "text_tower.positions.weight")])
@pytest.mark.parametrize(("pixels", "length"), [(64, 10), (16, 4)])
def test_tables_at_another_size_are_a_direct_resize(blueprint, saved, trunk, words, origin, pixels, length):
    abilities = ALL & trunk.offers
    theirs, path = saved(abilities, origin, trunk=trunk)
    mine = replace(blueprint, trunk=trunk, pixels=pixels, length=length).build(abilities)
    fitted = fit_checkpoint(mine, path)
    held, (old, _), (new, _) = theirs.state_dict(), theirs.spec.grid, mine.spec.grid
    assert old != new
    cells = held["image_positions.weight"].T.view(1, -1, old, old)
    cells = interpolate(cells, size=(new, new), mode="bilinear")[0].flatten(1).T
    assert torch.allclose(fitted.weights["image_positions.weight"], cells, atol=1e-6)
    bias = held["biases.0.table"].view(1, -1, 2 * old - 1, 2 * old - 1)
    bias = interpolate(bias, size=(2 * new - 1, 2 * new - 1), mode="bilinear")[0].flatten(1)
    assert torch.allclose(fitted.weights["biases.0.table"], bias, atol=1e-6)
    table = held[words]
    expected = table[:length] if length < 6 else interpolate(table.T[None], size=length, mode="linear")[0].T
    assert torch.allclose(fitted.weights[words], expected, atol=1e-6)
    tables = {"image_positions.weight", "biases.0.table", words}
    assert {said.split()[0] for said in fitted.resized} == tables
    assert f"{words} 6 -> {length}" in fitted.resized
    assert f"biases.0.table {old} x {old} -> {new} x {new}" in fitted.resized
    assert all(torch.equal(value, held[name]) for name, value in fitted.weights.items() if name not in tables)
    mine.load_state_dict(fitted.weights)  # every shape is the backbone's


@pytest.mark.parametrize(("trunk", "config"), EVERY)
def test_every_trunk_goes_on_at_another_size(blueprint, saved, trunk, config):
    """Tables of image tokens, of words and of offsets are all that a size changes, and none is forgotten."""
    abilities = trunk.offers_with(config or trunk.config_class())
    theirs, path = saved(abilities, trunk=trunk, config=config)
    mine = replace(blueprint, trunk=trunk, config=config, pixels=64, length=10).build(abilities)
    fitted, held = fit_checkpoint(mine, path), theirs.state_dict()
    mine.load_state_dict(fitted.weights)
    changed = {name for name, value in mine.state_dict().items() if value.shape != held[name].shape}
    assert {said.split()[0] for said in fitted.resized} == changed
    words = {said.split()[0] for said in fitted.resized if " x " not in said}
    assert words == {name for name in changed if name.endswith("positions.weight") and "image" not in name}
    assert words


def test_a_grid_that_is_no_square_is_told_by_the_file(blueprint, saved):
    theirs, path = saved(VECTORS)
    rows, columns = theirs.spec.grid
    held = load_file(path)
    lone = {name: value for name, value in held.items() if not name.startswith("biases")}
    flat = Origin("x", (1, rows * columns), 6, "v")
    save_file(lone, path, {})
    mine = replace(blueprint, trunk=EncoderDecoder).build(VECTORS)
    assert torch.equal(fit_checkpoint(mine, path).weights["image_positions.weight"], held["image_positions.weight"])

    class Plain(torch.nn.Module):
        def state_dict(self):
            return lone

    save_weights(Plain(), path, flat)
    fitted = fit_checkpoint(mine, path)
    line = held["image_positions.weight"].T.view(1, -1, 1, rows * columns)
    expected = interpolate(line, size=(rows, columns), mode="bilinear")[0].flatten(1).T
    assert torch.allclose(fitted.weights["image_positions.weight"], expected, atol=1e-6)


def test_a_learners_checkpoint_gives_its_backbone(blueprint, tmp_path):
    plan = replace(blueprint, trunk=DualEncoder)
    backbone = plan.build(VECTORS)
    learner = Learner(backbone, [Term(1.0, Contrastive(Contrastive.config_class(), backbone.spec))])
    save_weights(learner, tmp_path / "w.safetensors")
    fitted = fit_checkpoint(plan.build(VECTORS), tmp_path / "w.safetensors")
    assert fitted.weights.keys() == backbone.state_dict().keys()
    assert fitted.unused == tuple(sorted(n for n in learner.state_dict() if n.startswith("terms.")))
    assert fitted.unused


def test_heads_may_be_missing_or_left_over(blueprint, saved):
    _, path = saved(VECTORS)
    fitted = fit_checkpoint(blueprint.build({"image_vector", "context", "decode"}), path)
    assert fitted.unused == ("backbone.text_head.linear.weight",)
    assert "image_head.linear.weight" in fitted.weights
    assert not any(name.startswith("decoder") for name in fitted.weights)


@pytest.mark.parametrize(("changes", "said"), [
    ({"size": SIZES["tiny"]}, r"does not fit this backbone: .*9. x .* in the file, 192 here"),
    ({"stem": Conv2, "pixels": 16}, r"stem\.project\.weight: 96 x 3 x 8 x 8 in the file, 96 x 48 here"),
    ({"size": replace(SIZES["nano"], decoder=3)}, r"another form: decoder\.2\..* only here"),
    ({"size": replace(SIZES["nano"], decoder=1)}, r"another form: decoder\.1\..* only in the file"),
    ({"size": replace(SIZES["nano"], heads=2)}, r"biases\.0\.table: 4 x 49 in the file, 2 x 49 here"),
])
def test_another_size_or_stem_is_an_error_that_lists_it(blueprint, saved, changes, said):
    _, path = saved(stem=Linear)
    with pytest.raises(UserError, match=said) as caught:
        fit_checkpoint(replace(blueprint, **changes).build(ALL), path)
    assert caught.value.place == str(path)
    assert "checkpoint" in caught.value.remedy


def test_a_pre_norm_tower_does_not_pass_for_a_post_norm_one(blueprint, saved):
    _, path = saved(VECTORS, True, trunk=DualEncoder)
    post = replace(blueprint, trunk=DualEncoder, config=DualConfig("post")).build(VECTORS)
    with pytest.raises(UserError, match=r"\(it is linear/x/nano\) has parts .* another form: text_tower"):
        fit_checkpoint(post, path)


def test_another_vocabulary_is_an_error(blueprint, saved):
    _, path = saved(origin=True)
    assert fit_checkpoint(blueprint.build(ALL), path, "v").weights
    with pytest.raises(UserError, match="another tokenizer") as caught:
        fit_checkpoint(blueprint.build(ALL), path, "w")
    assert "tokenizer.json" in caught.value.remedy
    more = replace(blueprint, vocabulary=replace(blueprint.vocabulary, size=70)).build(ALL)
    with pytest.raises(UserError, match=r"words\.weight: 60 x 96 in the file, 70 x 96 here"):
        fit_checkpoint(more, path)


def test_weights_of_something_else_are_an_error(blueprint, tmp_path):
    save_file({"fc.weight": torch.zeros(2, 2)}, tmp_path / "w.safetensors")
    with pytest.raises(UserError, match=r"nothing that this backbone has: fc\.weight"):
        fit_checkpoint(blueprint.build(ALL), tmp_path / "w.safetensors")
    save_file({"image_positions.weight": torch.zeros(5, 96)}, tmp_path / "w.safetensors")
    with pytest.raises(UserError, match=r"cannot resize image_positions\.weight: a table of 5 entries"):
        fit_checkpoint(blueprint.build(ALL), tmp_path / "w.safetensors")


def test_a_timm_stem_of_a_checkpoint_comes_along(blueprint, saved):
    theirs, path = saved({"image_tokens"}, stem=Timm, argument="resnet10t", pixels=64)
    mine = replace(blueprint, stem=Timm, argument="resnet10t", pixels=64).build({"image_tokens"})
    fitted = fit_checkpoint(mine, path)
    assert fitted.weights.keys() == theirs.state_dict().keys()
    assert torch.equal(fitted.weights["stem.net.conv1.0.weight"], theirs.state_dict()["stem.net.conv1.0.weight"])
