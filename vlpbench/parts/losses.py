"""The one formula of the contrastive family.

Axes: N samples, M texts and K pictures to choose among (M = K = N in a batch without a queue).
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
    """Half the cross-entropy of each picture's texts plus half that of each text's pictures (N), in nats.

    `image_to_text` (N, M) and `text_to_image` (N, K) are logits, each with targets of the same shape whose rows are
    distributions; `weights` (N) scale samples. CLIP's loss (arXiv 2103.00020, figure 3) is the case of identity
    targets; label smoothing, equal labels, soft teachers and queues are other targets and longer rows. A logit of
    minus infinity takes a text or a picture out of the choice, where its target is 0.
    """
    if len(image_to_text) != len(text_to_image):
        raise ValueError(f"{len(image_to_text)} pictures against {len(text_to_image)} texts: a sample is a row of both")
    rows = (_cross_entropy(image_to_text, image_targets) + _cross_entropy(text_to_image, text_targets)) / 2
    return rows if weights is None else weights * rows


def _cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """N, M and N, M -> N."""
    said = logits.log_softmax(-1).masked_fill(targets == 0, 0.0)  # zero times minus infinity would be NaN
    return -(targets * said).sum(-1)
