"""A tower for pictures alone: 1D positions, and a relative bias between image tokens in each layer.

Axes: B batch, P image tokens, D width.
"""

from __future__ import annotations

from torch import Tensor, nn

from vlpbench.backbones.vectors import Vectors
from vlpbench.plugin import ImageState, Size, parts

__all__ = ["PictureTower"]


class PictureTower(Vectors):
    """A trunk whose pictures go through as many layers as an encoder of its size has."""

    def _add_picture_tower(self, size: Size) -> None:
        width, heads, grid = size.width, size.heads, self.spec.grid
        self.image_positions = parts.PositionTable(self._places, width, size.position_std)
        self.biases = nn.ModuleList(parts.RelativeBias(heads, grid) for _ in range(size.encoder))
        self.image_tower = nn.ModuleList(parts.EncoderBlock(width, heads) for _ in range(size.encoder))
        self.image_norm = nn.LayerNorm(width)

    def _see(self, image: ImageState, causal: bool) -> Tensor:
        x = self._stem(image)
        mask = parts.masks.causal(x.shape[1], x.device) if causal else None
        for block, bias in zip(self.image_tower, self.biases, strict=True):
            x = block(x, parts.joined(bias().to(x.dtype), mask))
        return self.image_norm(x)

    def _look(self, image: ImageState, causal: bool) -> Tensor:
        """B, P, D: the tower on a picture, once for each way of looking at it; `causal` is in raster order."""
        return image.once(f"tokens, causal {causal}", lambda whole: self._see(whole, causal))

    def image_tokens(self, image: ImageState) -> Tensor:
        """B, P, D: the picture tower."""
        return self._look(image, causal=False)
