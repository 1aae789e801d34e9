"""Checks of decoding step by step: the cache changes nothing, searches go on from the right beam.

Axes: B samples, k beams, S words, V words of the table.
"""

from __future__ import annotations

import contextlib

import torch
from torch import Tensor

from vlpbench.contract.abilities import Backbone, Context
from vlpbench.testing.asking import decoded
from vlpbench.testing.backbone_subject import BackboneSubject
from vlpbench.testing.findings import CheckFailed
from vlpbench.testing.rounds import far

__all__ = ["check_cache", "check_one_picture_many_captions", "check_select"]


def _contexts(subject: BackboneSubject, model: Backbone) -> dict[str, Context]:
    image, text = subject.asked(model)
    made = {
        "a picture": model.context(image),
        "a picture and a prefix": model.context(image, text),
        "a prefix": model.context(None, text),
    }
    with contextlib.suppress(ValueError):  # a trunk that cannot have this form says so
        made["a picture and a prefix, causal"] = model.context(image, text, "causal")
    return made


def _whole(model: Backbone, context: Context, words: Tensor) -> Tensor:
    return model.logits(decoded(model, context, words))


@torch.no_grad()
def check_cache(subject: BackboneSubject) -> None:
    """begin() and step() give, word by word, the log-odds of decode() on the whole."""
    model = subject.wanting("context", "decode")
    words = subject.said()
    for what, context in _contexts(subject, model).items():
        whole = _whole(model, context, words)
        state = model.begin(context, 1, words.shape[1])
        for place in range(words.shape[1]):
            apart = far(model.step(state, words[:, place : place + 1])[:, 0], whole[:, place], 1e-4)
            if apart is not None:
                cause = f"given {what}, step() is {apart:.2g} away from decode() at word {place}"
                raise CheckFailed(cause, "cached keys stand at the same positions, under the same mask")


@torch.no_grad()
def check_select(subject: BackboneSubject) -> None:
    """After select(rows, beams) each beam goes on from its own past, and dropped queries are gone."""
    model = subject.wanting("context", "decode")
    image, text = subject.asked(model)
    context = model.context(image, text)
    words = subject.said(6).view(3, 2, -1)  # B, k, S
    state = model.begin(context, 2, words.shape[2])
    for place in range(3):
        model.step(state, words[:, :, place])
    rows, beams = torch.tensor([2, 0]), torch.tensor([[1, 1], [1, 0]])
    state = state.select(rows, beams)
    kept = words[rows[:, None], beams]
    last = torch.tensor([[30, 31], [32, 33]])
    made = model.step(state, last)
    part = model.context(image.rows(rows), text.rows(rows))
    for beam in range(2):
        past = torch.cat([kept[:, beam, :3], last[:, beam : beam + 1]], 1)
        apart = far(made[:, beam], _whole(model, part, past)[:, -1], 1e-4)
        if apart is not None:
            cause = f"beam {beam} went on {apart:.2g} away from its own past after select()"
            raise CheckFailed(cause, "pick rows of the context and of each past: row * beams + beam")


@torch.no_grad()
def check_one_picture_many_captions(subject: BackboneSubject) -> None:
    """One picture encoded once, its rows repeated, says the same as the picture encoded beside each caption."""
    offers = {"fused_tokens", "context"} & subject.offers
    model = subject.wanting(*(offers or {"fused_tokens"}))
    picture, text = subject.images()[:1], subject.asked(model)[1]
    again = torch.zeros(3, dtype=torch.long)
    for ability in sorted(offers):
        once, each = model.see(picture).rows(again), model.see(picture.expand(3, -1, -1, -1))
        if ability == "fused_tokens":
            pairs = list(zip(model.fused_tokens(once, text), model.fused_tokens(each, text), strict=True))
        else:
            pairs = [(model.context(once, text).memory, model.context(each, text).memory)]
        if any(far(x, y) is not None for x, y in pairs):
            cause = f"{ability} differs between one picture encoded once and encoded with each caption"
            raise CheckFailed(cause, "rows() of a state picks what the whole has computed")
