"""The settings of a cell: frozen dataclasses, one sentence a field with unit and source. The only place of defaults.

What stands here decides a cell's numbers and is part of its id. Folders, devices, jobs and retries do not stand here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Budget", "CellSettings", "ImageSettings", "Optim", "Protocol", "TextSettings"]


@dataclass(frozen=True)
class Budget:
    """How much every row may learn from; one rule for all rows."""

    samples: int = 36_000
    """Samples seen in pretraining, repeats included."""
    batch: int = 64
    """Samples of one optimiser step."""


@dataclass(frozen=True)
class Optim:
    """AdamW with a linear warm-up, then a linear decay to zero (SimVLM, arXiv 2108.10904, section 4.1)."""

    lr: float = 2e-3
    """Highest learning rate."""
    warmup: float = 0.05
    """Share of the steps in which the rate rises from zero."""
    weight_decay: float = 0.01
    """Decoupled decay of matrices; vectors (norms, biases) have none."""
    beta1: float = 0.9
    """Decay of AdamW's mean of gradients."""
    beta2: float = 0.98
    """Decay of AdamW's mean of squared gradients."""
    clip: float = 1.0
    """Largest norm of the whole gradient; 0 does not clip."""


@dataclass(frozen=True)
class ImageSettings:
    """How a picture becomes numbers."""

    size: int = 32
    """Pixels a side of what the stem sees."""
    crop: float = 1.0
    """Least share of the area that a random resized crop keeps in training; 1 does not crop."""
    flip: bool = False
    """Whether training mirrors pictures left to right (never where captions say left and right)."""


@dataclass(frozen=True)
class TextSettings:
    """How a sentence becomes tokens."""

    length: int = 24
    """T, tokens of a row, end of sentence included; longer texts are cut, and the number of cut ones is reported."""
    vocabulary: int = 1_000
    """Largest number of ids of the byte-pair tokenizer, trained on the training split only."""
    lowercase: bool = True
    """Whether texts are lower-cased before they are cut into tokens."""


@dataclass(frozen=True)
class Protocol:
    """The readout of one task: the short fine-tune, the same for every backbone."""

    data: str = ""
    """Name of the data set the task is learnt and tested on; empty for the one of pretraining."""
    samples: int = 6_400
    """Samples (questions, for VQA) seen in fine-tuning, repeats included; stated beside the scores."""
    batch: int = 64
    """Samples of one optimiser step."""
    lr: float = 1e-3
    """Highest learning rate."""
    warmup: float = 0.1
    """Share of the steps in which the rate rises from zero."""
    answers: int = 3_129
    """VQA: the most frequent training answers that can be given (3,129 is the field's usual list for VQAv2)."""
    beams: int = 1
    """Captioning: beams of the search; 1 is greedy."""
    prompt: str = ""
    """Captioning: words put before the sentence (zero-shot uses "a picture of", SimVLM section 4.2.3)."""


@dataclass(frozen=True)
class CellSettings:
    """One point of a grid: all that decides its numbers, defaults filled in."""

    objective: str = "prefix-lm"
    """A weighted sum of objectives, such as "contrastive + 2*language-model"; "none" does not pretrain."""
    backbone: str = "conv3/encoder-decoder/nano"
    """Stem, trunk and size."""
    data: str = "digits"
    """Name of the data set that pretraining reads."""
    seed: int = 0
    """Decides initial weights, order, crops, corruption and dropout; equal seeds are paired across rows."""
    tasks: tuple[str, ...] = ("vqa", "captioning", "retrieval")
    """Tasks to evaluate; "captioning@zero-shot" and "retrieval@zero-shot" do it without a fine-tune."""
    split: Literal["test", "val"] = "test"
    """The split that scores are measured on."""
    select: Literal["last", "validation"] = "last"
    """Which weights of a fine-tune are evaluated: the last, or the best on the validation split."""
    blind: bool = False
    """Whether every image of fine-tuning and evaluation is blanked (the floor that shows what language alone gives)."""
    on_bad_sample: Literal["error", "skip"] = "error"
    """What a broken sample does: stop, naming it; or be left out, counted and named in the record."""
    budget: Budget = Budget()
    """How much pretraining sees."""
    optim: Optim = Optim()
    """How pretraining steps."""
    image: ImageSettings = ImageSettings()
    """How pictures are read."""
    text: TextSettings = TextSettings()
    """How texts are read."""
    protocol: Mapping[str, Protocol] = field(default_factory=dict)
    """`[protocol.TASK]`: the readout of each task."""
    objectives: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """`[objective.NAME]`: the settings of each objective in the sum, filled in from its config class."""
    sources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """`[data.NAME]`: the settings of each data set in use, `kind` first, filled in from its config class."""
