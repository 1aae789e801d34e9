"""The text tower: who sees whom, and what a post-norm one computes, block by block."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import gelu, layer_norm, linear, softmax

from vlpbench.backbones.dual_encoder import DualConfig, DualEncoder
from vlpbench.backbones.text_tower import TextTower

B, T, D, HEADS, LAYERS = 3, 6, 16, 2, 2


@pytest.fixture(params=[False, True], ids=["pre", "post"])
def tower(request):
    made = TextTower(8, D, HEADS, LAYERS, 0.5, request.param).eval()
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=rng)
    return made.requires_grad_(False)


@pytest.fixture
def words():
    return torch.randn(B, T, D, generator=torch.Generator().manual_seed(2))


@pytest.fixture
def present():
    return torch.arange(T) < torch.tensor([[6], [4], [1]])


def normed(x, norm, eps):
    return layer_norm(x, (D,), norm.weight, norm.bias, eps)


def attended(x, attention, present, causal):
    """One row and one head at a time, over the words that may be seen."""
    out = torch.zeros_like(x)
    for b in range(B):
        query, key, value = (linear(x[b], part.weight, part.bias) for part in
                             (attention.query, attention.key, attention.value))
        for head in torch.arange(D).chunk(HEADS):
            for t in range(T):
                seen = [s for s in range(T) if present[b, s] and (s <= t or not causal)]
                share = softmax(key[seen][:, head] @ query[t, head] / len(head) ** 0.5, 0)
                out[b, t, head] = share @ value[seen][:, head]
    return attention.out(out)


@pytest.mark.parametrize("causal", [False, True])
def test_it_computes_its_definition(tower, words, present, causal):
    x = words + tower.positions.weight[:T]
    if tower.post_norm:
        x = normed(x, tower.embedding_norm, 1e-12)
    for block in tower.blocks:
        up, down = block.mlp[0], block.mlp[2]
        if tower.post_norm:
            x = normed(x + attended(x, block.attention, present, causal), block.attention_norm, 1e-12)
            x = normed(x + down(gelu(up(x))), block.mlp_norm, 1e-12)
        else:
            x = x + attended(normed(x, block.norm1, 1e-5), block.attention, present, causal)
            x = x + down(gelu(up(normed(x, block.norm2, 1e-5))))
    if not tower.post_norm:
        x = normed(x, tower.norm, 1e-5)
    assert torch.allclose(tower(words, present, causal), x, atol=2e-5)


def test_a_small_variance_is_not_drowned_by_the_norms_epsilon():
    """With torch's own 1e-5, a tower of quiet embeddings would give other numbers than BERT."""
    tower = TextTower(T, D, HEADS, 0, 0.0, post_norm=True)
    quiet = 1e-4 * torch.randn(1, T, D, generator=torch.Generator().manual_seed(3))
    out = tower(quiet, torch.ones(1, T, dtype=torch.bool))
    assert torch.allclose(out.var(-1, unbiased=False), torch.ones(1, T), atol=1e-2)


def test_padding_and_later_words_have_no_say(tower, words, present):
    garbage = torch.where(present[..., None], words, 7.0)
    assert torch.allclose(tower(words, present)[present], tower(garbage, present)[present], atol=1e-5)
    everything = torch.ones(B, T, dtype=torch.bool)
    later = words.clone()
    later[:, 3:] = words[:, 3:].flip(-1)
    plain, changed = (tower(x, everything, causal=True) for x in (words, later))
    assert torch.allclose(plain[:, :3], changed[:, :3], atol=1e-5)
    assert not torch.isclose(plain[:, 3:], changed[:, 3:], atol=1e-5).all(-1).any()
    plain, changed = (tower(x, everything) for x in (words, later))
    assert not torch.isclose(plain[:, :3], changed[:, :3], atol=1e-5).all(-1).any()


def test_texts_longer_than_its_table_are_refused(tower):
    with pytest.raises(ValueError, match="9 tokens, but the position table ends at 8"):
        tower(torch.zeros(1, 9, D), torch.ones(1, 9, dtype=torch.bool))


def test_the_two_kinds_share_no_block_by_name():
    """Weights of one could otherwise be loaded into the other, and every number would be wrong."""
    pre, post = (TextTower(8, D, HEADS, 1, 0.5, kind).state_dict() for kind in (False, True))
    assert set(pre.keys() ^ post.keys()) == {
        "norm.weight", "norm.bias", "embedding_norm.weight", "embedding_norm.bias",
        *(f"blocks.0.{norm}.{part}" for norm in ("norm1", "norm2", "attention_norm", "mlp_norm")
          for part in ("weight", "bias")),
    }


def test_dual_builds_the_kind_that_its_settings_say(blueprint, tokens, present):
    abilities = {"text_tokens"}
    kinds = [blueprint(trunk=DualEncoder, config=config).build(abilities)
             for config in (None, DualConfig(), DualConfig(text_norm="post"))]
    assert [one.text_tower.post_norm for one in kinds] == [False, False, True]
    plain, same, other = (one.text_tokens(one.read(tokens, torch.ones_like(tokens) > 0)) for one in kinds)
    assert torch.equal(plain, same)
    assert not torch.allclose(plain, other, atol=1e-3)
