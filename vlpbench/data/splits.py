"""A split, open: samples and their pictures row by row. The one place that refuses the test split to training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from vlpbench.contract.dataset import BadSample, Dataset
from vlpbench.data.errors import DataError, TestSplitRefused
from vlpbench.data.lying import Lying, lying_in
from vlpbench.data.pixels import Wanted, open_pixels
from vlpbench.data.store import Heard
from vlpbench.data.undecoded import Pixels
from vlpbench.types import Sample

__all__ = ["BLANK", "Purpose", "Split", "open_split"]

BLANK = 128
"""The grey of a blanked picture."""

Purpose = Literal["train", "select", "evaluate"]

_NAMED = 5
"""How many problems an error lists before it says how many more there are."""


@dataclass(frozen=True)
class Split:
    """The samples of one split with their pictures."""

    dataset: str
    """Kind of the data set."""
    name: str
    """"train", "val" or "test"."""
    samples: tuple[Sample, ...]
    """N samples in the order of their set."""
    pixels: Pixels
    """N, S, S, 3: read-only, or decoded when seen; row i belongs to samples[i]. 0, S, S, 3 for texts alone."""
    problems: tuple[BadSample, ...]
    """What was left out (`on_bad = "skip"`)."""
    cache: Path | None = None
    """The folder in which what is made of its texts is kept; None keeps nothing."""
    lying: Lying | None = None
    """Which samples lie together in larger files; None where each picture is a file of its own."""


def open_split(
    dataset: Dataset,
    name: str,
    *,
    purpose: Purpose,
    size: int,
    on_bad: Literal["error", "skip"],
    blind: bool = False,
    heard: Heard | None = None,
) -> Split:
    """Read a split and open its pictures at `size` pixels a side: their store, or what decodes them when asked for.

    Which of the two, `vlpbench.data.pixels` says. `blind` gives grey in place of every picture, for the same samples.
    `heard(done, of)` is told of pictures decoded.
    Raises TestSplitRefused where `purpose` may not see the split, and DataError for a file that cannot be read, for
    broken samples under "error", and for a split with no usable sample.
    """
    _allowed(dataset, name, purpose)
    samples: list[Sample] = []
    problems: list[BadSample] = []
    for given in dataset.read(name):
        (samples if isinstance(given, Sample) else problems).append(given)  # type: ignore[arg-type]
    if on_bad == "error":
        _refuse(dataset, name, problems)  # before any picture is decoded
    problems += _repeated(samples)
    samples, pixels, broken = _pictures(dataset, name, samples, Wanted(size, on_bad, heard))
    problems += broken
    if on_bad == "error":
        _refuse(dataset, name, problems)
    if not samples:
        raise DataError(f"split {name!r} has no usable sample", _place(dataset, name),
                        f"{len(problems)} broken; see `vlpbench data check`" if problems else "is the file empty?")
    if blind:
        pixels = np.broadcast_to(np.uint8(BLANK), pixels.shape)
    lying = lying_in(dataset.archive, [sample.image for sample in samples])
    return Split(dataset.name, name, tuple(samples), pixels, tuple(problems), dataset.cache, lying)


def _allowed(dataset: Dataset, name: str, purpose: Purpose) -> None:
    """Refuse a split to a purpose that may not see it: training never sees "test", selection sees "val" alone."""
    if name == "test" and purpose != "evaluate":
        doing = "training" if purpose == "train" else "selection"
        raise TestSplitRefused(f"{doing} may not open the test split", _place(dataset, name),
                               "train on train, select on val; test is for scores alone")
    if purpose == "select" and name != "val":
        raise TestSplitRefused(f"selection may open only val, not {name!r}", _place(dataset, name),
                               "select on val: what was trained on cannot choose between weights")


def _refuse(dataset: Dataset, name: str, problems: Sequence[BadSample]) -> None:
    """Raise one error for all problems: the first few, and how many there are."""
    if not problems:
        return
    many = "1 broken sample" if len(problems) == 1 else f"{len(problems)} broken samples"
    lines = [f"{problem.where}: {problem.what}" for problem in problems[:_NAMED]]
    if len(problems) > _NAMED:
        lines.append(f"and {len(problems) - _NAMED} more")
    raise DataError(f"split {name!r} has {many}:\n    " + "\n    ".join(lines), _place(dataset, name),
                    'correct them, or set on_bad_sample = "skip" to leave them out and have them counted')


def _repeated(samples: list[Sample]) -> list[BadSample]:
    """Take samples whose id an earlier one has out of the list (a reader of a plugin may not have looked)."""
    seen: set[int] = set()
    kept: list[Sample] = []
    problems: list[BadSample] = []
    for sample in samples:
        if sample.id in seen:
            problems.append(BadSample(f"sample {sample.id}", "its id is there twice; the first was kept"))
        else:
            seen.add(sample.id)
            kept.append(sample)
    samples[:] = kept
    return problems


def _pictures(
    dataset: Dataset, name: str, samples: list[Sample], wanted: Wanted
) -> tuple[list[Sample], Pixels, list[BadSample]]:
    """The samples whose picture can be decoded, their pictures, and the others as problems."""
    names = [sample.image for sample in samples if sample.image]
    if not names:
        return samples, np.zeros((0, wanted.size, wanted.size, 3), np.uint8), []
    if len(names) != len(samples):
        raise DataError(f"split {name!r} mixes samples with and without images", _place(dataset, name),
                        "put the texts without images into a data set of their own")
    pixels, broken = open_pixels(dataset, names, wanted)
    problems = [BadSample(f"image {names[row]}", what) for row, what in sorted(broken.items())]
    kept = [sample for row, sample in enumerate(samples) if row not in broken]
    return kept, pixels, problems


def _place(dataset: Dataset, name: str) -> str:
    return f"data set of kind {dataset.name!r}, split {name!r}"
