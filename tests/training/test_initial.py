"""`[init]`: nothing changes without it, what it names is loaded, and what cannot be loaded changes nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from vlpbench.backbones import DualEncoder, Linear, Timm
from vlpbench.config.settings import Init, TextSettings
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.errors import UserError
from vlpbench.training.checkpoint import Origin, load_weights, read_weights, save_weights
from vlpbench.training.initial import Started, initial_tokenizer, start_from

VECTORS = {"image_vector", "text_vector"}
TOKENIZER = Tokenizer.train(["a red cat", "a blue dog"], TextSettings(vocabulary=310))


@pytest.fixture
def plan(blueprint):
    return replace(blueprint, trunk=DualEncoder, vocabulary=TOKENIZER.vocabulary)


@pytest.fixture
def stage(plan, tmp_path):
    """A stage's folder as pretraining leaves it, of another seed."""
    folder = tmp_path / "stages" / "pretrain-1"
    backbone = replace(plan, seed=9).build(VECTORS)
    origin = Origin("linear/dual/nano", backbone.spec.grid, plan.length, TOKENIZER.digest)
    save_weights(backbone, folder / "weights.safetensors", origin)
    TOKENIZER.save(folder / "tokenizer.json")
    return folder


def state(backbone):
    return {name: value.clone() for name, value in backbone.state_dict().items()}


def test_without_init_nothing_changes(plan):
    backbone = plan.build(VECTORS)
    before = state(backbone)
    started = start_from(backbone, Init())
    assert all(torch.equal(value, before[name]) for name, value in backbone.state_dict().items())
    assert started.loaded == ()
    assert started.drawn == tuple(sorted(before))
    assert initial_tokenizer(Init()) is None


def test_a_checkpoint_is_loaded_and_told(plan, stage, tmp_path):
    backbone = replace(plan, pixels=64).build(VECTORS)
    started = start_from(backbone, Init(checkpoint=str(stage)), TOKENIZER.digest)
    theirs = read_weights(stage / "weights.safetensors")
    assert torch.equal(backbone.text_head.linear.weight, theirs["text_head.linear.weight"])
    assert torch.equal(backbone.words.weight, theirs["words.weight"])
    assert set(started.loaded) == set(theirs)
    assert started.drawn == ()
    assert json.loads(json.dumps(started.told())) == {
        "loaded": len(theirs), "drawn": [], "unused": {}, "resized": list(started.resized)}
    assert len(started.resized) == 2  # the table of cells and one layer's biases
    assert initial_tokenizer(Init(checkpoint=str(stage))).digest == TOKENIZER.digest


def test_a_cells_folder_leads_to_its_pretraining(plan, stage, tmp_path):
    cell = tmp_path / "cells" / "x-1"
    cell.mkdir(parents=True)
    (cell / "pretraining.json").write_text(json.dumps({"stage": stage.name}))
    for said in (cell, stage / "weights.safetensors"):
        backbone = plan.build(VECTORS)
        assert start_from(backbone, Init(checkpoint=str(said))).loaded
        assert initial_tokenizer(Init(checkpoint=str(said))).digest == TOKENIZER.digest


def test_parts_that_were_not_trained_are_named(plan, stage):
    images = replace(plan, seed=9).build({"image_vector"})
    save_weights(images, stage / "weights.safetensors")
    backbone = plan.build(VECTORS)
    drawn = state(backbone)
    started = start_from(backbone, Init(checkpoint=str(stage)))
    assert started.told()["drawn"] == ["text_head", "text_tower"]
    assert torch.equal(backbone.text_head.linear.weight, drawn["text_head.linear.weight"])
    assert set(started.drawn) | set(started.loaded) == set(drawn)
    save_weights(replace(plan, seed=9).build(VECTORS), stage / "weights.safetensors")
    started = start_from(plan.build({"image_vector"}), Init(checkpoint=str(stage)))
    assert started.told()["unused"] == {"checkpoint": ["text_head", "text_tower"]}


def test_a_stem_stands_above_a_checkpoint(plan, tmp_path):
    timm = replace(plan, stem=Timm, argument="test_vit")
    whole, other = (replace(timm, seed=seed).build(VECTORS) for seed in (8, 9))
    folder = tmp_path / "stage"
    save_weights(whole, folder / "weights.safetensors")
    TOKENIZER.save(folder / "tokenizer.json")
    save_file({name: value.contiguous() for name, value in other.stem.net.state_dict().items()},
              tmp_path / "vit.safetensors")
    backbone = timm.build(VECTORS)
    started = start_from(backbone, Init(checkpoint=str(folder), stem=str(tmp_path / "vit.safetensors")))
    assert torch.equal(backbone.stem.net.cls_token, other.stem.net.cls_token)
    assert torch.equal(backbone.stem.project.weight, whole.stem.project.weight)
    assert started.drawn == ()
    assert initial_tokenizer(Init(stem=str(tmp_path / "vit.safetensors"))) is None


def test_a_mistake_in_one_file_changes_nothing(plan, stage, tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "stem.safetensors")
    backbone = replace(plan, stem=Linear).build(VECTORS)
    before = state(backbone)
    with pytest.raises(UserError, match="this backbone's stem is 'linear'"):
        start_from(backbone, Init(checkpoint=str(stage), stem=str(tmp_path / "stem.safetensors")))
    with pytest.raises(UserError, match="another tokenizer"):
        start_from(backbone, Init(checkpoint=str(stage)), "0" * 64)
    assert all(torch.equal(value, before[name]) for name, value in backbone.state_dict().items())


def test_two_tokenizers_are_one_too_many(plan, stage, tmp_path):
    init = Init(checkpoint=str(stage), text=str(tmp_path))
    for call in (lambda: start_from(plan.build(VECTORS), init), lambda: initial_tokenizer(init)):
        with pytest.raises(UserError, match="both bring a tokenizer"):
            call()


def test_what_is_missing_or_damaged_is_a_users_error(plan, stage, tmp_path):
    with pytest.raises(UserError, match="there is no"):
        start_from(plan.build(VECTORS), Init(checkpoint=str(tmp_path / "gone")))
    (stage / "tokenizer.json").write_text("{}")
    with pytest.raises(UserError, match="is not a tokenizer"):
        initial_tokenizer(Init(checkpoint=str(stage)))
    (stage / "tokenizer.json").unlink()
    with pytest.raises(UserError, match=r"tokenizer\.json"):
        initial_tokenizer(Init(checkpoint=str(stage)))


def test_what_pretraining_left_stands_above_what_it_started_from(plan, stage):
    """A fine-tune loads both, in this order: parts that pretraining did not build come from the files."""
    pretrained = replace(plan, seed=3).build({"image_vector"}).state_dict()
    backbone = plan.build(VECTORS)
    start_from(backbone, Init(checkpoint=str(stage)))
    load_weights(backbone, pretrained)
    theirs = read_weights(stage / "weights.safetensors")
    assert torch.equal(backbone.image_head.linear.weight, pretrained["image_head.linear.weight"])
    assert torch.equal(backbone.text_head.linear.weight, theirs["text_head.linear.weight"])


def test_nothing_started_tells_nothing():
    assert Started().told() == {"loaded": 0, "drawn": [], "unused": {}, "resized": []}
