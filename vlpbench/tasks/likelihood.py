"""How likely given sentences are: choices compared, captions scored against pictures.

All of it is log P of the words and of the end of the sentence, in nats, by the backbone's whole word table, after a
context and a prompt. The context is computed once, by the caller, whoever asks.
Axes: B rows of a context, C candidates, I pictures, T texts, L words of a sentence, S words read, N pairs.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vlpbench.contract.abilities import Backbone, Context, TextState
from vlpbench.parts import full_precision
from vlpbench.tasks.grouping import Groups

__all__ = ["candidate_scores", "pair_scores", "shared_out", "trimmed"]

TEXTS = 32
"""Most texts of one picture that are read side by side."""


def trimmed(text: TextState, what: str) -> tuple[Tensor, Tensor]:
    """Ids and mask without the columns that are padding everywhere; ValueError where a sentence has a hole."""
    tokens, mask = text.tokens, text.mask
    if tokens.shape != mask.shape:
        raise ValueError(f"{what}: tokens are {tuple(tokens.shape)} and their mask is {tuple(mask.shape)}")
    if bool((mask[..., 1:] & ~mask[..., :-1]).any()):
        raise ValueError(f"{what}: padding stands behind the words of a sentence, not before or between them")
    longest = max(1, int(mask.sum(-1).max())) if mask.numel() else 1
    return tokens[..., :longest], mask[..., :longest]


def shared_out(scores: Tensor, words: Tensor, per_token: bool) -> Tensor:
    """The sums (..., C) as they are, or by the number of `words` of each; a sentence without any is impossible."""
    scores = scores / words.clamp_min(1) if per_token else scores
    return scores.masked_fill(words == 0, -torch.inf)


@torch.no_grad()
def candidate_scores(
    backbone: Backbone, context: Context, candidates: TextState, start: list[int], block: int = 2048,
    per_token: bool = False,
) -> Tensor:
    """B, C: log P of each row's own candidates (B, C, L: words, then EOS, right-padded).

    `start` is BOS and the words of a prompt. `per_token` divides by the number of words, the end included. A
    candidate without any word, which fills up a row that has fewer, gets minus infinity. At most `block` sentences
    (rows times candidates) are read at a time; it changes speed and memory, not the scores.
    """
    tokens, mask = trimmed(candidates, "candidates")
    rows, many, _ = tokens.shape
    if rows != len(context.memory):
        raise ValueError(f"candidates for {rows} rows; the context has {len(context.memory)}")
    _make_keys(backbone, context, start)
    scores = torch.zeros(rows, many, device=context.memory.device)
    wide = max(1, min(many, block))
    high = max(1, block // wide)
    for row in range(0, rows, high):
        index = torch.arange(row, min(row + high, rows), device=scores.device)
        part = context if len(index) == rows else context.rows(index)
        for at in range(0, many, wide):
            here = slice(row, row + high), slice(at, at + wide)
            scores[here] = _scores(backbone, part, tokens[here], mask[here], start)
    return shared_out(scores, mask.sum(2), per_token)


@torch.no_grad()
def pair_scores(
    backbone: Backbone, context: Context, texts: TextState, start: list[int], pairs: Tensor | None = None,
    block: int = 2048, per_token: bool = False,
) -> Tensor:
    """log P of texts (T, L: words, then EOS) given pictures (I rows of a context): I, T, or N for N given pairs.

    `pairs` (N, 2) are a picture's and a text's row each, in any order; they are best kept on the host. The rest as in
    `candidate_scores`; a picture's keys are made once, however many texts it meets.
    """
    tokens, mask = trimmed(texts, "texts")
    images = len(context.memory)
    if pairs is None:
        every = TextState(tokens.expand(images, -1, -1), mask.expand(images, -1, -1))
        return candidate_scores(backbone, context, every, start, block, per_token)
    host, device = pairs.cpu(), context.memory.device
    if not len(host):
        return torch.zeros(0, device=device)
    if bool((host < 0).any()) or bool((host >= host.new_tensor([images, len(tokens)])).any()):
        raise ValueError(f"a pair names a picture or a text that is not there: {images} pictures, {len(tokens)} texts")
    _make_keys(backbone, context, start)
    groups = Groups.of(host.numpy(), min(block, TEXTS))
    picture, text, place = (torch.from_numpy(one).to(device) for one in (groups.picture, groups.texts, groups.place))
    high, found = max(1, block // text.shape[1]), []
    for some, chosen in zip(picture.split(high), text.split(high), strict=True):
        found.append(_scores(backbone, context.rows(some), tokens[chosen], mask[chosen], start))
    return shared_out(torch.cat(found).flatten()[place], mask[pairs[:, 1].to(device)].sum(1), per_token)


def _make_keys(backbone: Backbone, context: Context, start: list[int]) -> None:
    """Let the whole context make its keys: rows that are picked afterwards take theirs from it."""
    if not start:
        raise ValueError("a start has BOS at least")
    if len(context.memory):
        one = torch.full((len(context.memory), 1), start[0], device=context.memory.device)
        backbone.decode(context, backbone.read(one, torch.ones_like(one, dtype=torch.bool)))


def _scores(backbone: Backbone, context: Context, tokens: Tensor, mask: Tensor, start: list[int]) -> Tensor:
    """B, C: log P of sentences (B, C, L), all of them at once."""
    prompt = torch.tensor(start, device=tokens.device).expand(*tokens.shape[:2], -1)
    words = torch.cat([prompt, tokens[..., :-1]], 2)  # B, C, S; nobody sees what comes later: padding is harmless
    features = backbone.decode(context, backbone.read(words, torch.ones_like(words, dtype=torch.bool)))
    with full_precision(features):  # bf16 would make ties
        losses = backbone.token_losses(features[:, :, len(start) - 1 :].float(), tokens)
    return -(losses * mask).sum(2)
