"""Every wiring sees the same whether the parts of its masks stay apart or are joined."""

from __future__ import annotations

import pytest
import torch

from vlpbench.parts.sight import apart

MASKS = ("all", "causal", "causal-text")


@pytest.fixture
def empty(present):
    """The last text has no word at all."""
    return present & torch.tensor([[True], [True], [False]])


def gradients(backbone, asked, wish):
    """What is said, and the gradient of each weight by a product of it with fixed numbers."""
    backbone.zero_grad()
    with apart(wish):
        said = asked()
    (said * torch.randn(said.shape, generator=torch.Generator().manual_seed(4))).sum().backward()
    return said.detach(), {name: w.grad.clone() for name, w in backbone.named_parameters() if w.grad is not None}


def assert_same(backbone, asked):
    (said, ours), (joined, theirs) = gradients(backbone, asked, True), gradients(backbone, asked, False)
    assert torch.allclose(said, joined, rtol=1e-5, atol=1e-5)
    assert ours.keys() == theirs.keys()
    for name, gradient in ours.items():
        assert torch.allclose(gradient, theirs[name], rtol=1e-4, atol=1e-5 * max(1, theirs[name].abs().max())), name


@pytest.mark.parametrize("visible", MASKS)
def test_what_is_written_behind_picture_and_prefix(writer, images, tokens, empty, visible):
    if visible != "all" and getattr(writer, "two_way", False):
        pytest.skip("with two_way a picture looks at words")

    def asked():
        context = writer.context(writer.see(images), writer.read(tokens, empty), visible)
        return writer.decode(context, writer.read(tokens, torch.ones_like(empty)))

    assert_same(writer, asked)


def test_pictures_and_texts_fused(wiring, lively, images, tokens, empty):
    changes, abilities = wiring
    if "fused_tokens" not in abilities:
        pytest.skip("cannot fuse")
    backbone = lively(abilities, **changes)
    present = empty | (torch.arange(8) < 1)

    def asked():
        return torch.cat(backbone.fused_tokens(backbone.see(images), backbone.read(tokens, present)), 1)

    assert_same(backbone, asked)
