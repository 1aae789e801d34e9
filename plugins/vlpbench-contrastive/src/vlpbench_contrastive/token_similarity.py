"""How well a picture's tokens and a text's words suit each other, one by one (FILIP, arXiv 2111.07783, section 3.1).

Axes: B pictures, M texts, P image tokens, T words, K kept tokens, E joint width. All tokens are of unit length.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

__all__ = ["kept_tokens", "token_similarity", "without_padding"]

FLOATS = 2**24
"""So many similarities of single tokens exist at once, 64 MiB in fp32, unless one picture alone has more."""


def token_similarity(image: Tensor, text: Tensor, mask: Tensor, pictures: int = 0) -> tuple[Tensor, Tensor]:
    """B, M twice, for tokens B, P, E and words M, T, E where `mask` (M, T bool) is True.

    First the mean over a picture's tokens of what each finds best in the text; second the mean over a text's words of
    what each finds best in the picture. `pictures` go through at once (0: as many as fit), and where that is not all of
    them, a block is computed again for its gradient, so that B, M, P, T similarities never exist together.
    """
    words = without_padding(text, mask)
    share = mask.to(words.dtype) / mask.sum(1, keepdim=True)
    size = pictures or max(1, FLOATS // (image.shape[1] * mask.numel()))
    if size >= len(image):
        return _block(image, words, share)
    blocks = [
        checkpoint(_block, some, words, share, use_reentrant=False, preserve_rng_state=False)
        for some in image.split(size)
    ]
    of_image, of_text = zip(*blocks, strict=True)
    return torch.cat(of_image), torch.cat(of_text)


def _block(image: Tensor, words: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    """B, M twice; `share` (M, T) is what each word counts in its text's mean, 0 for padding."""
    every = (image.flatten(0, 1) @ words.flatten(0, 1).T).view(*image.shape[:2], *words.shape[:2])  # B, P, M, T
    of_image = every.max(3).values.mean(1)
    of_text = (every.max(1).values * share).sum(2)
    return of_image, of_text


def without_padding(words: Tensor, mask: Tensor) -> Tensor:
    """M, T, E with the first word in each padded place: so padding is never the best, and nothing need be masked."""
    return torch.where(mask[..., None], words, words[:, :1])


def kept_tokens(image: Tensor, text: Tensor, mask: Tensor, keep: int) -> tuple[Tensor, Tensor, Tensor]:
    """The `keep` tokens of each picture (B, K, E) and text (B, K, E; B, K bool) that suit their own partner best.

    What decides is a token's mean similarity to all of the partner's; where there are fewer, all are kept.
    """
    every = (image @ text.mT).detach()  # B, P, T
    by_image = (every * mask[:, None]).sum(2) / mask.sum(1, keepdim=True)
    by_text = every.mean(1).masked_fill(~mask, -torch.inf)
    patches = by_image.topk(min(keep, image.shape[1])).indices
    words = by_text.topk(min(keep, text.shape[1])).indices
    some = torch.take_along_dim(image, patches[..., None], 1)
    said = torch.take_along_dim(text, words[..., None], 1)
    return some, said, mask.gather(1, words)
