"""A data set made worse on purpose: fewer training samples, and captions as bad as those of the web.

All chance is that of a sample's id: it does not matter which other samples there are, nor which seed a cell has.
Only which samples swap captions, and with which, depends on the samples that are left.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vlpbench.config.settings import Portion, TextNoise
from vlpbench.contract.dataset import Archive, BadSample, Dataset
from vlpbench.data.errors import DataError
from vlpbench.files import digest
from vlpbench.streams import generator, seed_of
from vlpbench.types import Sample

__all__ = ["BOILERPLATE", "Weakened", "weakened"]

VERSION = 2
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


_REWRITES = "rewrites"
"""The field that holds other wordings of a sample's captions."""


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

    @property
    def archive(self) -> Archive | None:
        """The wrapped set's."""
        return self.dataset.archive

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
            yield _spoilt(given, swapped, noise) if isinstance(given, Sample) else given

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


def _swaps(samples: Sequence[Sample], rate: float) -> dict[int, Sample]:
    """Id -> the sample whose captions it gets: in a circle through a share of the samples each takes the next's."""
    told = {sample.id: sample for sample in samples if sample.captions}
    many = round(rate * len(told))
    ring = _ranked(list(told), "swapped")[: max(many, 2) if many else 0]
    return {taker: told[giver] for taker, giver in zip(ring, ring[1:] + ring[:1], strict=True)}


def _spoilt(sample: Sample, swapped: Mapping[int, Sample], noise: TextNoise) -> Sample:
    """A sample with another's captions if they are swapped, then words left out, then alt-text in place of some.

    Rewrites are made of captions, so they are as bad: a truth that only they tell would undo the noise.
    """
    teller = swapped.get(sample.id, sample)
    captions = _spoilt_texts(teller.captions, sample.id, noise, "")
    if noise == TextNoise() or _REWRITES not in sample.fields:
        return dataclasses.replace(sample, captions=captions)
    spoilt = _Fields(sample.fields, lambda: _spoilt_rewrites(teller.fields[_REWRITES], sample.id, noise))
    return dataclasses.replace(sample, captions=captions, fields=spoilt)


def _spoilt_rewrites(said: Any, sample: int, noise: TextNoise) -> Any:
    """Rewrites as bad as captions; a field of that name that holds something else stays as it is."""
    if not isinstance(said, tuple | list) or not all(isinstance(text, str) for text in said):
        return said
    return _spoilt_texts(said, sample, noise, f"/{_REWRITES}")


def _spoilt_texts(texts: Sequence[str], sample: int, noise: TextNoise, stream: str) -> tuple[str, ...]:
    """Texts with words left out, then alt-text in place of some."""
    if noise.dropped > 0:
        rng = generator(0, f"portion/dropped{stream}", sample)
        texts = [_thinned(text, rng, noise.dropped) for text in texts]
    if noise.boilerplate > 0:
        rng = generator(0, f"portion/boilerplate{stream}", sample)
        texts = [_alt_text(text, rng, noise.boilerplate) for text in texts]
    return tuple(texts)


class _Fields(Mapping[str, Any]):
    """A sample's fields with other rewrites, made when they are asked for: most objectives want neither."""

    def __init__(self, fields: Mapping[str, Any], rewrites: Callable[[], Any]) -> None:
        self._fields, self._rewrites = fields, rewrites

    def __getitem__(self, name: str) -> Any:
        return self._rewrites() if name == _REWRITES else self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __contains__(self, name: object) -> bool:  # without making them
        return name in self._fields


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
