"""Pictures of one class and their texts all belong together (UniCL, arXiv 2204.03610).

Axes: B own samples, N samples of all processes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vlpbench.plugin import Batch, Step, gather, own, parts
from vlpbench_contrastive.towers import Temperature, Tempered, positives, same_texts

__all__ = ["Config", "UniCL", "is_labelled"]


@dataclass(frozen=True)
class Config(Temperature):
    """Settings of `[objective.unicl]`."""

    labelled: float = 0.5
    """Share of the pictures whose label counts, chosen by image id; the others are pairs of the web, each of a class of
    its own. 0 is CLIP."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.labelled <= 1:
            raise ValueError(f"labelled is a share between 0 and 1, not {self.labelled}")


class UniCL(Tempered):
    """Each direction is the mean of -log P over all positives: pairs of one label, and each row's own."""

    name, version, config_class = "unicl", 1, Config
    wants = ("label",)
    cites = ("""@inproceedings{yang2022unicl,
  author = {Yang, Jianwei and Li, Chunyuan and Zhang, Pengchuan and Xiao, Bin and Liu, Ce and Yuan, Lu and
            Gao, Jianfeng},
  title = {Unified Contrastive Learning in Image-Text-Label Space},
  booktitle = {Proceedings of the IEEE/CVF Conference on Computer Vision and Pattern Recognition},
  year = {2022}, eprint = {2204.03610}, archiveprefix = {arXiv}
}""",)

    @staticmethod
    def corrupt(batch: Batch, rng: np.random.Generator, config: Config) -> Mapping[str, Any]:
        """labelled (B): whether a picture's label counts."""
        return {"labelled": is_labelled(batch.image_ids, config.labelled)}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        """Half of each direction (B), nats."""
        targets = parts.spread(positives(batch, self.config.equals) | self.of_one_class(batch))
        losses = parts.two_sided_cross_entropy(*self.logits(features["image"], features["text"]), targets, targets)
        return Step(losses, self.figures())

    def of_one_class(self, batch: Batch) -> Tensor:
        """B, N bool: whose labels count and are equal."""
        equal = same_texts(batch["label"], batch["label_mask"])
        return equal & own(batch["labelled"])[:, None] & gather(batch["labelled"])[None]


def is_labelled(image_ids: NDArray[np.int64], share: float) -> NDArray[np.bool_]:
    """B bool: a share of all numbers, spread over them as by chance; a larger share holds all of a smaller one."""
    mixed = image_ids.astype(np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):  # the finish of SplitMix64
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return (mixed >> np.uint64(11)) * 2.0**-53 < share
