"""Holm's correction: the more comparisons a table makes, the smaller each p has to be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vlpbench.errors import UserError

__all__ = ["holm"]


def holm(p: Sequence[float], unseen: int = 0) -> list[float]:
    """Corrected p in the order given (Holm 1979): the smallest of m times m, the next times m - 1, and so on.

    None is below the one before it, none above 1. NaN (a comparison that has no test) stays NaN and isn't counted.
    `unseen` counts comparisons that were made and have no p here: m is larger by so many, as if their p were largest,
    which never gives a smaller p than correcting all of them together.
    """
    asked = np.asarray(p, dtype=np.float64)
    tested = np.flatnonzero(~np.isnan(asked))
    if ((asked[tested] < 0) | (asked[tested] > 1)).any():
        raise UserError(f"p values lie between 0 and 1: {[*asked]}")
    order = tested[np.argsort(asked[tested], kind="stable")]
    corrected = asked.copy()
    corrected[order] = np.minimum(1, np.maximum.accumulate(asked[order] * (unseen + np.arange(len(order), 0, -1))))
    return [float(one) for one in corrected]
