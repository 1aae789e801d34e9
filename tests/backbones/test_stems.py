"""Stems: how many tokens, in what order, what a wrong picture size is told; nothing that crashes the CPU's backward."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from vlpbench.backbones.sizes import SIZES
from vlpbench.backbones.stems import Conv2, Conv3, Conv4, Linear, Timm
from vlpbench.parts.init import seeded

OWN = [Linear, Conv2, Conv3, Conv4]
NANO = SIZES["nano"]
STRIDES = {"linear": 16, "conv2": 8, "conv3": 16, "conv4": 32}
"""Pixels a side of one token under ResNet's max-pool; half of that without it."""


def on_meta(stem, size, pixels, argument=""):
    """Shapes without numbers: the largest sizes cost nothing."""
    with torch.device("meta"):
        return stem(size, pixels, argument)


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("stem", OWN)
def test_tokens_of_every_size(stem, size):
    stride = STRIDES[stem.name] if size.pooled else STRIDES[stem.name] // 2
    built = on_meta(stem, size, 2 * stride)
    assert built.grid == (2, 2)
    assert built(torch.empty(3, 3, 2 * stride, 2 * stride, device="meta")).shape == (3, 4, size.width)


def test_tokens_of_simvlm():
    found = {stem.name: on_meta(stem, SIZES["base"], 224).grid for stem in OWN}
    assert found == {"linear": (14, 14), "conv2": (28, 28), "conv3": (14, 14), "conv4": (7, 7)}
    assert on_meta(Conv3, SIZES["base"], 480).grid == (30, 30)


@pytest.mark.parametrize("size", ["nano", "tiny", "base"])
def test_linear_patches_make_as_many_tokens_as_conv3(size):
    assert on_meta(Linear, SIZES[size], 224).grid == on_meta(Conv3, SIZES[size], 224).grid


@pytest.mark.parametrize(("stem", "size", "millions"), [
    (Conv2, "base", 1.44), (Conv3, "base", 27.54), (Conv4, "base", 42.50),
    (Conv2, "large", 2.57), (Conv3, "large", 43.18), (Conv4, "large", 58.14),
])
def test_weights_are_those_of_the_first_stages_of_resnet_101_and_152(stem, size, millions):
    net = on_meta(stem, SIZES[size], 224).net
    assert sum(one.numel() for one in net.parameters()) / 1e6 == pytest.approx(millions, abs=0.006)


@pytest.mark.parametrize("stem", OWN)
def test_wrong_picture_sizes(stem):
    stride = STRIDES[stem.name] // 2
    for pixels in (3 * stride + 1, stride // 2):
        wrong = rf"{stem.name} makes tokens of {stride} x {stride} pixels; image.size {pixels} is not a multiple"
        with pytest.raises(ValueError, match=wrong):
            stem(NANO, pixels)


@pytest.mark.parametrize("stem", OWN)
def test_raster_order(stem):
    """A spot at the lower left changes tokens there: rows come one after the other, from the top."""
    side = STRIDES[stem.name] // 2
    with seeded(0):
        built = stem(NANO, 4 * side).eval()
        plain = torch.zeros(1, 3, 4 * side, 4 * side)
        spot = plain.clone()
        spot[:, :, 3 * side :, :side] = 5 * torch.randn(3, side, side)
    with torch.no_grad():
        change = (built(spot) - built(plain)).norm(dim=-1)[0]
    share = (change / change.sum()).view(4, 4)
    row, column = (share.sum(side) @ torch.arange(4.0) for side in (1, 0))
    assert row > 2 and column < 1
    if stem is Linear:
        assert change.nonzero().flatten().tolist() == [12]


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("stem", OWN)
def test_no_stem_begins_with_a_strided_1x1(stem, size):
    """torch's CPU backward crashes on one over the raw picture (channels last, fp32)."""
    convolutions = [one for one in on_meta(stem, size, 224).modules() if isinstance(one, nn.Conv2d)]
    first = [one for one in convolutions if one.in_channels <= 8]
    assert len(first) == 1 and first[0].in_channels == 3  # who sees the picture; nobody else works on so few channels
    assert min(first[0].kernel_size) >= 3


@pytest.mark.parametrize("stem", OWN)
def test_backward_in_channels_last(stem):
    built = stem(NANO, 64).to(memory_format=torch.channels_last)
    built(torch.randn(2, 3, 64, 64).to(memory_format=torch.channels_last)).square().mean().backward()
    assert all(torch.isfinite(one.grad).all() for one in built.parameters())


@pytest.mark.parametrize("normed", [True, False])
@pytest.mark.parametrize("stem", [Conv2, Conv3, Conv4])
def test_channels_come_last_all_the_way_through(stem, normed):
    built = stem(replace(NANO, batch_norm=normed), 64).to(memory_format=torch.channels_last)
    seen = []

    def watch(module, given, made):
        seen.append((module, made))
        made.register_hook(lambda gradient: seen.append((module, gradient)))

    for module in built.modules():
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d | nn.GroupNorm):
            module.register_forward_hook(watch)
    built(torch.randn(2, 3, 64, 64).to(memory_format=torch.channels_last)).square().mean().backward()
    assert seen
    for module, x in seen:
        assert x.is_contiguous(memory_format=torch.channels_last), f"{module} has another layout"


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_norms(size):
    """Batch norm at nano; elsewhere group norm, whose samples do not see each other."""
    norms = [one for one in on_meta(Conv4, size, 224).modules() if isinstance(one, nn.BatchNorm2d | nn.GroupNorm)]
    assert {isinstance(one, nn.BatchNorm2d) for one in norms} == {size.batch_norm}
    assert all(one.num_groups in (8, 16, 32) for one in norms if isinstance(one, nn.GroupNorm))


