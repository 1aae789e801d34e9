"""Our side of a training: a learner and made-up batches from a few numbers, without a grid or a data set.

It imports what a training needs and nothing that reads grids, so it runs where pydantic and pycocotools are missing.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from side_by_side import begin

from vlpbench.backbones import DecoderOnly, EncoderDecoder
from vlpbench.backbones.sizes import SIZES
from vlpbench.backbones.stems import Conv2, Conv3, Conv4, Linear
from vlpbench.config.settings import ImageSettings, Optim
from vlpbench.contract.wiring import Size, Stem
from vlpbench.data.examples import Examples
from vlpbench.data.loader import Loader, Surgery
from vlpbench.device import Device
from vlpbench.objectives.prefix_lm import Config, PrefixLM
from vlpbench.parts.init import seeded
from vlpbench.training.build import Blueprint
from vlpbench.training.fitting import Fitting
from vlpbench.training.joint import StepBatches
from vlpbench.training.learner import Learner, Term
from vlpbench.training.loop import train_step
from vlpbench.training.optimizer import make_optimizer
from vlpbench.training.pace import Pace
from vlpbench.types import Vocabulary

STEMS: dict[str, type[Stem]] = {stem.name: stem for stem in (Conv2, Conv3, Conv4, Linear)}
TRUNKS = {trunk.name: trunk for trunk in (EncoderDecoder, DecoderOnly)}
OPTIM = Optim(lr=1e-4)
SPECIAL = 37
"""Ids before the first word."""


@dataclass(frozen=True)
class Setting:
    """A cell's shape, pretrained with prefix-lm on made-up pairs."""

    backbone: str = "conv3/encoder-decoder/nano"
    """Stem, trunk and size."""
    pixels: int = 32
    """H, pixels a side."""
    text: int = 24
    """T, tokens of a text, all of them words; a random part is read and the rest is written."""
    words: int = 1_000
    """V, ids of the vocabulary."""
    batch: int = 64
    """B, pairs of a step."""
    seed: int = 0
    """Of weights, order, surgery and dropout."""
    size: Size | None = None
    """In place of the size that the backbone names."""

    def of_size(self) -> Size:
        """Widths and depths."""
        return self.size or SIZES[self.backbone.split("/")[2]]


COCO = 5_000
"""Pictures of COCO's test split (Karpathy's)."""


def evaluation(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> tuple[argparse.Namespace, Device]:
    """What is asked of a script that evaluates: COCO's size at base on a GPU, a few pictures at nano on a CPU."""
    parser.add_argument("--backbone", help=f"of stems {', '.join(STEMS)} and trunks {', '.join(TRUNKS)}")
    parser.add_argument("--pictures", type=int, help="5,000 on a GPU, else 48")
    parser.add_argument("--batch", type=int, help="pictures at once: 256 on a GPU, else 16")
    asked = parser.parse_args(argv)
    device = begin(asked)
    large = device.kind == "cuda"
    asked.backbone = asked.backbone or f"conv3/encoder-decoder/{'base' if large else 'nano'}"
    asked.pictures = asked.pictures or (COCO if large else 48)
    asked.batch = min(asked.pictures, asked.batch or (256 if large else 16))
    return asked, device


def as_published(backbone: str, batch: int) -> Setting:
    """What the speed of a size is told for: 224 pixels, 32 + 32 tokens, 32,000 words; toys see what the demo's do."""
    toy = backbone.split("/")[2] in ("nano", "tiny")
    return Setting(backbone, batch=batch) if toy else Setting(backbone, 224, 32, 32_000, batch)


def vocabulary(words: int) -> Vocabulary:
    """Special ids first, as the tokenizer has them."""
    return Vocabulary(words, 0, 1, 2, 3, 4, tuple(range(5, SPECIAL)))


def blueprint(setting: Setting) -> Blueprint:
    """How to build the backbone."""
    stem, trunk, _ = setting.backbone.split("/")
    names = vocabulary(setting.words)
    return Blueprint(
        STEMS[stem], "", TRUNKS[trunk], setting.of_size(), setting.pixels, names, setting.text, setting.seed
    )


def build_learner(setting: Setting, device: Device) -> Learner:
    """The backbone with what prefix-lm asks for, and the objective, on the device."""
    backbone = blueprint(setting).build(PrefixLM.needs)
    with seeded(setting.seed):
        objective = PrefixLM(Config(), backbone.spec)
    return Learner(backbone, [Term(1.0, objective)]).to(device.torch)


def made_up(setting: Setting, number: int, pixels: np.ndarray | None = None) -> Examples:
    """N pairs: random texts of full length, and random pictures of the setting's size, or those given."""
    rng = np.random.default_rng(setting.seed)
    if pixels is None:
        pixels = rng.integers(0, 256, (number, setting.pixels, setting.pixels, 3), np.uint8)
    tokens = rng.integers(SPECIAL, setting.words, (number, setting.text))
    tokens[:, -1] = 2
    rows = np.arange(number)
    return Examples(
        pixels=pixels, image_rows=rows % len(pixels), image_ids=rows, tokens=tokens,
        mask=np.ones(tokens.shape, np.bool_), caption_ids=rows, first=rows, many=np.ones(number, np.int64),
    )


def loader_of(setting: Setting, steps: int, examples: Examples | None = None, workers: int = 0) -> Loader:
    """Batches of made-up pairs, or of those given; four batches of them unless they are."""
    surgery = Surgery(PrefixLM.name, PrefixLM.corrupt, Config())
    return Loader(
        examples or made_up(setting, 4 * setting.batch), [surgery], vocabulary(setting.words),
        ImageSettings(setting.pixels), setting.seed, setting.batch, steps, workers=workers,
    )


def few_pictures(number: int, pixels: int) -> np.ndarray:
    """N, S, S, 3 uint8: at most 256 that differ, shown again and again."""
    few = np.random.default_rng(0).integers(0, 256, (min(number, 256), pixels, pixels, 3), np.uint8)
    return few[np.arange(number) % len(few)]


@dataclass(frozen=True)
class Ours:
    """A training of ours, step by step on one batch that lies on the device."""

    learner: Learner
    """What is trained."""
    step: Callable[..., None]
    """One whole step, on its own batch or on a loader's: gradient, clipping, update; nothing is read back."""
    gradient: Callable[[], Any]
    """Forward and backward of two samples, for whoever counts operations."""
    batch: int
    """Pairs of a step."""


def training_of(setting: Setting, device: Device, compiled: bool = False) -> Ours:
    """Build it; the batch crosses to the device once, and is the same in every step."""
    learner = build_learner(setting, device)
    learner.train()
    views = loader_of(setting, 1).host(0).to(device.torch)
    few = {kind: {name: view.rows(slice(2)) for name, view in some.items()} for kind, some in views.items()}
    optimizer = make_optimizer(learner, OPTIM)
    fitting = Fitting(learner, pace=Pace(compiled="always" if compiled else "never"))
    fitting.flops = 0  # they are counted elsewhere, by a rule that is the same for all sides

    def gradient() -> None:
        learner.zero_grad(set_to_none=True)
        Fitting(learner).gradient(learner, few, device)
        learner.zero_grad(set_to_none=True)

    def step(given: StepBatches | None = None) -> None:
        train_step(learner, given or views, optimizer, OPTIM.clip, device, fitting)
        if fitting.micro_batch:
            raise torch.OutOfMemoryError(f"only {fitting.micro_batch} of {setting.batch} pairs go through at once")
        if compiled and fitting.compiling.choice == "never":
            raise RuntimeError("the step was not compiled")

    return Ours(learner, step, gradient, setting.batch)

