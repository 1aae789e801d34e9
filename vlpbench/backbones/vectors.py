"""A picture's tokens and their places at the start, one unit vector each for picture and text at the end.

Axes: B batch, P image tokens, D width, E joint width.
"""

from __future__ import annotations

from torch import Tensor

from vlpbench.plugin import ImageState, TextState, Trunk, parts

__all__ = ["Vectors"]


class Vectors(Trunk):
    """A trunk whose vectors are the projected means of `image_tokens` and `text_tokens` (CLIP, arXiv 2103.00020).

    The trunk makes `image_positions`; heads exist only if they are asked for.
    """

    image_positions: parts.PositionTable

    @property
    def _places(self) -> int:
        return self.spec.grid[0] * self.spec.grid[1]

    def _stem(self, image: ImageState) -> Tensor:
        """B, P, D: what the stem makes of pictures, with positions, once."""
        return image.once("stem", lambda whole: self.stem_tokens(whole.images) + self.image_positions(self._places))

    def _add_heads(self) -> None:
        width, joint = self.spec.width, self.spec.joint_width
        if "image_vector" in self.abilities:
            self.image_head = parts.Projection(width, joint)
        if "text_vector" in self.abilities:
            self.text_head = parts.Projection(width, joint)

    def image_vector(self, image: ImageState) -> Tensor:
        """B, E: the mean image token, projected."""
        self.demand("image_vector")
        return image.once("vector", lambda whole: self.image_head(self.image_tokens(whole)))

    def text_vector(self, text: TextState) -> Tensor:
        """B, E: the mean text token, projected."""
        self.demand("text_vector")
        return text.once("vector", lambda whole: self.text_head(self.text_tokens(whole), whole.mask))
