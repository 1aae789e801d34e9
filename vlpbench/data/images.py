"""Pictures on the device: stored bytes to what a stem sees, normalised, cropped and mirrored. Pure functions.

Axes: B samples of a batch, S pixels a side as stored, H pixels a side as seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

__all__ = ["MEAN", "STD", "crop_boxes", "prepare_images"]

MEAN = (0.5, 0.5, 0.5)
"""Mean of red, green, blue on a scale of 0 to 1: maps pictures to -1 ... 1."""
STD = (0.5, 0.5, 0.5)
"""Standard deviation of the same."""

_NARROWEST, _WIDEST = 3 / 4, 4 / 3
"""Aspects of a random resized crop (Szegedy et al., arXiv 1409.4842)."""


def crop_boxes(uniforms: NDArray[np.floating], least_area: float) -> NDArray[np.float32]:
    """B, 4: random crops as left, top, right, bottom, shares of the side; `uniforms` is B, 4 in [0, 1).

    The area is uniform in [least_area, 1], the logarithm of the aspect uniform between 3/4 and 4/3 as far as a box of
    that area fits (no draw is rejected, so a box is a function of its own four numbers), the place uniform.
    """
    if not 0 < least_area <= 1:
        raise ValueError(f"least_area is a share of the picture, in (0, 1], not {least_area}")
    area = least_area + (1 - least_area) * uniforms[:, 0]
    low, high = np.log(np.maximum(_NARROWEST, area)), np.log(np.minimum(_WIDEST, 1 / area))
    aspect = np.exp(low + (high - low) * uniforms[:, 1])
    width, height = np.minimum(np.sqrt(area * aspect), 1), np.minimum(np.sqrt(area / aspect), 1)
    left, top = uniforms[:, 2] * (1 - width), uniforms[:, 3] * (1 - height)
    return np.stack([left, top, left + width, top + height], axis=1).astype(np.float32)


def prepare_images(
    pixels: torch.Tensor,
    size: int,
    boxes: torch.Tensor | None = None,
    flip: torch.Tensor | None = None,
    mean: Sequence[float] | torch.Tensor = MEAN,
    std: Sequence[float] | torch.Tensor = STD,
) -> torch.Tensor:
    """B, 3, H, H float32, channels last: (pixel / 255 - mean) / std, after cropping to `boxes` and mirroring `flip`.

    `pixels` B, S, S, 3 uint8; `boxes` B, 4 of `crop_boxes`; `flip` B bool. Without boxes and with S = H no pixel is
    resampled; a crop is enlarged bilinearly, and a change of size from S to H is antialiased.
    """
    import torch

    images = pixels.permute(0, 3, 1, 2).to(torch.float32)  # a view of B, S, S, 3 is channels last already
    if boxes is not None:
        images = _cropped(images, boxes)
    if images.shape[-1] != size:
        images = torch.nn.functional.interpolate(
            images, size=(size, size), mode="bilinear", align_corners=False, antialias=True
        )
    if flip is not None:
        images = torch.where(flip[:, None, None, None], images.flip(-1), images)
    images = (images - _levels(mean, images.device)) / _levels(std, images.device)
    return images.contiguous(memory_format=torch.channels_last)


def _levels(shares: Sequence[float] | torch.Tensor, device: torch.device) -> torch.Tensor:
    """3, 1, 1: shares of a colour as levels of a byte."""
    import torch

    if isinstance(shares, torch.Tensor):
        return (shares.to(device, torch.float32) * 255)[:, None, None]
    return _kept_levels(tuple(map(float, shares)), device)


@lru_cache(maxsize=32)
def _kept_levels(shares: tuple[float, ...], device: torch.device) -> torch.Tensor:
    """The same, kept on the device: to bring three numbers to a GPU makes the host wait for it."""
    import torch

    with torch.inference_mode(False):  # whoever asks next may be training
        return (torch.tensor(shares, dtype=torch.float32, device=device) * 255)[:, None, None]


def _cropped(images: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """B, 3, S, S: each picture's box enlarged to the whole."""
    import torch

    side = images.shape[-1]
    boxes = boxes.to(images)
    middles = (torch.arange(side, device=images.device, dtype=images.dtype) + 0.5) / side
    across = boxes[:, 0, None] + middles * (boxes[:, 2] - boxes[:, 0])[:, None]  # B, S
    down = boxes[:, 1, None] + middles * (boxes[:, 3] - boxes[:, 1])[:, None]
    grid = torch.stack(
        [across[:, None, :].expand(-1, side, -1), down[:, :, None].expand(-1, -1, side)], dim=-1
    )
    return torch.nn.functional.grid_sample(
        images, 2 * grid - 1, mode="bilinear", padding_mode="border", align_corners=False
    )
