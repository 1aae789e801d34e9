"""How much of a difference varies from seed to seed, from image to image, and from seed to seed on one image."""

from __future__ import annotations

import math
from dataclasses import dataclass

from numpy.typing import ArrayLike

from vlpbench.results.statistics.checked import carried_by_few, paired_images

__all__ = ["Components", "components"]


@dataclass(frozen=True)
class Components:
    """Variances of d = mean + seed + image + (seed on image), in the score's unit squared. Axes: S seeds, I images.

    A score is a ratio (points over examples), so an image's d is its part in that ratio: points less the mean ratio
    times its examples, over the mean number of examples an image. The three are unbiased (analysis of variance of
    two crossed sources, one value each), so one that is near 0 may come out below it.
    """

    estimate: float
    """The difference: points over examples, averaged over seeds."""
    seeds: int
    """S."""
    images: int
    """I."""
    seed: float
    """Of the seeds' own differences, were there no end of images; NaN with one seed."""
    image: float
    """Of the images' own differences, were there no end of seeds; with one seed, the seed's part included."""
    interaction: float
    """Of what a seed does to one image alone; 0 with one seed, where it can't be told from `image`."""
    few: str = ""
    """A sentence where few images carry what images add."""

    def variance(self, seeds: int, images: int) -> float:
        """Of the estimate over new seeds and new images, were there so many; NaN if the seeds' part is not known."""
        return self.seed / seeds + self.image / images + self.interaction / (seeds * images)


def components(sums_a: ArrayLike, sums_b: ArrayLike, counts: ArrayLike) -> Components:
    """The variances behind sums (S, I) of two rows over the same images with so many examples each (I)."""
    differences, weights = paired_images(sums_a, sums_b, counts)
    S, images = differences.shape
    estimate = float(differences.sum() / (S * weights.sum()))
    parts = (differences - estimate * weights) / weights.mean()
    of_images, of_seeds = parts.mean(0), parts.mean(1)
    by_image = float(of_images.var(ddof=1))
    if S < 2:
        return Components(estimate, S, images, math.nan, by_image, 0.0)
    few = carried_by_few(of_images) if by_image else ""
    by_seed = float(of_seeds.var(ddof=1))
    rest = float(((parts - of_images - of_seeds[:, None]) ** 2).sum() / ((S - 1) * (images - 1)))
    return Components(estimate, S, images, by_seed - rest / images, by_image - rest / S, rest, few)
