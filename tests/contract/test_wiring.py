"""What a backbone is built from: a size that cannot be changed, a stem, a trunk that holds it."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from vlpbench.backbones.sizes import SIZES
from vlpbench.contract.wiring import Size, Stem, Trunk
from vlpbench.parts import WordTable
from vlpbench.types import Spec, Vocabulary

VOCABULARY = Vocabulary(9, 0, 1, 2, 3, 4)


class Quarters(Stem):
    """Four tokens of a picture: the means of its quarters."""

    name = "quarters"

    def __init__(self, size, pixels, argument=""):
        super().__init__(size, pixels, argument)
        self.pixels, self.grid = pixels, (2, 2)
        self.project = torch.nn.Linear(3, size.width)

    def forward(self, images):
        half = self.pixels // 2
        return self.project(torch.nn.functional.avg_pool2d(images, half).flatten(2).mT)


class Pictures(Trunk):
    """A trunk of nothing but its stem."""

    name, offers = "pictures", frozenset({"image_tokens"})

    def image_tokens(self, image):
        return image.once("tokens", lambda whole: self.stem_tokens(whole.images))

    def logits(self, features):
        return features

    def word_vectors(self, tokens):
        return tokens[..., None].float()

    def token_losses(self, features, targets):
        return features[..., 0]


@pytest.fixture
def trunk():
    stem = Quarters(SIZES["nano"], 8)
    spec = Spec(SIZES["nano"].width, 4, stem.grid, VOCABULARY)
    return Pictures(spec, frozenset({"image_tokens"}), stem, SIZES["nano"], 5)


def test_a_trunk_trains_its_stem(trunk):
    image = trunk.see(torch.randn(2, 3, 8, 8))
    assert trunk.image_tokens(image).shape == (2, 4, SIZES["nano"].width)
    trunk.image_tokens(image).sum().backward()
    assert {name for name, one in trunk.named_parameters() if one.grad is not None} == {
        "stem.project.weight", "stem.project.bias",
    }


def test_pictures_of_another_size_are_refused(trunk):
    with pytest.raises(ValueError, match="16 tokens from 16 x 16 pixels; the stem was built for 2 x 2"):
        trunk.image_tokens(trunk.see(torch.randn(2, 3, 16, 16)))


def test_a_trunk_refuses_what_it_does_not_offer(trunk):
    with pytest.raises(ValueError, match="Pictures cannot text_tokens"):
        Pictures(trunk.spec, frozenset({"text_tokens"}), trunk.stem, SIZES["nano"], 5)


def test_a_stem_is_a_contract():
    with pytest.raises(TypeError, match="forward"):
        Stem(SIZES["nano"], 8)


def test_a_trunk_reads_and_writes_by_its_word_table():
    trunk = Trunk(Spec(4, 4, (1, 1), VOCABULARY), frozenset(), torch.nn.Identity(), SIZES["nano"], 5)
    trunk.words = WordTable(VOCABULARY.size, 4, 1.0)
    features, targets = torch.randn(2, 3, 4), torch.tensor([[0, 1, 2], [2, 1, 0]])
    logits = features @ trunk.words.weight.T
    assert torch.allclose(trunk.logits(features), logits, atol=1e-6)
    assert torch.equal(trunk.word_vectors(targets), trunk.words.weight[targets])
    wanted = -logits.log_softmax(-1).gather(-1, targets[..., None])[..., 0]
    assert torch.allclose(trunk.token_losses(features, targets), wanted, atol=1e-5)


def test_sizes_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        SIZES["nano"].width = 7
    assert all(isinstance(size, Size) and size.name == name for name, size in SIZES.items())
