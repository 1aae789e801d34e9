"""A data set made worse on purpose: fewer training samples, and captions as bad as those of the web.

All chance is that of a sample's id: it does not matter which other samples there are, nor which seed a cell has.
Only which samples swap captions, and with which, depends on the samples that are left.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vlpbench.config.settings import Portion, TextNoise
from vlpbench.contract.dataset import BadSample, Dataset
from vlpbench.data.errors import DataError
from vlpbench.files import digest
from vlpbench.streams import generator, seed_of
from vlpbench.types import Sample

__all__ = ["BOILERPLATE", "Weakened", "weakened"]

VERSION = 1
"""Raised when the same portion gives other samples."""

BOILERPLATE = (
    "image {}", "photo {}", "picture number {}", "img_{}.jpg", "dsc{}.jpg", "click to enlarge image {}", "product {}",
    "stock photo id {}", "slide {} of the gallery", "thumbnail {}", "untitled-{}", "page {}: image may contain",
)
"""Alt-text that tells nothing of a picture; a number of up to four digits stands in the braces."""


def weakened(dataset: Dataset, portion: Portion) -> Dataset:
    """The same data set with a part of its training samples and with spoilt training captions.

    The default portion gives `dataset` itself. Raises DataError for a share outside 0 to 1.
    """
    _refuse_outside(portion)
    return dataset if portion == Portion() else Weakened(dataset, portion)


class Weakened(Dataset):
    """Another data set whose training split is cut first and spoilt then; all else is passed through."""

    def __init__(self, dataset: Dataset, portion: Portion) -> None:
        """`portion` is taken as it is; `weakened` looks at it first."""
        super().__init__(dataset.config, dataset.root, dataset.cache)
        self.dataset, self.portion = dataset, portion
        vars(self).update(name=dataset.name, version=dataset.version, config_class=dataset.config_class)

    @property
    def images(self) -> Path:
        """The wrapped set's folder."""
        return self.dataset.images

    def splits(self) -> tuple[str, ...]:
        """The wrapped set's splits."""
        return self.dataset.splits()

    def fingerprint(self) -> str:
        """A hash of the wrapped set's and of the portion."""
        portion = dataclasses.asdict(self.portion)
        return digest({"of": self.dataset.fingerprint(), "portion": portion, "version": VERSION})

    def files_of(self, split: str) -> Sequence[Path]:
        """The wrapped set's files."""
        return self.dataset.files_of(split)

    def prepare(self, heard: Any = None) -> None:
        """Prepare the wrapped set."""
        self.dataset.prepare(heard)

    def describe(self) -> Mapping[str, str]:
        """The wrapped set's facts."""
        return self.dataset.describe()

    def read(self, split: str) -> Iterator[Sample | BadSample]:
        """The samples of a split: of "train" those that are kept, spoilt; of others all, as they are."""
        if split != "train":
            return self.dataset.read(split)
        return self._train()

    def _train(self) -> Iterator[Sample | BadSample]:
        kept = list(self._kept())
        noise = self.portion.text_noise
        swapped = _swaps([given for given in kept if isinstance(given, Sample)], noise.swapped)
        for given in kept:
            if isinstance(given, Sample):
                given = dataclasses.replace(given, captions=_spoilt(given, swapped, noise))
            yield given

    def _kept(self) -> Iterator[Sample | BadSample]:
        """Read twice where samples are cut, so that those that are cut are never held all at once."""
        if self.portion.share == 1:
            yield from self.dataset.read("train")
            return
        ids = dict.fromkeys(given.id for given in self.dataset.read("train") if isinstance(given, Sample))
        chosen = set(_ranked(list(ids), "share")[: max(1, round(self.portion.share * len(ids)))])
        for given in self.dataset.read("train"):
            if isinstance(given, BadSample) or given.id in chosen:
                yield given


def _refuse_outside(portion: Portion) -> None:
    rates = {f"text_noise.{name}": rate for name, rate in dataclasses.asdict(portion.text_noise).items()}
    for name, rate in rates.items():
        if not 0 <= rate <= 1:
            raise DataError(f"{name} must be from 0 to 1, not {rate}", f"[data.NAME]: {name}", "0 spoils nothing")
    if not 0 < portion.share <= 1:
        raise DataError(f"share must be above 0 and at most 1, not {portion.share}", "[data.NAME]: share",
                        "1 uses all training samples")


def _ranked(ids: Sequence[int], purpose: str) -> list[int]:
    """The ids in an order by chance, which is the same whatever other ids are among them."""
    return sorted(ids, key=lambda number: (seed_of(0, f"portion/{purpose}", number), number))


def _swaps(samples: Sequence[Sample], rate: float) -> dict[int, tuple[str, ...]]:
    """Id -> the captions that it gets: in a circle through a share of the samples each takes those of the next."""
    captions = {sample.id: sample.captions for sample in samples if sample.captions}
    many = round(rate * len(captions))
    ring = _ranked(list(captions), "swapped")[: max(many, 2) if many else 0]
    return {taker: captions[giver] for taker, giver in zip(ring, ring[1:] + ring[:1], strict=True)}


def _spoilt(sample: Sample, swapped: Mapping[int, tuple[str, ...]], noise: TextNoise) -> tuple[str, ...]:
    """The captions of a sample: another's if they are swapped, then words left out, then alt-text in place of some."""
    captions = swapped.get(sample.id, sample.captions)
    if noise.dropped > 0:
        rng = generator(0, "portion/dropped", sample.id)
        captions = tuple(_thinned(caption, rng, noise.dropped) for caption in captions)
    if noise.boilerplate > 0:
        rng = generator(0, "portion/boilerplate", sample.id)
        captions = tuple(_alt_text(caption, rng, noise.boilerplate) for caption in captions)
    return captions


def _thinned(caption: str, rng: np.random.Generator, rate: float) -> str:
    """The words that stay; the luckiest always does."""
    words = caption.split()
    if not words:
        return caption
    luck = rng.random(len(words))
    luck[luck.argmax()] = 1
    return " ".join(word for word, stays in zip(words, luck >= rate, strict=True) if stays)


def _alt_text(caption: str, rng: np.random.Generator, rate: float) -> str:
    """The caption, or by chance alt-text; each takes three draws, so that one does not move the next."""
    chance, template, number = rng.random(3)
    if chance >= rate:
        return caption
    return BOILERPLATE[int(template * len(BOILERPLATE))].format(int(number * 10_000))
