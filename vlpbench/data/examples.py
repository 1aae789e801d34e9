"""What a stage draws from: pictures and texts as arrays, once a stage, so that a batch is a few look-ups.

Axes: N examples, M texts of all examples, T tokens, S pixels a side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from vlpbench.data.errors import DataError
from vlpbench.data.lying import Runs
from vlpbench.data.splits import Split
from vlpbench.data.token_store import encoded
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.data.undecoded import Pixels
from vlpbench.types import Sample

__all__ = ["Examples", "caption_examples", "described", "fitting", "further_texts", "text_ids"]


@dataclass(frozen=True)
class Examples:
    """Each example is a picture and one or more texts that belong to it; a batch takes one of its texts by chance."""

    pixels: Pixels
    """Pictures, S, S, 3 uint8 each; memory-mapped, or decoded when they are seen."""
    image_rows: np.ndarray
    """N: which row of `pixels` an example shows."""
    image_ids: np.ndarray
    """N: int64; equal numbers are the same picture."""
    tokens: np.ndarray
    """M, T: int32 or int64; memory-mapped where a cache has them. A batch's are int64."""
    mask: np.ndarray
    """M, T: bool."""
    caption_ids: np.ndarray
    """M: int64; equal numbers are the same string."""
    first: np.ndarray
    """N: where the texts of an example begin."""
    many: np.ndarray
    """N: how many there are, at least one."""
    fields: Mapping[str, np.ndarray] = field(default_factory=dict)
    """N, ...: whatever objectives want beside."""
    texts: Sequence[str] = ()
    """M: the texts themselves, by which several sources tell equal ones; empty where nothing is mixed."""
    cut: int = 0
    """How many of the texts were longer than T and lost their end."""
    runs: Runs | None = None
    """Which examples lie together in larger files; None where each picture is a file of its own."""

    def __len__(self) -> int:
        return len(self.image_rows)

    @property
    def has_image(self) -> bool:
        """Whether there are pictures; False for texts alone."""
        return len(self.pixels) > 0

    def pictures(self, chosen: np.ndarray) -> np.ndarray:
        """B, S, S, 3: uint8: what these examples (B) show."""
        shown: np.ndarray = self.pixels[self.image_rows[chosen]]
        return shown


def text_ids(texts: Sequence[str]) -> np.ndarray:
    """M: a number for each text; equal strings share one, in the order of their first appearance."""
    known: dict[str, int] = {}
    return np.array([known.setdefault(text, len(known)) for text in texts], np.int64)


def fitting(texts: Sequence[str], tokenizer: Tokenizer, length: int) -> int:
    """T of a stage: as long as its longest text, at most `length`; shapes stay static and nothing is padded in vain."""
    return max(2, min(length, int(tokenizer.lengths(texts).max())))


def described(split: Split) -> list[int]:
    """The rows of the samples that have captions; a DataError where none has."""
    rows = [row for row, sample in enumerate(split.samples) if sample.captions]
    if not rows:
        raise DataError(
            f"the {split.name} split of {split.dataset!r} has no captions",
            remedy="name a data set with captions (`data`, or that of the task's [protocol]), or leave out this task",
        )
    return rows


def caption_examples(
    split: Split, tokenizer: Tokenizer, length: int, wants: Sequence[str] = (), more: str = ""
) -> Examples:
    """One example for each sample that has captions. N = 0 is a DataError.

    `more` names a field that holds further texts of each sample, which are drawn beside its captions.

    Fields named in `wants` become arrays of N rows: numbers of one shape as they are, texts as ids (..., length) with a
    mask under the field's name and "_mask".
    """
    kept = described(split)
    samples = [split.samples[row] for row in kept]
    said = [(*sample.captions, *(further_texts(sample, more, split) if more else ())) for sample in samples]
    texts = [text for one in said for text in one]
    read = encoded(texts, tokenizer, length, split.cache)
    many = np.array([len(one) for one in said], np.int64)
    return Examples(
        pixels=split.pixels,
        image_rows=np.array(kept, np.int64),
        image_ids=np.array([sample.id for sample in samples], np.int64),
        tokens=read.tokens,
        mask=read.mask,
        caption_ids=text_ids(texts),
        first=np.cumsum(many) - many,
        many=many,
        fields={key: array for name in wants for key, array in _field(samples, name, split, tokenizer, length)},
        texts=texts,
        cut=int((read.lengths > length).sum()),
        runs=split.lying.runs(kept) if split.lying else None,
    )


def further_texts(sample: Sample, name: str, split: Split) -> tuple[str, ...]:
    """The texts of a sample's field, none of them empty; anything else is a DataError."""
    texts = sample.fields.get(name)
    if not isinstance(texts, tuple | list) or not all(isinstance(text, str) and text.strip() for text in texts):
        raise DataError(
            f"sample {sample.id} of split {split.name!r} of {split.dataset!r} has no field {name!r} of texts",
            f"text.{name}", "use a data set whose samples have it, or leave the setting out",
        )
    return tuple(texts)


def _field(
    samples: Sequence[Sample], name: str, split: Split, tokenizer: Tokenizer, length: int
) -> Iterator[tuple[str, np.ndarray]]:
    """N, ...: one sample field as an array, or as two where it holds texts."""
    try:
        made = np.stack([np.asarray(sample.fields[name]) for sample in samples])
        if made.dtype.kind not in "biufU":
            raise ValueError(f"{made.dtype} are neither numbers nor texts")
    except (KeyError, ValueError) as error:
        raise DataError(
            f"not all samples of split {split.name!r} of {split.dataset!r} have a field {name!r} of numbers or texts "
            f"of one shape: {error}",
            remedy="use a data set that has it, or an objective that does not want it",
        ) from error
    if made.dtype.kind != "U":
        yield name, made
        return
    tokens, mask = tokenizer.encode(made.ravel().tolist(), length)
    yield name, tokens.reshape(*made.shape, length)
    yield f"{name}_mask", mask.reshape(*made.shape, length)
