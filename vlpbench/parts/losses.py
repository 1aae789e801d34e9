"""The one formula of the contrastive family.

Axes: N pictures, M texts.
"""

from __future__ import annotations

from torch import Tensor

__all__ = ["two_sided_cross_entropy"]


def two_sided_cross_entropy(
    image_to_text: Tensor,
    text_to_image: Tensor,
    image_targets: Tensor,
    text_targets: Tensor,
    weights: Tensor | None = None,
) -> Tensor:
    """Half the cross-entropy of each picture's texts plus half that of each text's pictures, per row, in nats.

    `image_to_text` (N, M) and `text_to_image` (M, N) are logits, each with targets of the same shape whose rows are
    distributions; `weights` (rows) scale samples. CLIP's loss (arXiv 2103.00020, figure 3) is the case of identity
    targets; label smoothing, equal labels, soft teachers and queues are other targets and longer rows.
    """
    forward = -(image_targets * image_to_text.log_softmax(-1)).sum(-1)
    backward = -(text_targets * text_to_image.log_softmax(-1)).sum(-1)
    rows = (forward + backward) / 2
    return rows if weights is None else weights * rows
