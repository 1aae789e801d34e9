"""Lazy states compute each product once, whoever asks; an ability that is not there says so."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from vlpbench.contract.abilities import ABILITIES, Backbone, Context, ImageState, TextState
from vlpbench.types import Spec, Vocabulary

SPEC = Spec(4, 4, (2, 2), Vocabulary(9, 0, 1, 2, 3, 4))


class OnlyPictures(Backbone):
    """The least backbone: its picture tokens are the pixels."""

    name = "only-pictures"
    offers = frozenset({"image_tokens", "image_vector"})

    def __init__(self, abilities=frozenset({"image_tokens"})):
        super().__init__(SPEC, frozenset(abilities))
        self.table = nn.Parameter(torch.eye(9, 4))

    def image_tokens(self, image):
        return image.once("tokens", lambda whole: whole.images.flatten(2).mT)

    def logits(self, features):
        return features @ self.table.T

    def word_vectors(self, tokens):
        return self.table[tokens]

    def token_losses(self, features, targets):
        return -self.logits(features).log_softmax(-1).gather(-1, targets[..., None])[..., 0]


class Counted:
    """A product that counts how often it was computed, and on how many rows."""

    def __init__(self, product):
        self.product, self.rows = product, []

    def __call__(self, whole):
        self.rows.append(len(whole))
        return self.product(whole)


@pytest.fixture
def image():
    return ImageState(torch.arange(4.0).view(4, 1, 1, 1).expand(4, 3, 2, 2))


@pytest.fixture
def double():
    return Counted(lambda whole: whole.images * 2)


def test_a_product_is_computed_once(image, double):
    first = image.once("double", double)
    assert image.once("double", double) is first
    assert double.rows == [4]


def test_products_of_other_names_are_others(image, double):
    image.once("double", double)
    assert torch.equal(image.once("same", lambda whole: whole.images), image.images)


def test_rows_pick_what_the_whole_has_computed(image, double):
    whole = image.once("double", double)
    index = torch.tensor([2, 0, 2])
    rows = image.rows(index)
    assert len(rows) == 3
    assert torch.equal(rows.images, image.images[index])
    assert torch.equal(rows.once("double", double), whole[index])
    assert double.rows == [4]


def test_rows_that_ask_first_compute_for_the_whole(image, double):
    one, other = image.rows(torch.tensor([3])), image.rows(torch.tensor([1, 0]))
    assert one.once("double", double)[0, 0, 0, 0] == 6
    assert other.once("double", double)[:, 0, 0, 0].tolist() == [2, 0]
    assert torch.equal(image.once("double", double), image.images * 2)
    assert double.rows == [4]


def test_rows_of_rows(image, double):
    nested = image.rows(torch.tensor([3, 1, 0])).rows(torch.tensor([2, 0]))
    assert nested.once("double", double)[:, 0, 0, 0].tolist() == [0, 6]
    assert nested.images[:, 0, 0, 0].tolist() == [0, 3]
    assert double.rows == [4]


def test_each_picture_several_times_in_a_row(image, double):
    rows = image.rows(torch.tensor([3, 1]))
    each = rows.each(3)
    assert len(each) == 6 and each.alike == 3 and each.distinct is rows
    assert each.once("double", double)[:, 0, 0, 0].tolist() == [6, 6, 6, 2, 2, 2]
    assert each.images[:, 0, 0, 0].tolist() == [3, 3, 3, 1, 1, 1]
    assert image.each(1).images.tolist() == image.images.tolist()
    assert double.rows == [4]
    assert rows.distinct is None and rows.alike == 1, "rows that were picked may show any pictures"


def test_products_of_several_tensors_are_picked_in_each(image):
    pair = Counted(lambda whole: (whole.images, (whole.images * 2,)))
    plain, (double,) = image.rows(torch.tensor([1])).once("pair", pair)
    assert (plain[0, 0, 0, 0].item(), double[0, 0, 0, 0].item()) == (1, 2)


def test_gradient_flows_through_rows(image):
    weight = torch.ones(4, 1, 1, 1, requires_grad=True)
    image.rows(torch.tensor([1, 1])).once("scaled", lambda whole: whole.images * weight).sum().backward()
    assert weight.grad.flatten().tolist() == [0, 2 * 12, 0, 0]


def test_text_rows_pick_tokens_and_mask_of_candidates_too():
    tokens = torch.arange(24).view(4, 2, 3)
    text = TextState(tokens, tokens % 2 == 0)
    rows = text.rows(torch.tensor([3, 0]))
    assert torch.equal(rows.tokens, tokens[[3, 0]])
    assert torch.equal(rows.mask, text.mask[[3, 0]])
    assert (len(text), len(rows)) == (4, 2)


def test_context_rows_pick_memory_mask_and_keys():
    memory = torch.randn(3, 2, 4)
    whole = Context(memory, torch.tensor([[True, False]] * 3), {"layer0": (memory * 2, memory * 3)})
    rows = whole.rows(torch.tensor([2, 2, 0]))
    assert torch.equal(rows.memory, memory[[2, 2, 0]])
    assert rows.mask.shape == (3, 2)
    assert torch.equal(rows.keys["layer0"][1], 3 * memory[[2, 2, 0]])
    assert Context(memory, None).rows(torch.tensor([1])).mask is None


def test_an_ability_that_is_not_offered_cannot_be_built():
    with pytest.raises(ValueError, match="OnlyPictures cannot decode, text_tokens"):
        OnlyPictures({"image_tokens", "text_tokens", "decode"})


def test_every_ability_that_is_not_overridden_says_that_it_is_missing():
    backbone, state = OnlyPictures(), ImageState(torch.zeros(1, 3, 2, 2))
    for ability in sorted(ABILITIES.keys() - {"image_tokens"}):
        given = (state, state) if ability in ("fused_tokens", "decode") else (state,)
        with pytest.raises(AttributeError, match=f"'only-pictures' has no '{ability}'"):
            getattr(backbone, ability)(*given)
    with pytest.raises(AttributeError, match="has no 'decode'"):
        backbone.begin(Context(torch.zeros(1, 1, 4), None), 1, 2)
    with pytest.raises(AttributeError, match="has no 'decode'"):
        backbone.step(None, torch.zeros(1, 1))


def test_demand_is_met_by_any_of_the_named():
    backbone = OnlyPictures({"image_tokens"})
    assert backbone.demand("image_tokens") is None
    assert backbone.demand("image_vector", "image_tokens") is None
    with pytest.raises(AttributeError, match=r"built without 'image_vector' \(with: image_tokens\)"):
        backbone.demand("image_vector")
    with pytest.raises(AttributeError, match="with: nothing"):
        OnlyPictures(set()).demand("image_tokens")


def test_see_and_read_keep_what_they_are_given():
    backbone, images = OnlyPictures(), torch.randn(2, 3, 2, 2)
    image, text = backbone.see(images), backbone.read(torch.ones(2, 3), torch.ones(2, 3, dtype=torch.bool))
    assert image.images is images
    assert (len(image), len(text)) == (2, 2)
    assert torch.equal(backbone.image_tokens(image), images.flatten(2).mT)


def test_a_backbone_knows_where_it_is():
    assert OnlyPictures().device == torch.device("cpu")
    assert OnlyPictures().to("meta").device == torch.device("meta")
