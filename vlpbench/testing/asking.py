"""How each ability of a backbone is asked for all that it returns.

Axes: B samples, C candidates, S decoded tokens, D width.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from vlpbench.contract.abilities import Backbone, Context, ImageState, TextState
from vlpbench.testing.recording import tensors_of

__all__ = ["ASKING", "asked_with", "decoded"]

ASKING: Mapping[str, Callable[[Backbone, ImageState, TextState], tuple[Tensor, ...]]] = {
    "image_tokens": lambda model, image, text: (model.image_tokens(image),),
    "text_tokens": lambda model, image, text: (model.text_tokens(text),),
    "image_vector": lambda model, image, text: (model.image_vector(image),),
    "text_vector": lambda model, image, text: (model.text_vector(text),),
    "fused_tokens": lambda model, image, text: model.fused_tokens(image, text),
    "context": lambda model, image, text: tensors_of(model.context(image, text)),
    "decode": lambda model, image, text: (model.decode(model.context(image, text), text),),
}
"""Each ability, asked for all that it returns."""


def asked_with(ability: str) -> tuple[str, ...]:
    """The abilities that are needed to ask for one."""
    return ("context", "decode") if ability == "decode" else (ability,)


def decoded(model: Backbone, context: Context, words: Tensor) -> Tensor:
    """B, S (or B, C, S) words, all of them there -> B, S, D (or B, C, S, D): features behind a context."""
    return model.decode(context, model.read(words, torch.ones_like(words, dtype=torch.bool)))
