"""The last texts that were seen, and which of them is nearest (NNCLR, arXiv 2104.14548).

Axes: N rows, K places, E width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

__all__ = ["Bank"]


class Bank(nn.Module):
    """K unit vectors, the oldest of which make room. At first they are random directions, as in DeCLIP's code."""

    rows: Tensor
    """K, E."""
    place: Tensor
    """0-d int64: where the next row goes."""

    def __init__(self, places: int, width: int) -> None:
        super().__init__()
        self.register_buffer("rows", normalize(torch.randn(places, width), dim=1))
        self.register_buffer("place", torch.zeros((), dtype=torch.int64))

    def nearest(self, vectors: Tensor) -> Tensor:
        """N, E -> N, E: to each unit vector the row of the largest cosine; no gradient reaches either."""
        return self.rows[(vectors.detach() @ self.rows.T).argmax(1)]

    @torch.no_grad()
    def push(self, vectors: Tensor) -> None:
        """Write rows (N, E) over the oldest; of more than K the last K stay."""
        many, room = len(vectors), len(self.rows)
        last = vectors[-room:]
        places = (self.place + torch.arange(many - len(last), many, device=self.place.device)) % room
        self.rows.index_copy_(0, places, last.to(self.rows.dtype))
        self.place.copy_((self.place + many) % room)
