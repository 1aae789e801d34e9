"""A small learner and its batches, whole and real: the nano backbone, made examples, the built-in objectives."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from vlpbench.backbones import Conv2, DualEncoder, EncoderDecoder, Linear
from vlpbench.backbones.sizes import SIZES
from vlpbench.config.settings import ImageSettings
from vlpbench.contract.objective import Objective
from vlpbench.data.examples import Examples
from vlpbench.data.loader import Loader, Surgery
from vlpbench.training.build import Blueprint, draw
from vlpbench.training.learner import Learner, Term
from vlpbench.types import Vocabulary

VOCABULARY = Vocabulary(size=60, pad=0, bos=1, eos=2, unk=3, mask=4, sentinels=(5, 6))
LENGTH, PIXELS = 6, 32


@pytest.fixture
def blueprint() -> Blueprint:
    """An encoder-decoder that a test builds as it likes."""
    return Blueprint(Linear, "", EncoderDecoder, SIZES["nano"], PIXELS, VOCABULARY, LENGTH, seed=0)


@pytest.fixture
def towers() -> Blueprint:
    """Two towers behind a convolutional stem."""
    return Blueprint(Conv2, "", DualEncoder, SIZES["nano"], PIXELS, VOCABULARY, LENGTH, seed=0)


@pytest.fixture(scope="session")
def examples() -> Examples:
    """Twelve pictures, each with two texts that begin with a word of the picture's own."""
    rng = np.random.default_rng(1)
    tokens = rng.integers(10, 60, (24, LENGTH))
    tokens[:, 0] = 10 + np.repeat(np.arange(12), 2)
    ends = rng.integers(2, LENGTH, 24)[:, None]
    at = np.arange(LENGTH)[None]
    tokens = np.where(at == ends, VOCABULARY.eos, np.where(at < ends, tokens, VOCABULARY.pad))
    return Examples(
        pixels=rng.integers(0, 256, (12, PIXELS, PIXELS, 3), dtype=np.uint8), image_rows=np.arange(12),
        image_ids=np.arange(12), tokens=tokens, mask=at <= ends, caption_ids=np.arange(24),
        first=2 * np.arange(12), many=np.full(12, 2),
    )


@pytest.fixture
def loader(examples: Examples) -> Callable[..., Loader]:
    """(objective classes, steps, seed, batch) -> the batches of a stage."""

    def make(objectives: Sequence[type[Objective]], steps: int = 4, seed: int = 0, batch: int = 6) -> Loader:
        surgeries = [Surgery(one.name, one.corrupt, one.config_class()) for one in objectives]
        return Loader(examples, surgeries, VOCABULARY, ImageSettings(size=PIXELS), seed, batch, steps)

    return make


@pytest.fixture
def learner(blueprint: Blueprint) -> Callable[..., Learner]:
    """(objective classes, weights) -> a learner drawn from the seed, as a cell's."""

    def make(objectives: Sequence[type[Objective]], weights: Sequence[float] = ()) -> Learner:
        needs = frozenset().union(*(one.needs_with(one.config_class()) for one in objectives))
        backbone = blueprint.build(needs)
        terms = []
        for one, weight in zip(objectives, weights or [1.0] * len(objectives), strict=True):
            objective = one(one.config_class(), backbone.spec)
            draw(objective, blueprint.seed, prefix=f"objective/{one.name}/")
            terms.append(Term(weight, objective))
        return Learner(backbone, terms)

    return make
