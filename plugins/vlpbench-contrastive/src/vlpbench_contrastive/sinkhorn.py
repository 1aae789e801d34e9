"""Matching everything with everything at the least cost, softly (arXiv 1306.0895). Axes: N rows, M columns."""

from __future__ import annotations

from math import log

from torch import Tensor

__all__ = ["sinkhorn"]


def sinkhorn(cost: Tensor, blur: float, turns: int) -> Tensor:
    """N, M -> N, M: the logarithm of the transport plan between uniform masses of 1 in all.

    exp(-cost / blur) is scaled to the rows' sums, then to the columns', `turns` times: columns sum to 1 / M, rows come
    near 1 / N. In logarithms, as the exponential of a cost of 100 is no float.
    """
    plan = -cost / blur
    for _ in range(turns):
        plan = plan.log_softmax(1).log_softmax(0)
    return plan - log(cost.shape[1])
