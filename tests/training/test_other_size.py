"""A backbone at another picture size: tables interpolated as slow, obvious ones are, all else to the bit."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

from vlpbench.backbones import Conv2, Conv3, Conv4, DecoderOnly, EncoderDecoder, Linear, Timm, vlpbench_trunks
from vlpbench.backbones.sizes import SIZES
from vlpbench.errors import UserError
from vlpbench.training.build import Blueprint
from vlpbench.training.other_size import AtSize
from vlpbench.types import Vocabulary

VOCABULARY = Vocabulary(size=60, pad=0, bos=1, eos=2, unk=3, mask=4, sentinels=(5, 6))
KEY = "protocol.vqa.size"


def plan(stem=Linear, trunk=EncoderDecoder, pixels=16, argument="", seed=0):
    return Blueprint(stem, argument, trunk, SIZES["nano"], pixels, VOCABULARY, 6, seed)


def stirred(backbone):
    """Its weights, tables that begin at nought among them."""
    with torch.no_grad():
        for name, parameter in backbone.named_parameters():
            if "bias" in name:
                parameter.normal_(generator=torch.Generator().manual_seed(7))
    return backbone.state_dict()


def between(value, i, old, new):
    """A function of whole places read at the middle of the i-th of `new` cells over `old` ones, ends held."""
    at = min(max((i + 0.5) * old / new - 0.5, 0.0), old - 1.0)
    low = int(at)
    return value(low) * (low + 1 - at) + value(min(low + 1, old - 1)) * (at - low)


def by_hand(look, old, new):
    """new, new: `look(row, column)` of a square of `old` a side, one number at a time, down and then across."""
    return torch.stack([
        torch.stack([between(lambda r, j=j: between(lambda c: look(r, c), j, old, new), i, old, new)
                     for j in range(new)])
        for i in range(new)
    ])


@pytest.mark.parametrize("pixels", [24, 8, 40])
def test_tables_are_what_a_slow_reading_of_them_gives(pixels):
    first = plan()
    at = AtSize(first, pixels, KEY)
    held = stirred(first.build(first.offers))
    found = at.fitted(at.build(at.offers), held)
    old, new = first.spec.grid[0], at.spec.grid[0]
    assert (old, new) == (2, pixels // 8)
    cells = held["image_positions.weight"].view(old, old, -1)
    expected = by_hand(lambda r, c: cells[r, c], old, new).flatten(0, 1)
    assert torch.allclose(found["image_positions.weight"], expected, atol=1e-6)
    for name in [name for name in held if name.startswith("biases.")]:  # offsets -(R-1) to R-1 in each direction
        offsets, wanted = 2 * old - 1, 2 * new - 1
        table = held[name].view(-1, offsets, offsets)
        expected = by_hand(lambda r, c, table=table: table[:, r, c], offsets, wanted)
        assert torch.allclose(found[name], expected.flatten(0, 1).T, atol=1e-6), name
    assert torch.equal(found["text_positions.weight"], held["text_positions.weight"])


@pytest.mark.parametrize("stem", [Linear, Conv2, Conv3])
@pytest.mark.parametrize("trunk", vlpbench_trunks())
def test_what_was_learnt_goes_along_and_only_tables_of_image_tokens_change(stem, trunk):
    first = plan(stem, trunk)
    at = AtSize(first, 24, KEY)
    held = stirred(first.build(first.offers))
    backbone = at.build(at.offers)
    backbone.load_state_dict(found := at.fitted(backbone, held))  # strict: nothing is missing, nothing left
    changed = {name for name, value in found.items() if value.shape != held[name].shape}
    assert changed == {name for name in held if name == "image_positions.weight" or name.endswith("bias.table")
                       or (name.startswith("biases.") and name.endswith("table"))}
    assert all(torch.equal(found[name], held[name]) for name in held.keys() - changed)
    tokens = backbone.eval().see(torch.zeros(2, 3, 24, 24))
    if "image_tokens" in at.offers:
        assert backbone.image_tokens(tokens).shape[1] == at.spec.grid[0] * at.spec.grid[1]


@pytest.mark.parametrize("trunk", [EncoderDecoder, DecoderOnly])
def test_a_row_that_learns_nothing_is_drawn_at_the_first_size_and_interpolated(trunk):
    """The weights of a row without pretraining are those that any row would begin with, brought to the size alike."""
    first = plan(trunk=trunk)
    at = AtSize(first, 24, KEY)
    drawn, direct = at.build({"decode", "context"}), replace(first, pixels=24).build({"decode", "context"})
    expected = at.fitted(direct, first.build({"decode", "context"}).state_dict())
    assert all(torch.equal(value, expected[name]) for name, value in drawn.state_dict().items())
    assert not torch.equal(drawn.image_positions.weight, direct.image_positions.weight)
    other = AtSize(plan(trunk=trunk, seed=1), 24, KEY).build({"decode", "context"})
    assert not torch.equal(drawn.image_positions.weight, other.image_positions.weight)


def test_a_part_of_the_weights_is_fitted_and_what_is_given_stays():
    first = plan()
    at = AtSize(first, 24, KEY)
    held = first.build(first.offers).state_dict()
    some = {name: held[name] for name in ("image_positions.weight", "words.weight")}
    kept = copy.deepcopy(some)
    found = at.fitted(at.build(at.offers), some | {"a.head": torch.ones(3)})
    assert found.keys() == {*some, "a.head"} and found["image_positions.weight"].shape[0] == 9
    assert all(torch.equal(some[name], kept[name]) for name in kept)
    assert at.fitted(at.build(at.offers), {}) == {}


@pytest.mark.parametrize(
    ("stem", "argument", "pixels", "said", "remedy"),
    [
        (Linear, "", 20, "linear makes tokens of 8 x 8 pixels", "multiple of 8: 16 or 24"),
        (Conv2, "", 18, "conv2 makes tokens of 4 x 4 pixels", "multiple of 4: 16 or 20"),
        (Conv4, "", 24, "conv4 makes tokens of 16 x 16 pixels", "multiple of 16: 16 or 32"),
        (Conv4, "", 8, "conv4 makes tokens of 16 x 16 pixels", "multiple of 16: 16"),
        (Timm, "vit_tiny_patch16_224", 40, "timm:vit_tiny_patch16_224 makes tokens of 16 x 16", "of 16: 32 or 48"),
    ],
)
def test_a_size_that_a_stem_cannot_take_is_told_with_those_that_it_can(stem, argument, pixels, said, remedy):
    at = AtSize(plan(stem, argument=argument), pixels, KEY)
    for ask in (lambda: at.spec, lambda: at.build({"decode"})):
        with pytest.raises(UserError, match=said) as caught:
            ask()
        assert f"{KEY} {pixels} is not a multiple" in caught.value.cause and caught.value.place == KEY
        assert remedy in caught.value.remedy and " 0 " not in caught.value.remedy


def test_timms_own_tables_are_brought_along_by_timm():
    first = plan(Timm, argument="vit_tiny_patch16_224", pixels=32)
    at = AtSize(first, 48, KEY)
    held = first.build({"image_vector"}).state_dict()
    found = at.build({"image_vector"}).state_dict()
    assert held["stem.net.pos_embed"].shape[1] == 5 and found["stem.net.pos_embed"].shape[1] == 10
    assert torch.equal(found["stem.net.pos_embed"][:, 0], held["stem.net.pos_embed"][:, 0])  # the class token's
    assert found["stem.net.pos_embed"][:, 1:].std() > 0
    same = [name for name in held if "pos_embed" not in name and held[name].shape == found[name].shape]
    assert len(same) > 100 and all(torch.equal(held[name], found[name]) for name in same)


class Places(Linear):
    """A stranger's stem with a table of its own."""

    def __init__(self, size, pixels, argument=""):
        super().__init__(size, pixels, argument)
        self.places = nn.Parameter(torch.zeros(self.grid[0] * self.grid[1], size.width))


def test_a_strangers_own_table_is_named():
    at = AtSize(plan(Places), 24, KEY)
    said = r"pictures of 24 pixels: stem.places: 4 x \d+ for 16 pixels, 9 x \d+ here"
    with pytest.raises(UserError, match=said) as it:
        at.build({"decode"})
    assert (it.value.place, it.value.remedy.startswith(f"leave {KEY} out")) == (KEY, True)


def test_shapes_alone_are_enough():
    with torch.device("meta"):
        backbone = AtSize(plan(Conv2), 24, KEY).build({"decode"})
    assert backbone.image_positions.weight.is_meta and len(backbone.image_positions.weight) == 36
