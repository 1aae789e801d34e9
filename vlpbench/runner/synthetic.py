"""Made-up pictures and texts, through a cell's real loader and its objectives' real surgery; no data set is read.

Axes: N examples, T tokens, S pixels a side as stored.
"""

from __future__ import annotations

import numpy as np

from vlpbench.config.settings import CellSettings
from vlpbench.data.ahead import threads
from vlpbench.data.examples import Examples
from vlpbench.data.joint_loader import JointLoader
from vlpbench.data.loader import Loader
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.grid import Cell
from vlpbench.registry import Registry
from vlpbench.runner.batches import surgery
from vlpbench.runner.synthetic_cell import cell_of
from vlpbench.runner.workbench import Workbench
from vlpbench.streams import generator
from vlpbench.training.pace import PACE, Pace
from vlpbench.types import Vocabulary

__all__ = ["STEPS", "made_up_tokenizer", "synthetic_bench", "synthetic_examples", "synthetic_loader"]

STEPS = 1_000
"""Batches of a loader that is told nothing else; they are made when they are asked for."""

_WORDS, _SPREAD = 12.0, 0.35
"""Tokens of a caption, end of sentence included: their median, and the spread of their logarithm (about COCO's)."""

_EPOCHS = 4
"""Batches until an example comes again."""
_PICTURES = 1_024
"""Most pictures that are made; examples beyond share theirs, with ids of their own."""


def synthetic_bench(cell: Cell | CellSettings, registry: Registry, device: Device, pace: Pace = PACE) -> Workbench:
    """What a cell's stages take from, with a tokenizer of `text.vocabulary` ids that was trained on nothing.

    Raises UserError for settings that cannot be trained.
    """
    made = cell_of(cell, registry) if isinstance(cell, CellSettings) else cell
    return Workbench(made, registry, device, pace, made_up_tokenizer(made.settings.text.vocabulary))


def made_up_tokenizer(vocabulary: int) -> Tokenizer:
    """A tokenizer of so many ids, special ones included, which no text was ever cut by."""
    special = Tokenizer((), (), True).vocabulary.size
    return Tokenizer([f"piece {number}" for number in range(vocabulary - special)], (), True)


def synthetic_loader(bench: Workbench, steps: int = STEPS, seed: int = 0) -> JointLoader:
    """A cell's pretraining batches from made-up samples: of pairs, texts or both, as its settings name them.

    UserError where an objective wants sample fields, which nobody can make up.
    """
    settings, terms = bench.settings, bench.terms
    wants = sorted({f"{name} ({plan.objective.name})" for plan in terms for name in plan.objective.wants})
    if wants:
        raise UserError(
            f"made-up samples have no fields, and these are wanted: {', '.join(wants)}", settings.objective,
            "name a cell of a grid whose data has them: vlpbench bench GRID ID",
        )
    loaders = []
    for kind, named, batch in (
        ("pairs", settings.data, settings.budget.batch), ("texts", settings.texts, settings.budget.texts),
    ):
        using = [plan for plan in terms if kind in plan.objective.uses]
        if not using or named == "none" or not batch:
            continue
        pixels = bench.stored if kind == "pairs" else 0
        made = synthetic_examples(_EPOCHS * batch, bench.tokenizer.vocabulary, settings.text.length, pixels, seed)
        loaders.append(Loader(
            made, [surgery(plan) for plan in using], bench.tokenizer.vocabulary, settings.image, seed, batch,
            steps=steps, stream=f"bench/{kind}", workers=threads(bench.pace.workers, bench.device),
            device=bench.device, resident=bench.pace.resident, lengths=settings.text.lengths,
            captions=settings.budget.captions if kind == "pairs" else 1,
        ))
    return JointLoader(tuple(loaders))


def synthetic_examples(number: int, vocabulary: Vocabulary, length: int, pixels: int, seed: int = 0) -> Examples:
    """N random pictures of `pixels` a side (0: texts alone), each with a random text of 2 to T tokens.

    The first text is T long, as a stage's rows are as long as its longest text.
    """
    rng = generator(seed, "synthetic", pixels)
    drawn = rng.lognormal(np.log(_WORDS), _SPREAD, number).round().astype(np.int64)
    lengths = np.clip(drawn, min(2, length), length)
    lengths[0] = length
    words = np.setdiff1d(np.arange(vocabulary.size), list(vocabulary.special))
    tokens = rng.choice(words, (number, length))
    at = np.arange(length)[None]
    tokens[at == lengths[:, None] - 1] = vocabulary.eos
    mask = at < lengths[:, None]
    tokens[~mask] = vocabulary.pad
    many = min(number, _PICTURES)
    shown = rng.integers(0, 256, (many, pixels, pixels, 3), np.uint8) if pixels else np.empty((0, 0, 0, 3), np.uint8)
    rows = np.arange(number)
    return Examples(
        pixels=shown, image_rows=rows % many, image_ids=rows, tokens=tokens, mask=mask, caption_ids=rows, first=rows,
        many=np.ones(number, np.int64), texts=(),
    )
