"""What two objectives share is computed once; rows are picked, not computed again."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from vlpbench.backbones.decoder_only import DecoderOnly
from vlpbench.backbones.dual_encoder import DualEncoder
from vlpbench.backbones.dual_fusion import DualFusion, DualFusionConfig

VECTORS = {"image_tokens", "text_tokens", "image_vector", "text_vector"}


@pytest.fixture
def counted(lively):
    """A backbone and how often its stem and its encoder layers were passed."""

    def make(abilities, **changes):
        backbone, passes = lively(abilities, **changes), Counter()
        backbone.stem.register_forward_hook(lambda *_: passes.update(["stem"]))
        towers = {"encoder": "first", "image_tower": "image", "text_tower": "text"}
        for name, said in towers.items():
            if hasattr(backbone, name):
                tower = getattr(backbone, name)
                getattr(tower, "blocks", tower)[0].register_forward_hook(lambda *_, said=said: passes.update([said]))
        for layer, block in enumerate(getattr(backbone, "decoder", [])):
            block.cross.key.register_forward_hook(lambda *_, layer=layer: passes.update([f"keys{layer}"]))
        return backbone, passes

    return make


def test_a_picture_is_encoded_once_whoever_asks(counted, images, tokens, present):
    backbone, passes = counted(VECTORS | {"context", "decode", "fused_tokens"})
    image, text = backbone.see(images), backbone.read(tokens, present)
    assert not passes  # nothing is computed before anybody asks
    for _ in range(2):
        backbone.image_vector(image)
        backbone.image_tokens(image)
        backbone.context(image)
    assert passes == {"stem": 1, "first": 1}
    for _ in range(2):
        backbone.text_vector(text)
        backbone.text_tokens(text)
    assert passes == {"stem": 1, "first": 2}
    backbone.fused_tokens(image, text)
    backbone.context(image, text, "causal")
    assert passes == {"stem": 1, "first": 4}  # other masks are other passes; the stem's stays


def test_keys_of_a_context_are_made_once(counted, images):
    backbone, passes = counted({"context", "decode"})
    context = backbone.context(backbone.see(images))
    words = backbone.read(torch.ones(3, 2, 4, dtype=torch.long), torch.ones(3, 2, 4, dtype=torch.bool))
    for _ in range(3):
        backbone.decode(context, words)
    with torch.no_grad():
        state = backbone.begin(context, 2, 4)
        for _ in range(3):
            backbone.step(state, torch.ones(3, 2, dtype=torch.long))
    backbone.decode(context.rows(torch.tensor([0, 2])), words.rows(torch.tensor([0, 2])))
    assert passes == {"stem": 1, "first": 1, "keys0": 1, "keys1": 1}


def test_a_text_alone_passes_no_stem(counted, tokens, present):
    backbone, passes = counted({"context", "decode"})
    backbone.context(None, backbone.read(tokens, present))
    assert passes == {"first": 1}


@pytest.mark.parametrize("trunk", ["encoder-decoder", "dual"])
def test_rows_are_picked_not_computed_again(counted, images, tokens, present, trunk):
    backbone, passes = counted(VECTORS, **({"trunk": DualEncoder} if trunk == "dual" else {}))
    image, text, index = backbone.see(images), backbone.read(tokens, present), torch.tensor([2, 0, 0])
    picked = backbone.image_vector(image.rows(index)), backbone.text_vector(text.rows(index))
    whole = backbone.image_vector(image), backbone.text_vector(text)
    before = passes.copy()
    again = backbone.image_tokens(image.rows(index)), backbone.text_tokens(text.rows(index))
    assert passes == before
    assert passes["stem"] == 1
    for rows, all_rows in zip(picked, whole, strict=True):
        assert torch.equal(rows, all_rows[index])
    picture, words = backbone.see(images[index]), backbone.read(tokens[index], present[index])
    alone = backbone.image_tokens(picture), backbone.text_tokens(words)
    for rows, computed in zip(again, alone, strict=True):
        assert torch.allclose(rows, computed, atol=1e-5)


def test_rows_of_pictures_serve_fusion_and_context(counted, images, tokens, present):
    backbone, passes = counted({"fused_tokens", "context", "decode"})
    image, index = backbone.see(images), torch.tensor([1, 1, 2])
    text = backbone.read(tokens, present)
    mixed = backbone.fused_tokens(image.rows(index), text)[0]
    context = backbone.context(image.rows(index), text)
    assert passes["stem"] == 1
    expected = backbone.fused_tokens(backbone.see(images[index]), text)[0]
    assert torch.allclose(mixed, expected, atol=1e-5)
    assert torch.allclose(context.memory[:, :4], expected, atol=1e-5)


FUSING = {"trunk": DualFusion, "config": DualFusionConfig(decoder="own")}


def test_a_step_of_three_terms_passes_each_tower_once(counted, images, tokens, present):
    """Contrastive, matching and masked words: the picture once, the words once, and once more with masks."""
    backbone, passes = counted({"image_vector", "text_vector", "fused_tokens"}, **FUSING)
    image, text, index = backbone.see(images), backbone.read(tokens, present), torch.tensor([1, 2, 0])
    backbone.image_vector(image), backbone.text_vector(text)
    backbone.fused_tokens(image, text)
    backbone.fused_tokens(image.rows(index), text)
    backbone.fused_tokens(image, text.rows(index))
    backbone.fused_tokens(image, backbone.read(tokens.clone(), present))
    assert passes == {"stem": 1, "image": 1, "text": 2}


def test_vectors_and_contexts_of_a_picture_share_its_tower(counted, images, tokens, present):
    backbone, passes = counted(VECTORS | {"context", "decode"}, **FUSING)
    image, text = backbone.see(images), backbone.read(tokens, present)
    backbone.image_vector(image), backbone.context(image), backbone.context(image, text)
    backbone.context(image, None, "causal-text")
    assert passes == {"stem": 1, "image": 1, "text": 1}
    backbone.context(image, None, "causal")
    assert passes == {"stem": 1, "image": 2, "text": 1}


def test_one_stack_passes_a_picture_once_for_vectors_and_context(counted, images):
    backbone, passes = counted(VECTORS | {"context", "decode"}, trunk=DecoderOnly)
    last = Counter()
    backbone.encoder[-1].register_forward_hook(lambda *_: last.update(["passes"]))
    image = backbone.see(images)
    backbone.context(image), backbone.context(image)
    assert (passes, last) == ({"stem": 1, "first": 1}, {})  # words to come need its keys, not what it makes of them
    backbone.image_vector(image), backbone.image_tokens(image)
    assert (passes, last) == ({"stem": 1, "first": 1}, {"passes": 1})
