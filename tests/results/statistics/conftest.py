"""Made-up differences of two rows over S seeds and I images, of which is known what varies, and their true mean."""

from __future__ import annotations

import numpy as np
import pytest

WORLDS = ("images", "images and chance", "chance", "seeds", "seeds and chance", "both", "right or wrong", "questions")
TRUTH = 3.0


@pytest.fixture(params=WORLDS)
def world(request):
    """The name of each in turn."""
    return request.param


@pytest.fixture(scope="session")
def made():
    """made(world, seeds, images, rng) -> differences of sums (S, I) with mean ratio 3, and counts (I)."""
    return differences


def differences(world, seeds, images, rng):
    seed, image = rng.normal(size=(seeds, 1)), rng.normal(size=(1, images))
    chance, ones, equal = rng.normal(size=(seeds, images)), np.ones(images), np.sqrt(seeds / images)
    if world == "right or wrong":  # 100 for a right answer; a seed moves one row's chances a little
        easy = rng.uniform(0.05, 0.9, (1, images))
        a, b = (rng.random((seeds, images)) < easy + more for more in (0.03 + 0.02 * seed.clip(-2, 2), 0.0))
        return 100.0 * a - 100.0 * b, ones
    if world == "questions":  # one to eight of an image, which they share
        counts = rng.integers(1, 9, images).astype(float)
        return (TRUTH + equal * seed + image) * counts + np.sqrt(counts) * chance, counts
    weights = {
        "images": (0, 1, 0), "images and chance": (0, 1, 1), "chance": (0, 0, 1), "seeds": (1, 0, 0),
        "seeds and chance": (equal, 0, 1), "both": (equal, 1, 0.5),
    }[world]
    parts = zip(weights, (seed, image, chance), strict=True)
    return TRUTH + np.sum([weight * np.broadcast_to(part, (seeds, images)) for weight, part in parts], axis=0), ones
