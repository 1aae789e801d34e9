"""A moving average of a backbone, asked like the backbone itself; nothing that it says can be trained through.

Mean teachers (arXiv 1703.01780), MoCo's momentum encoder (arXiv 1911.05722), ALBEF's momentum distillation.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from vlpbench.contract.abilities import Backbone, Context, ImageState, TextState, Visible

__all__ = ["Teacher"]


class Teacher:
    """Takes the student's states and sees their pictures and words with its own weights, without gradient."""

    def __init__(self, average: Backbone, name: str) -> None:
        """`average` is held in evaluation mode; `name` keeps its products apart from those of other teachers."""
        self.average, self.name = average, name

    def image_tokens(self, image: ImageState) -> Tensor:
        """B, P, D."""
        found: Tensor = self._asked("image_tokens", image)
        return found

    def text_tokens(self, text: TextState) -> Tensor:
        """B, T, D."""
        found: Tensor = self._asked("text_tokens", text)
        return found

    def image_vector(self, image: ImageState) -> Tensor:
        """B, E of unit length."""
        found: Tensor = self._asked("image_vector", image)
        return found

    def text_vector(self, text: TextState) -> Tensor:
        """B, E of unit length."""
        found: Tensor = self._asked("text_vector", text)
        return found

    def fused_tokens(self, image: ImageState, text: TextState) -> tuple[Tensor, Tensor]:
        """B, P, D and B, T, D."""
        seen, read = self._asked("fused_tokens", image, text)
        return seen, read

    def context(
        self, image: ImageState | None, prefix: TextState | None = None, visible: Visible = "all"
    ) -> Context:
        """What the teacher's own `decode` looks at."""
        found = self._asked("context", image, prefix, visible)
        assert isinstance(found, Context)
        return found

    def decode(self, context: Context, text: TextState) -> Tensor:
        """B, S, D."""
        found: Tensor = self._asked("decode", context, text)
        return found

    def logits(self, features: Tensor) -> Tensor:
        """..., D -> ..., V by the teacher's word table."""
        found: Tensor = self._asked("logits", features)
        return found

    @torch.no_grad()
    def _asked(self, ability: str, *given: Any) -> Any:
        return getattr(self.average, ability)(*map(self._mine, given))

    def _mine(self, given: Any) -> Any:
        """A state of its own for each of the student's; it is kept there, so that nothing is computed twice."""
        if isinstance(given, ImageState):
            return given.once(self.name, lambda whole: self.average.see(whole.images))
        if isinstance(given, TextState):
            return given.once(self.name, lambda whole: self.average.read(whole.tokens, whole.mask))
        return given
