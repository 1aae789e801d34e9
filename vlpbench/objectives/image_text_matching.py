"""Do this picture and this text belong together? (ViLBERT, arXiv 1908.02265; hard negatives as ALBEF, arXiv 2107.07651)

Each pair is judged three times: as it is, its picture with another text, its text with another picture. The others come
from a group of neighbouring samples, so that a batch may be cut into whole groups without changing what is learnt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from vlpbench.plugin import Backbone, Batch, ImageState, Objective, Spec, Step, TextState, parts

__all__ = ["Config", "ImageTextMatching"]

_VECTORS = frozenset({"image_vector", "text_vector"})


@dataclass(frozen=True)
class Config:
    """Settings of `[objective.image-text-matching]`."""

    group: int = 16
    """Neighbouring samples among which a pair's negatives are drawn; a micro-batch is whole groups."""
    hard: bool = True
    """Whether near misses are drawn more often, where the backbone was built with vectors (beside contrastive)."""
    temperature: float = 0.07
    """What cosines are divided by in the chances of hard negatives; smaller is harder (ALBEF starts at 0.07)."""

    def __post_init__(self) -> None:
        if self.group < 2:
            raise ValueError(f"group is a number of samples, at least 2, not {self.group}")
        if self.temperature <= 0:
            raise ValueError(f"temperature is a number above 0, not {self.temperature}")


class ImageTextMatching(Objective):
    """Binary cross-entropy of one log-odds, 1 for the match and 0 for both mismatches; by chance 0.637 nats a pair."""

    name, version, config_class = "image-text-matching", 1, Config
    needs, welcomes, trains = frozenset({"fused_tokens"}), _VECTORS, frozenset({"match"})
    cites = ("lu2019vilbert", "li2021albef")

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.head = nn.Linear(2 * spec.width, 1)

    @classmethod
    def coupled_with(cls, config: Config) -> int:
        """Samples see each other within their group."""
        return config.group

    @staticmethod
    def corrupt(batch: Batch, rng: np.random.Generator, config: Config) -> Mapping[str, Any]:
        """draw (B, 2): chance, uniform; found (B, 2): whether there is another text for the picture, and vice versa."""
        places = np.arange(_padded(len(batch), config.group)).reshape(-1, config.group)
        strange = _strange(batch, np.minimum(places, len(batch) - 1), places < len(batch))
        found = np.stack([strange.any(2), strange.any(1)], 2).reshape(-1, 2)[: len(batch)]
        draw = rng.random((len(batch), 2), dtype=np.float32)
        return {"draw": draw, "found": found, "count": 1 + found.sum(1)}

    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        """log_odds (B, 3): of the pair, of its picture with another text, of its text with another picture."""
        text, image = self.negatives(backbone, batch)
        same = torch.arange(len(batch), device=text.device)
        seen = batch.image.rows(torch.stack([same, same, image], 1).flatten())
        read = batch.text.rows(torch.stack([same, text, same], 1).flatten())
        return {"log_odds": self.match(backbone, seen, read).view(-1, 3)}

    def match(self, backbone: Backbone, image: ImageState, text: TextState) -> Tensor:
        """B: the head on the means of fused image and text tokens, in fp32: bf16 would make ties in a ranking."""
        image_tokens, text_tokens = backbone.fused_tokens(image, text)
        pooled = parts.pooled_pair(image_tokens, text_tokens, text.mask)
        with parts.full_precision(pooled):
            return self.head(pooled.float())[:, 0]

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        """The sum over a pair and the mismatches that were found for it (B), nats."""
        log_odds, found = features["log_odds"], batch["found"]
        match, mismatch = log_odds[:, 0], log_odds[:, 1:]
        right = binary_cross_entropy_with_logits(match, torch.ones_like(match), reduction="none")
        wrong = binary_cross_entropy_with_logits(mismatch, torch.zeros_like(mismatch), reduction="none")
        refused = ((mismatch < 0) & found).sum(1) / found.sum(1).clamp_min(1)  # by sample: pieces add up to the whole
        figures = {"matched": (match > 0).float().mean(), "mismatched": refused.mean()}
        return Step(right + (wrong * found).sum(1), figures)

    def negatives(self, backbone: Backbone, batch: Batch) -> tuple[Tensor, Tensor]:
        """B and B: the row of the text for each picture, and of the picture for each text; its own where none is found.

        A choice by chances p_j is the largest of log p_j + Gumbel noise; the noise of a picture i and a text j is made
        of what both drew, so that it follows them wherever they stand in their group.
        """
        size = _padded(len(batch), self.config.group)
        places = torch.arange(size, device=batch.tokens.device).view(-1, self.config.group)
        rows, own = places.clamp(max=len(batch) - 1), torch.arange(len(batch), device=places.device)
        strange = _strange(batch, rows, places < len(batch))
        of_image, of_text = batch["draw"][rows].unbind(2)
        chance = (of_image[:, :, None] + of_text[:, None]).frac().clamp(1e-9, 1 - 1e-6)
        scores = self._log_chances(backbone, batch, rows) - (-chance.log()).log()
        scores = scores.masked_fill(~strange, -torch.inf)
        texts = rows.gather(1, scores.argmax(2)).flatten()[: len(batch)]
        images = rows.gather(1, scores.argmax(1)).flatten()[: len(batch)]
        has_text, has_image = batch["found"].unbind(1)
        return torch.where(has_text, texts, own), torch.where(has_image, images, own)

    def _log_chances(self, backbone: Backbone, batch: Batch, rows: Tensor) -> Tensor:
        """Groups, G, G: of each picture and each text, up to a constant; all equal without vectors."""
        if not (self.config.hard and backbone.abilities >= _VECTORS):
            return torch.zeros((), device=rows.device)
        image, text = backbone.image_vector(batch.image).detach(), backbone.text_vector(batch.text).detach()
        with parts.full_precision(rows):
            return image[rows].float() @ text[rows].float().mT / self.config.temperature


def _padded(samples: int, size: int) -> int:
    """The rows of whole groups; the last group may reach beyond the batch."""
    return -(-samples // size) * size


def _strange(batch: Batch, rows: Any, there: Any) -> Any:
    """Groups, G, G: whether a group's picture i and its text j belong to no sample of the group together.

    They do where i and j share the picture or the string, and where a third sample shows the one and says the other.
    numpy or torch.
    """
    images, texts = batch.image_ids[rows], batch.caption_ids[rows]
    shows, says = images[:, :, None] == images[:, None], texts[:, :, None] == texts[:, None]
    alone = (1.0 * shows) @ (1.0 * says) == 0  # counts third samples without an array of G, G, G
    return alone & there[:, :, None] & there[:, None]
