"""Initial weights depend on the seed and on their names, not on what else is built or was drawn before."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import nn

from vlpbench.backbones import EncoderDecoder, Timm
from vlpbench.contract.abilities import ABILITIES
from vlpbench.plugin import Size, Spec, Stem
from vlpbench.training.build import Blueprint, draw


def test_equal_blueprints_are_equal_backbones(blueprint: Blueprint) -> None:
    one = blueprint.build(ABILITIES).state_dict()
    torch.manual_seed(77)
    two = blueprint.build(ABILITIES).state_dict()
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_building_draws_nothing_from_the_global_generator(blueprint: Blueprint) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    blueprint.build({"context", "decode"})
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("plan", ["blueprint", "towers"])
def test_what_else_is_built_changes_no_weight(plan: str, request: pytest.FixtureRequest) -> None:
    chosen: Blueprint = request.getfixturevalue(plan)
    small = chosen.build({"image_vector", "text_vector"}).state_dict()
    large = chosen.build(chosen.trunk.offers).state_dict()
    assert small.keys() <= large.keys()
    assert all(torch.equal(small[name], large[name]) for name in small)


def test_seeds_differ_in_every_matrix(blueprint: Blueprint) -> None:
    one = blueprint.build({"context", "decode"})
    two = dataclasses.replace(blueprint, seed=1).build({"context", "decode"})
    for (name, a), b in zip(one.named_parameters(), two.parameters(), strict=True):
        if a.ndim >= 2 and bool(a.any()):
            assert not torch.equal(a, b), name


def test_equal_shapes_under_different_names_differ(blueprint: Blueprint) -> None:
    layers = blueprint.build({"context", "decode"}).decoder
    first, second = (dict(layer.named_parameters()) for layer in list(layers)[:2])  # type: ignore[arg-type]
    matrices = [name for name in first if first[name].ndim >= 2]
    assert matrices and not any(torch.equal(first[name], second[name]) for name in matrices)


class Queue(EncoderDecoder):
    """A trunk with numbers that it draws itself."""

    def __init__(self, spec: Spec, abilities: frozenset[str], stem: Stem, size: Size, length: int, config=None) -> None:
        super().__init__(spec, abilities, stem, size, length, config)
        self.register_buffer("queue", torch.randn(8))


def test_what_a_trunk_draws_itself_depends_on_the_seed_alone(blueprint: Blueprint) -> None:
    plan = dataclasses.replace(blueprint, trunk=Queue)
    torch.manual_seed(1)
    one = plan.build({"image_vector"}).queue
    torch.manual_seed(2)
    assert torch.equal(one, plan.build({"image_vector"}).queue)
    assert not torch.equal(one, dataclasses.replace(plan, seed=1).build({"image_vector"}).queue)


def test_an_ability_that_a_trunk_lacks_is_refused(towers: Blueprint) -> None:
    with pytest.raises(ValueError, match="cannot decode"):
        towers.build({"decode", "image_vector"})


def test_draw_goes_by_prefix_and_name() -> None:
    heads = [nn.ModuleDict({"a": nn.Linear(4, 4), "b": nn.Linear(4, 4)}) for _ in range(3)]
    for head, prefix in zip(heads, ("readout/vqa/", "readout/vqa/", "readout/captioning/"), strict=True):
        draw(head, 3, prefix=prefix)
    weights = [[head["a"].weight, head["b"].weight] for head in heads]
    assert torch.equal(weights[0][0], weights[1][0])
    assert not torch.equal(weights[0][0], weights[0][1])
    assert not torch.equal(weights[0][0], weights[2][0])


def test_an_outside_stem_keeps_its_own_weights_and_they_depend_on_the_seed(blueprint: Blueprint) -> None:
    timm = dataclasses.replace(blueprint, stem=Timm, argument="resnet10t")
    one, two = (timm.build({"image_vector"}).stem.state_dict() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    other = dataclasses.replace(timm, seed=1).build({"image_vector"}).stem.state_dict()
    assert any(not torch.equal(one[name], other[name]) for name in one)
