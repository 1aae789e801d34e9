"""Batches with sample fields: real samples of a small world, cut from the same cloth as tiny batches.

Axes: B samples, N samples of the world, T tokens, L tokens of a field's texts, H pixels a side.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from vlpbench.data.errors import DataError
from vlpbench.data.examples import Examples, caption_examples
from vlpbench.data.splits import Split, open_split
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.data.worlds.shapes import Shapes, ShapesConfig
from vlpbench.testing.findings import CheckFailed, CheckSkipped
from vlpbench.testing.tiny import FIRST_WORD, LENGTH, PIXELS, VOCABULARY, tiny_batches
from vlpbench.types import Batch

__all__ = ["field_batches", "wanted_fields"]

_SAMPLES = 96
"""N."""


def field_batches(
    wants: tuple[str, ...], samples: int, length: int = LENGTH, words: Sequence[int] | None = None, seed: int = 0,
    views: int = 1,
) -> dict[str, Batch]:
    """As `tiny_batches`, with pictures, words and fields of real samples of the world `shapes`.

    Lengths of texts are drawn as they are there, so that there is padding in them, in those of fields too. CheckFailed
    where the world has not these fields.
    """
    made = tiny_batches(samples, length, words, seed, pixels=PIXELS, views=views)
    examples = _examples(wants)
    rng = np.random.default_rng((seed, 7))
    rows = rng.permutation(np.arange(-(-samples // len(examples)) * len(examples)) % len(examples))[:samples]
    texts = examples.first[rows] + (rng.random(samples) * examples.many[rows]).astype(np.int64)
    fields = {name: np.array(array[rows]) for name, array in examples.fields.items()}
    for name in [name for name in fields if f"{name}_mask" in fields]:
        fields[name], fields[f"{name}_mask"] = _cut(fields[name], fields[f"{name}_mask"], rng)
    pictures = _pictures(examples)[rows]
    return {kind: _with(batch, examples, rows, texts, pictures, fields) for kind, batch in made.items()}


def _pictures(examples: Examples) -> np.ndarray:
    """N, 3, H, H: standardised by pixel over the world, as pictures there are alike and checks learn them by heart."""
    pixels = examples.pictures(np.arange(len(examples))).astype(np.float32).transpose(0, 3, 1, 2)
    found: np.ndarray = (pixels - pixels.mean(0)) / (pixels.std(0) + 1)
    return found


def _with(
    batch: Batch, examples: Examples, rows: np.ndarray, texts: np.ndarray, pictures: np.ndarray, fields: dict[str, Any]
) -> Batch:
    """A tiny batch whose words, pictures, ids and fields are the samples'; lengths and noise of views stay."""
    said = examples.tokens[texts]  # as long as it gets: T of the world is more than any batch's
    tokens = np.where(batch.mask & (batch.tokens != VOCABULARY.eos), said[:, : batch.tokens.shape[1]], batch.tokens)
    shared = {"tokens": tokens, "image_ids": examples.image_ids[rows], "caption_ids": examples.caption_ids[texts]}
    if batch.images is None:
        return replace(batch, extras=dict(fields), **shared)
    others = tuple(pictures + one - batch.images for one in batch.others)
    return replace(batch, images=pictures, others=others, extras=dict(fields), **shared)


def _cut(tokens: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """..., L twice: each text cut behind a word, all lengths from 1 to L being alike, with its end of sentence."""
    kept = np.minimum(mask.sum(-1), rng.integers(1, tokens.shape[-1] + 1, tokens.shape[:-1]))[..., None]
    at = np.arange(tokens.shape[-1])
    cut = np.where(at < kept - 1, tokens, np.where(at == kept - 1, VOCABULARY.eos, VOCABULARY.pad))
    return cut, at < kept


class _Words(Tokenizer):
    """One id a word, of the few that tiny backbones know; unlike words may share one."""

    def __init__(self) -> None:
        super().__init__((), (), lowercase=True)
        self.vocabulary = VOCABULARY

    def encode(self, texts: Sequence[str], length: int) -> tuple[np.ndarray, np.ndarray]:
        """N, L twice: ids and mask."""
        tokens = np.full((len(texts), length), VOCABULARY.pad, np.int64)
        for row, text in enumerate(texts):
            ids = [FIRST_WORD + zlib.crc32(word.encode()) % (VOCABULARY.size - FIRST_WORD) for word in text.split()]
            ids = [*ids[: length - 1], VOCABULARY.eos]
            tokens[row, : len(ids)] = ids
        return tokens, tokens != VOCABULARY.pad

    def lengths(self, texts: Sequence[str]) -> np.ndarray:
        """N: words and end of sentence."""
        return np.array([len(text.split()) + 1 for text in texts], np.int64)


_LONG = 24
"""T of the world's captions; batches take their first words."""


@lru_cache(maxsize=4)
def _examples(wants: tuple[str, ...]) -> Examples:
    split = _world()
    words = _Words()
    try:
        captions = caption_examples(split, words, _LONG)
        fields = caption_examples(split, words, LENGTH, wants).fields
    except DataError as wrong:
        there = ", ".join(sorted(split.samples[0].fields))
        raise CheckFailed(
            f"it wants {', '.join(wants)}, and no built-in world has all of these as numbers or texts: {wrong.cause}",
            f"worlds have: {there}; for others write a test with batches of your own: check_objective(cls, "
            "batches=tiny_batches(fields={name: array with one row a sample}))",
        ) from wrong
    return replace(captions, fields=fields)


@lru_cache(maxsize=1)
def _world() -> Split:
    """The samples and their pictures; nothing of them stays on the disk."""
    with TemporaryDirectory(prefix="vlpbench-kit-") as folder:
        world = Shapes(ShapesConfig(size=32, train=_SAMPLES, val=1, test=1, questions=1), Path(folder), Path(folder))
        world.prepare()
        split = open_split(world, "train", purpose="train", size=PIXELS, on_bad="error")
        return replace(split, pixels=np.array(split.pixels))


def wanted_fields(subject: Any) -> str:
    """The sample fields that it wants are those of a built-in world (or of the author's batches); tells which."""
    if not subject.cls.wants:
        raise CheckSkipped("wants-nothing")
    told = []
    for kind, host in subject.hosts().items():
        missing = [name for name in subject.cls.wants if name not in host.extras]
        if missing:
            cause = f"the batch of {kind} has no {', '.join(missing)}"
            raise CheckFailed(cause, "give it in `batches`, one row a sample")
        told = [f"{name} {host.extras[name].shape[1:]}" for name in subject.cls.wants]
    return f"rows of {', '.join(told)}" + ("" if subject.given is not None else " from the world shapes")