def test_samples_of_a_group_normed_stem_do_not_see_each_other():
    with seeded(0):
        stem, images = Conv2(SIZES["tiny"], 16).train(), torch.randn(3, 3, 16, 16)
    with torch.no_grad():
        assert torch.allclose(stem(images)[:1], stem(images[:1]), atol=1e-5)


@pytest.mark.parametrize(("model", "pixels", "grid"), [
    ("test_resnet", 64, (2, 2)), ("test_vit", 32, (2, 2)), ("test_convnext", 64, (2, 2)), ("resnet10t", 48, (2, 2)),
])
def test_timm(model, pixels, grid):
    with seeded(0):
        stem = Timm(NANO, pixels, model)
        images = torch.randn(2, 3, pixels, pixels)
    assert stem.grid == grid
    assert stem.training and stem.net.training
    tokens = stem(images)
    assert tokens.shape == (2, grid[0] * grid[1], NANO.width)
    tokens.square().mean().backward()
    assert stem.project.weight.grad.any()


def test_timm_leaves_class_and_register_tokens_out():
    stem = Timm(NANO, 48, "test_vit").eval()
    images = torch.randn(1, 3, 48, 48)
    with torch.no_grad():
        whole = stem.net.forward_features(images)
        assert whole.shape[1] == stem.net.num_prefix_tokens + 9
        assert torch.allclose(stem(images), stem.project(whole[:, stem.net.num_prefix_tokens :]))


def test_timm_models_whose_channels_come_last():
    with torch.no_grad():
        stem = Timm(NANO, 64, "swin_tiny_patch4_window7_224").eval()
        images = torch.randn(1, 3, 64, 64)
        whole = stem.net.forward_features(images)
        assert whole.shape[:3] == (1, *stem.grid)
        assert torch.allclose(stem(images)[0, 1], stem.project(whole[0, 0, 1]), atol=1e-5)


@pytest.mark.parametrize(("model", "pixels"), [("test_vit", 40), ("test_vit", 8), ("convnext_atto", 16)])
def test_timm_models_that_cannot_take_the_pictures(model, pixels):
    with pytest.raises(ValueError, match=rf"timm:{model} .*image.size {pixels}"):
        Timm(NANO, pixels, model)


def test_timm_models_that_do_not_exist():
    with pytest.raises(ValueError, match=r"timm has no model 'resnet10x'; near it: .*resnet10t"):
        Timm(NANO, 32, "resnet10x")
    with pytest.raises(ValueError, match="timm has no model ''; near it: nothing"):
        Timm(NANO, 32)


@pytest.mark.parametrize("stem", OWN)
def test_our_own_take_no_argument(stem):
    with pytest.raises(ValueError, match=rf"{stem.name} is a stem by itself; 'resnet18' behind its colon"):
        on_meta(stem, NANO, 32, "resnet18")
