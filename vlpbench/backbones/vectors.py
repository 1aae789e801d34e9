"""One unit vector for a picture and one for a text: the mean of their tokens, projected (CLIP, arXiv 2103.00020)."""

from __future__ import annotations

from torch import Tensor

from vlpbench.plugin import ImageState, TextState, Trunk, parts

__all__ = ["Vectors"]


class Vectors(Trunk):
    """A trunk whose vectors are made of `image_tokens` and `text_tokens`; heads exist only if they are asked for."""

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
