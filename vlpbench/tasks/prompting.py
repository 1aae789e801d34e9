"""How a question stands before an answer that is decoded: its wording, its ids, and who sees whom while it is read.

The bare question is the prefix behind the picture, for fine-tune and zero-shot alike, as PrefixLM models are asked
(SimVLM, arXiv 2108.10904, section 4; DaVinci, arXiv 2206.07699). `protocol.prompt` says it otherwise: Frozen and BLIP-2
(arXiv 2106.13884, 2301.12597) ask "question: {question} answer:".
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vlpbench.contract.abilities import Backbone, Context, TextState, Visible
from vlpbench.tasks.trial import Trial

__all__ = ["PLACE", "asked_context", "prompted", "text_of", "visible_of"]

PLACE = "{question}"
"""Where the question stands in a prompt."""


def prompted(prompt: str, questions: Sequence[str]) -> list[str]:
    """Each question put into a prompt: where it says `{question}`, else behind it.

    >>> prompted("question: {question} answer:", ["why?"]), prompted("", ["why?"])
    (['question: why? answer:'], ['why?'])
    """
    whole = prompt if PLACE in prompt else f"{prompt} {PLACE}".strip()
    return [whole.replace(PLACE, question) for question in questions]


def text_of(texts: Sequence[str], trial: Trial) -> TextState:
    """N, T: texts as the device has them, all as long as texts may be, so that no neighbour changes a shape."""
    tokens, mask = trial.tokenizer.encode(texts, trial.settings.text.length)
    device = trial.device.torch
    return TextState(torch.from_numpy(tokens).to(device), torch.from_numpy(mask).to(device))


def asked_context(
    backbone: Backbone, pictures: Tensor, questions: Sequence[str], visible: Visible, trial: Trial
) -> Context:
    """What answers are decoded from: pictures (B, 3, H, W), each with its question, worded as the protocol says."""
    text = text_of(prompted(trial.protocol.prompt, questions), trial)
    words = text.mask & (text.tokens != trial.tokenizer.vocabulary.eos)  # a prefix goes on: no end stands in it
    return backbone.context(backbone.see(pictures), backbone.read(text.tokens, words), visible)


@torch.no_grad()
def visible_of(backbone: Backbone, trial: Trial) -> Visible:
    """Who sees whom while a question is read: as in pretraining; "all" where the trunk refuses that with words.

    Two-way fusion layers let image tokens look at words, so they can only read both whole. A language model taught
    such a trunk to write from a picture alone: a question was new to it in either way.
    """
    size, text = trial.settings.image.size, text_of(["why"], trial)
    picture = backbone.see(torch.zeros(1, 3, size, size, device=backbone.device))
    question = backbone.read(text.tokens.to(backbone.device), text.mask.to(backbone.device))
    was_training = backbone.training
    try:
        backbone.eval().context(picture, question, trial.visible)
    except ValueError:
        return "all"
    finally:
        backbone.train(was_training)
    return trial.visible
