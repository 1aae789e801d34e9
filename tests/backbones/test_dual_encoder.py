"""Two towers: neither sees the other, words see all words, padding has no say."""

from __future__ import annotations

import pytest
import torch

from vlpbench.backbones.dual_encoder import DualEncoder
from vlpbench.contract.abilities import ABILITIES

ALL = {"image_tokens", "text_tokens", "image_vector", "text_vector"}


@pytest.fixture(scope="module")
def backbone(lively):
    return lively(ALL, trunk=DualEncoder)


@pytest.fixture(autouse=True)
def _no_gradient():
    with torch.no_grad():
        yield


def same(one, other):
    return torch.allclose(one, other, atol=1e-5)


def test_shapes(backbone, images, tokens, present):
    image, text = backbone.see(images), backbone.read(tokens, present)
    assert backbone.image_tokens(image).shape == (3, 4, 32)
    assert backbone.text_tokens(text).shape == (3, 8, 32)
    for vectors in (backbone.image_vector(image), backbone.text_vector(text)):
        assert vectors.shape == (3, backbone.spec.joint_width)
        assert vectors.dtype == torch.float32
        assert same(vectors.norm(dim=-1), torch.ones(3))


def test_all_words_and_all_patches_see_each_other(backbone, images, tokens):
    words = torch.ones(3, 8, dtype=torch.bool)
    other = tokens.clone()
    other[:, -1] = torch.where(tokens[:, -1] == 7, 8, 7)
    plain = backbone.text_tokens(backbone.read(tokens, words))
    changed = backbone.text_tokens(backbone.read(other, words))
    assert not torch.isclose(plain, changed, atol=1e-5).all(-1).any()
    spot = images.clone()
    spot[:, :, 8:, 8:] += torch.linspace(-3, 3, 64).view(8, 8)
    plain, changed = backbone.image_tokens(backbone.see(images)), backbone.image_tokens(backbone.see(spot))
    assert not torch.isclose(plain, changed, atol=1e-5).all(-1).any()


def test_padding_has_no_say(backbone, tokens, present):
    garbage = torch.where(present, tokens, torch.randint_like(tokens, 7, 40))
    plain, other = backbone.read(tokens, present), backbone.read(garbage, present)
    assert same(backbone.text_vector(plain), backbone.text_vector(other))
    assert same(backbone.text_tokens(plain)[present], backbone.text_tokens(other)[present])
    shorter = backbone.read(tokens[1:, :5], present[1:, :5])
    assert same(backbone.text_vector(plain)[1:], backbone.text_vector(shorter))


def test_the_vector_is_the_projected_mean_of_what_is_there(backbone, images, tokens, present):
    text = backbone.read(tokens, present)
    for b, n in enumerate([8, 5, 1]):
        mean = backbone.text_tokens(text)[b, :n].mean(0)
        raw = backbone.text_head.linear.weight @ mean
        assert same(backbone.text_vector(text)[b], raw / raw.norm())
    raw = backbone.image_tokens(backbone.see(images)).mean(1) @ backbone.image_head.linear.weight.T
    assert same(backbone.image_vector(backbone.see(images)), raw / raw.norm(dim=-1, keepdim=True))


def test_places_matter(backbone, images, tokens):
    words = torch.ones(3, 8, dtype=torch.bool)
    plain, turned = backbone.read(tokens, words), backbone.read(tokens.flip(1), words)
    assert not same(backbone.text_vector(plain), backbone.text_vector(turned))
    assert not same(backbone.image_vector(backbone.see(images)), backbone.image_vector(backbone.see(images.flip(-1))))


def test_word_losses_by_the_word_table(backbone, tokens):
    features = torch.randn(3, 8, 32)
    expected = -(features @ backbone.words.weight.T).log_softmax(-1).gather(-1, tokens[..., None])[..., 0]
    assert torch.allclose(backbone.token_losses(features, tokens), expected, atol=1e-4)
    assert same(backbone.logits(features), features @ backbone.words.weight.T)


@pytest.mark.parametrize("ability", sorted(ABILITIES.keys() - ALL))
def test_it_neither_fuses_nor_decodes(blueprint, backbone, ability):
    with pytest.raises(ValueError, match=f"DualEncoder cannot {ability}"):
        blueprint(trunk=DualEncoder).build({ability})
    given = () if ability == "context" else (None,)
    with pytest.raises(AttributeError, match=f"'dual' has no '{ability}'"):
        getattr(backbone, ability)(None, *given)


def test_a_tower_that_nobody_asks_for_does_not_exist(blueprint, images, tokens, present):
    pictures, texts = (blueprint(trunk=DualEncoder).build({f"{kind}_vector"}) for kind in ("image", "text"))
    assert not any(name.startswith("text_") for name in pictures.state_dict())
    assert not any(name.startswith(("image_", "biases")) for name in texts.state_dict())
    assert pictures.image_tokens(pictures.see(images)).shape == (3, 4, 32)
    with pytest.raises(AttributeError, match=r"built without 'text_tokens' \(with: image_vector\)"):
        pictures.text_tokens(pictures.read(tokens, present))
    with pytest.raises(AttributeError, match="built without 'image_vector'"):
        texts.image_vector(texts.see(images))
