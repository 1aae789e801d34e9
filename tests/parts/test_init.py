"""Equal names start with equal numbers, whatever else a model holds; no other draw notices."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from timm.models.resnet import BasicBlock
from torch import nn

from vlpbench.parts.init import initialise, seeded
from vlpbench.streams import seed_of


def drawn(model, seed=0, skip=frozenset()):
    initialise(model, lambda name: seed_of(seed, name), skip)
    return {name: value.clone() for name, value in model.state_dict().items()}


def trunk(**more):
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))
    return nn.ModuleDict({"first": nn.Linear(4, 4), "net": net, "norm": nn.LayerNorm(4)} | more)


def test_equal_names_are_equal_whatever_else_there_is():
    alone = drawn(trunk())
    torch.manual_seed(77)
    among = drawn(nn.ModuleDict({"before": nn.Linear(9, 9), **trunk(after=nn.Linear(3, 3))}))
    assert set(alone) < set(among)
    assert all(torch.equal(value, among[name]) for name, value in alone.items())


def test_twins_of_other_names_and_other_seeds_differ():
    found = drawn(nn.ModuleDict({"left": nn.Linear(4, 4), "right": nn.Linear(4, 4)}))
    assert not torch.equal(found["left.weight"], found["right.weight"])
    assert not torch.equal(drawn(trunk(), 0)["first.weight"], drawn(trunk(), 1)["first.weight"])


def test_no_other_draw_notices():
    model = trunk()
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()
    drawn(model)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert (np.random.get_state()[1] == before[2]).all()


def test_seeded_draws_alike_and_gives_back_the_state():
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    with seeded(3):
        first = torch.rand(4)
    assert torch.equal(torch.rand(2), expected)
    with seeded(3):
        assert torch.equal(torch.rand(4), first)


def test_seeded_gives_back_the_state_after_an_error():
    before = torch.get_rng_state()
    with pytest.raises(RuntimeError), seeded(3):
        torch.rand(2, 3) @ torch.rand(2, 3)
    assert torch.equal(torch.get_rng_state(), before)


def test_convolutions_are_drawn_by_he():
    conv = nn.Conv2d(16, 64, 3)
    drawn(conv)
    assert conv.weight.std().item() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.05)
    assert not conv.bias.any()


def test_the_last_norm_of_a_residual_block_starts_at_zero():
    block = BasicBlock(8, 8)
    nn.init.ones_(block.bn2.weight)
    drawn(nn.Sequential(block))
    assert not block.bn2.weight.any()
    assert block.bn1.weight.all()


def test_running_statistics_start_anew():
    model = trunk()
    model["net"][1].running_mean.fill_(3.0)
    assert not drawn(model)["net.1.running_mean"].any()


def test_names_in_skip_keep_theirs_and_their_neighbours_do_not():
    model = nn.ModuleDict({"stem": nn.Sequential(nn.Linear(3, 3)), "stem2": nn.Linear(3, 3)})
    before = {name: value.clone() for name, value in model.state_dict().items()}
    after = drawn(model, skip=frozenset({"stem"}))
    assert torch.equal(before["stem.0.weight"], after["stem.0.weight"])
    assert not torch.equal(before["stem2.weight"], after["stem2.weight"])


def test_torch_own_attention_is_drawn_by_name_too():
    def after(global_seed):
        torch.manual_seed(global_seed)
        return drawn(nn.TransformerDecoderLayer(8, 2))

    one, other = after(0), after(1)
    assert all(torch.equal(one[name], other[name]) for name in one)
