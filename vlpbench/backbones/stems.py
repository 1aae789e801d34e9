"""Stems: a picture becomes tokens, through linear patches, ResNet stages, or any model of timm.

SimVLM (arXiv 2108.10904) keeps the first three stages of a ResNet, which makes 14 x 14 tokens of 224 pixels; two and
four stages keep their natural strides. The linear patch is as large as conv3's total stride, so both have equal tokens.
"""

from __future__ import annotations

from difflib import get_close_matches
from math import gcd
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from vlpbench.plugin import Size, Stem

__all__ = ["Conv2", "Conv3", "Conv4", "Linear", "Timm"]


class _GroupNorm(nn.GroupNorm):
    """Group norm with 32 groups where the channels allow it (arXiv 1803.08494)."""

    def __init__(self, channels: int, **where: Any) -> None:
        super().__init__(gcd(32, channels), channels, **where)  # newer releases of timm say device and dtype


def _stride(size: Size, stages: int) -> int:
    """Pixels a side of one token: two for the first convolution, two for the pool, two for each stage but the first."""
    return (4 if size.pooled else 2) * 2 ** (stages - 1)


def _grid(pixels: int, stride: int, what: str) -> tuple[int, int]:
    if pixels % stride or pixels < stride:
        raise ValueError(f"{what} makes tokens of {stride} x {stride} pixels; image.size {pixels} is not a multiple")
    return pixels // stride, pixels // stride


def _refuse_argument(name: str, argument: str) -> None:
    if argument:
        raise ValueError(f"{name} is a stem by itself; {argument!r} behind its colon would mean nothing")


class Linear(Stem):
    """One linear layer on square patches (ViT, arXiv 2010.11929)."""

    name = "linear"
    cites = ("dosovitskiy2021vit",)

    def __init__(self, size: Size, pixels: int, argument: str = "") -> None:
        super().__init__(size, pixels, argument)
        _refuse_argument(self.name, argument)
        patch = _stride(size, 3)
        self.grid = _grid(pixels, patch, "linear")
        self.project = nn.Conv2d(3, size.width, patch, patch)

    def forward(self, images: Tensor) -> Tensor:
        """B, 3, H, W -> B, P, D."""
        return self.project(images).flatten(2).transpose(1, 2)


class _Convolutional(Stem):
    """The first `stages` stages of a ResNet (timm), then a linear layer to the width of the trunk."""

    stages: ClassVar[int]
    cites = ("he2016resnet", "wightman2019timm")

    def __init__(self, size: Size, pixels: int, argument: str = "") -> None:
        super().__init__(size, pixels, argument)
        _refuse_argument(self.name, argument)
        from timm.models.resnet import BasicBlock, Bottleneck, ResNet

        self.grid = _grid(pixels, _stride(size, self.stages), self.name)
        block = Bottleneck if size.bottleneck else BasicBlock
        first = {} if size.pooled else {"stem_type": "deep", "stem_width": size.channels[0] // 2}
        net = ResNet(
            block,
            layers=size.stages[: self.stages],
            channels=tuple(leaving // block.expansion for leaving in size.channels[: self.stages]),
            norm_layer=nn.BatchNorm2d if size.batch_norm else _GroupNorm,
            num_classes=0,
            **first,
        )
        pool = [net.maxpool] if size.pooled else []
        stages = [getattr(net, f"layer{number + 1}") for number in range(self.stages)]
        self.net = nn.Sequential(net.conv1, net.bn1, net.act1, *pool, *stages)
        self.project = nn.Linear(size.channels[self.stages - 1], size.width)

    def forward(self, images: Tensor) -> Tensor:
        """B, 3, H, W -> B, P, D."""
        return self.project(self.net(images).flatten(2).transpose(1, 2))


class Conv2(_Convolutional):
    """Two ResNet stages: four times the tokens of conv3."""

    name, stages = "conv2", 2


class Conv3(_Convolutional):
    """Three ResNet stages: SimVLM's choice."""

    name, stages = "conv3", 3


class Conv4(_Convolutional):
    """Four ResNet stages: a quarter of the tokens of conv3."""

    name, stages = "conv4", 4


class Timm(Stem):
    """The last feature map or tokens of any timm model, from scratch: "timm:resnet18", "timm:vit_tiny_patch16_224"."""

    name, keeps_initialisation = "timm", True
    cites = ("wightman2019timm",)

    def __init__(self, size: Size, pixels: int, argument: str = "") -> None:
        super().__init__(size, pixels, argument)
        import timm

        if not timm.is_model(argument):
            near = get_close_matches(argument, timm.list_models(), n=5)
            raise ValueError(f"timm has no model {argument!r}; near it: {', '.join(near) or 'nothing'}")
        try:
            self.net = _build(argument, pixels)
            self.net.eval()
            with torch.no_grad():
                seen = self._tokens(torch.zeros(1, 3, pixels, pixels))
        except (AssertionError, RuntimeError) as wrong:
            raise ValueError(f"timm:{argument} cannot take pictures of image.size {pixels}: {wrong}") from wrong
        self.net.train()
        side = int(seen.shape[1] ** 0.5)
        self.grid = (side, side) if side * side == seen.shape[1] else (1, int(seen.shape[1]))
        self.project = nn.Linear(seen.shape[2], size.width)

    def _tokens(self, images: Tensor) -> Tensor:
        seen = self.net.forward_features(images)  # type: ignore[operator]
        if seen.ndim == 3:  # class and register tokens stand before the patches
            return seen[:, getattr(self.net, "num_prefix_tokens", 0) :]
        if getattr(self.net, "output_fmt", "NCHW") == "NHWC" or seen.shape[-1] == self.net.num_features:
            return seen.flatten(1, 2)
        return seen.flatten(2).transpose(1, 2)

    def forward(self, images: Tensor) -> Tensor:
        """B, 3, H, W -> B, P, D."""
        return self.project(self._tokens(images))


def _build(argument: str, pixels: int) -> nn.Module:
    """A timm model for this picture size: models with position tables must be told, others need not know."""
    import timm

    try:
        net = timm.create_model(argument, pretrained=False, num_classes=0, img_size=pixels)
    except TypeError:
        net = timm.create_model(argument, pretrained=False, num_classes=0)
    patch = getattr(getattr(net, "patch_embed", None), "patch_size", None)
    if isinstance(patch, tuple):  # what does not fill a patch would be cut off without a word
        _grid(pixels, int(patch[0]), f"timm:{argument}")
    return net
