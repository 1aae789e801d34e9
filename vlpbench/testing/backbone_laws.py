"""Checks of who may see whom in a backbone: pictures, words, padding, the past.

Axes: B samples, P image tokens, T text tokens, S decoded tokens.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from vlpbench.backbones.stems import Linear
from vlpbench.contract.abilities import Backbone, Visible
from vlpbench.testing.asking import ASKING, asked_with, decoded
from vlpbench.testing.backbone_subject import BackboneSubject
from vlpbench.testing.findings import CheckFailed
from vlpbench.testing.rounds import far
from vlpbench.testing.tiny import FIRST_WORD, VOCABULARY

__all__ = ["check_backbone_padding", "check_backbone_samples_apart", "check_context_sees", "check_decode_is_causal",
           "check_fused_sees_both", "check_nothing_to_see", "check_pictures_see_no_text", "check_visible"]


@torch.no_grad()
def check_pictures_see_no_text(subject: BackboneSubject) -> None:
    """What a picture says alone is the same whatever text its state was fused with before."""
    model = subject.build(subject.offers)
    alone = sorted({"image_tokens", "image_vector"} & subject.offers)
    fusing = sorted({"fused_tokens", "context"} & subject.offers)
    for ability in alone:
        fresh = ASKING[ability](model, *subject.asked(model))[0]
        image, text = subject.asked(model)
        for other in fusing:
            ASKING[other](model, image, text)
        if far(ASKING[ability](model, image, text)[0], fresh) is not None:
            cause = f"{ability} changed after the picture was fused with a text"
            raise CheckFailed(cause, "what is kept in an image state must never depend on a text")


@torch.no_grad()
def check_backbone_padding(subject: BackboneSubject) -> None:
    """Other ids under padding, and more padding, change nothing that is not padding."""
    for ability in sorted(subject.offers):
        model = subject.build(frozenset(asked_with(ability)))
        image, text = subject.asked(model)
        tokens, mask = text.tokens, text.mask
        base = _real(ability, model, ASKING[ability](model, image, text), mask)
        garbage = model.read(torch.where(mask, tokens, 20), mask)
        longer = model.read(pad(tokens, (0, 2)), pad(mask, (0, 2)))
        for what, other in (("other ids under padding", garbage), ("two more places of padding", longer)):
            made = _real(ability, model, ASKING[ability](model, subject.asked(model)[0], other), other.mask)
            if any(far(x, y) is not None for x, y in zip(made, base, strict=True)):
                raise CheckFailed(f"{what} changed {ability}", "mask keys that are padding, and pool by the mask")


def _real(ability: str, model: Backbone, made: tuple[Tensor, ...], mask: Tensor) -> list[Tensor]:
    """What is no padding: of words those under the mask, of a memory all but the words behind it."""
    places = model.spec.grid[0] * model.spec.grid[1]
    if ability in ("text_tokens", "decode"):
        return [made[0][mask]]
    if ability == "fused_tokens":
        return [made[0], made[1][mask]]
    if ability == "context":
        return [made[0][:, :places]] if made[0].shape[1] >= places + mask.shape[1] else []
    return [made[0]]


@torch.no_grad()
def check_backbone_samples_apart(subject: BackboneSubject) -> None:
    """Another first sample leaves the others alone (in evaluation mode)."""
    model = subject.build(subject.offers)
    images, (tokens, mask) = subject.images(), subject.words()
    other, (words, there) = subject.images(5), subject.words(5)
    mixed = model.see(torch.cat([other[:1], images[1:]])), model.read(
        torch.cat([words[:1], tokens[1:]]), torch.cat([there[:1], mask[1:]]))
    for ability in sorted(subject.offers):
        base = ASKING[ability](model, *subject.asked(model))
        made = ASKING[ability](model, *mixed)
        if any(far(x[1:], y[1:]) is not None for x, y in zip(made, base, strict=True)):
            cause = f"another first sample changed {ability} of the others"
            raise CheckFailed(cause, "samples do not see each other")


@torch.no_grad()
def check_fused_sees_both(subject: BackboneSubject) -> None:
    """Fused tokens of words depend on the picture and on the other words; image tokens need not look at words."""
    model = subject.wanting("fused_tokens")
    image, text = subject.asked(model)
    base = model.fused_tokens(image, text)[1]
    if far(model.fused_tokens(model.see(subject.images(5)), text)[1], base, 1e-4) is None:
        raise CheckFailed("fused tokens of words are the same with another picture", "let words see the picture")
    tokens = torch.where(torch.arange(text.tokens.shape[1]) == 0, 40, text.tokens)
    made = model.fused_tokens(image, model.read(tokens, text.mask))[1]
    if far(made[:, 1:], base[:, 1:], 1e-4) is None:
        raise CheckFailed("fused tokens of words are the same after another first word", "let words see words")


@torch.no_grad()
def check_decode_is_causal(subject: BackboneSubject) -> None:
    """A word changes the features at its own place and behind it, never before it."""
    model = subject.wanting("context", "decode")
    image, text = subject.asked(model)
    words = subject.said()
    base = decoded(model, model.context(image, text), words)
    for place in range(1, words.shape[1]):
        other = words.clone()
        other[:, place] = FIRST_WORD + (other[:, place] + 1 - FIRST_WORD) % (VOCABULARY.size - FIRST_WORD)
        made = decoded(model, model.context(image, text), other)
        if far(made[:, :place], base[:, :place]) is not None:
            raise CheckFailed(f"word {place} changed features before it", "a word sees itself and what was before")
        if far(made[:, place], base[:, place], 1e-4) is None:
            raise CheckFailed(f"word {place} did not change its own features", "a word sees itself")


@torch.no_grad()
def check_context_sees(subject: BackboneSubject) -> None:
    """What is decoded depends on the picture and on each word of the prefix."""
    model = subject.wanting("context", "decode")
    image, text = subject.asked(model)
    words = subject.said()
    base = decoded(model, model.context(image, text), words)
    other = model.read(torch.where(torch.arange(text.tokens.shape[1]) == 0, 30, text.tokens), text.mask)
    for what, context in (("picture", model.context(model.see(subject.images(5)), text)),
                          ("prefix", model.context(image, other))):
        if far(decoded(model, context, words), base, 1e-4) is None:
            raise CheckFailed(f"what is decoded does not depend on the {what}", "put it into the context")


@torch.no_grad()
def check_visible(subject: BackboneSubject) -> None:
    """A context obeys `visible`: with "causal" nothing sees what comes later, with "causal-text" no word does.

    A ValueError is a fair answer to a form that a trunk cannot have, but not to "all".
    """
    model = subject.wanting("context")
    images, (tokens, mask) = subject.images(), subject.words()
    mask = torch.ones_like(mask)
    text = model.read(tokens, mask)
    later = model.read(torch.where(torch.arange(tokens.shape[1]) == tokens.shape[1] - 1, 40, tokens), mask)
    corner = images.clone()
    corner[:, :, -1, -1] += 10.0
    hows: tuple[Visible, ...] = ("all", "causal", "causal-text")
    for how in hows:
        try:
            base = model.context(model.see(images), text, how).memory
        except ValueError:
            if how == "all":
                raise
            continue
        if base.shape[1] != model.spec.grid[0] * model.spec.grid[1] + tokens.shape[1]:
            continue  # a memory of another form than one token a place
        moved = far(model.context(model.see(images), later, how).memory[:, :-1], base[:, :-1], 1e-4) is not None
        if moved != (how == "all"):
            cause = f'with visible="{how}" what comes before {"sees" if moved else "does not see"} the last word'
            raise CheckFailed(cause, "obey `visible`")
        first = model.context(model.see(corner), text, how).memory[:, 0]
        sees = far(first, base[:, 0], 1e-4) is not None
        if subject.stem is Linear and sees == (how == "causal"):  # convolutions see across tokens
            cause = f'with visible="{how}" the first image token {"sees" if sees else "does not see"} the last'
            raise CheckFailed(cause, 'only "causal" orders image tokens, in raster order')


@torch.no_grad()
def check_nothing_to_see(subject: BackboneSubject) -> None:
    """Rows whose prefix is empty, without a picture, are finite and do not depend on what stands in the prefix."""
    model = subject.wanting("context", "decode")
    tokens, mask = subject.words()
    mask = mask.clone()
    mask[0] = False
    words = subject.said()
    made = [decoded(model, model.context(None, model.read(x, mask)), words) for x in (tokens, tokens.roll(1, 1))]
    if not torch.isfinite(made[0]).all() or far(made[0][0], made[1][0]) is not None:
        raise CheckFailed("a row with nothing to see is not finite, or sees what is masked", "let BOS stand in")
