"""Several sources as one: their texts and ids joined, and how many samples each gives of any number.

Axes: B samples of a batch, N examples of all sources, M texts of all examples, T tokens, S pixels a side.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import accumulate

import numpy as np

from vlpbench.data.errors import DataError
from vlpbench.data.examples import Examples, text_ids

__all__ = ["Mixture", "mixed"]


@dataclass(frozen=True)
class Mixture:
    """Sources to be drawn from by weight; examples are numbered through all of them, in the order of `parts`.

    Raises DataError where sources do not fit together: pictures beside texts alone, other sizes, other fields.
    """

    parts: tuple[Examples, ...]
    """The sources, each with its `texts`; all have pictures of one size, or none has."""
    weights: tuple[float, ...]
    """A positive number for each source; its share is its weight divided by their sum."""
    tokens: np.ndarray = field(init=False, repr=False)
    """M, T: int64; the shorter sources' padded to the longest."""
    mask: np.ndarray = field(init=False, repr=False)
    """M, T: bool."""
    image_ids: np.ndarray = field(init=False, repr=False)
    """N: int64; equal numbers are the same picture of the same source."""
    caption_ids: np.ndarray = field(init=False, repr=False)
    """M: int64; equal numbers are the same string, whichever source it comes from."""
    first: np.ndarray = field(init=False, repr=False)
    """N: where the texts of an example begin."""
    many: np.ndarray = field(init=False, repr=False)
    """N: how many there are, at least one."""
    fields: Mapping[str, np.ndarray] = field(init=False, repr=False)
    """N, ...: whatever objectives want beside."""

    def __post_init__(self) -> None:
        _refuse_unfit(self.parts, self.weights)
        for name, array in _joined(self.parts).items():
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.image_ids)

    @property
    def cut(self) -> int:
        """How many texts of all sources lost their end."""
        return sum(part.cut for part in self.parts)

    @property
    def has_image(self) -> bool:
        """Whether there are pictures; False for texts alone."""
        return self.parts[0].has_image

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """Number of the first example of each source."""
        return _starts([len(part) for part in self.parts])

    @cached_property
    def _fractions(self) -> tuple[Fraction, ...]:
        """Shares without rounding: 0.1 is a tenth, not the double beside it."""
        said = [Fraction(repr(float(weight))) for weight in self.weights]
        return tuple(weight / sum(said) for weight in said)

    @property
    def _largest(self) -> int:
        """The source that takes what is left over."""
        return self._fractions.index(max(self._fractions))

    def pictures(self, chosen: np.ndarray) -> np.ndarray:
        """B, S, S, 3: uint8: what these examples (B) show, each from the store of its own source."""
        shown = np.empty((len(chosen), *self.parts[0].pixels.shape[1:]), np.uint8)
        source = np.searchsorted(self.starts, chosen, side="right") - 1
        for number, part in enumerate(self.parts):
            here = source == number
            shown[here] = part.pictures(chosen[here] - self.starts[number])
        return shown

    def shares(self, samples: int) -> tuple[int, ...]:
        """How many of the first `samples` each source gives: its share rounded down, the largest takes the rest."""
        given = [math.floor(samples * share) for share in self._fractions]
        given[self._largest] += samples - sum(given)
        return tuple(given)

    def refuse_small(self, batch: int) -> None:
        """DataError if the smaller sources may be due more than `batch` samples in one step."""
        if not self._holds(batch):
            enough = next(more for more in range(batch + 1, len(self.parts) ** 2 + 1) if self._holds(more))
            raise DataError(
                f"{len(self.parts)} sources cannot share a batch of {batch} by their weights",
                remedy=f"give a batch of at least {enough}, or name fewer sources",
            )

    def _holds(self, batch: int) -> bool:
        due = [math.ceil(batch * share) for share in self._fractions]
        return sum(due) - due[self._largest] <= batch


def mixed(parts: Sequence[Examples], weights: Sequence[float]) -> Examples | Mixture:
    """What a Loader draws from: the only source as it is, or several by weight."""
    return parts[0] if len(parts) == 1 else Mixture(tuple(parts), tuple(weights))


def _refuse_unfit(parts: Sequence[Examples], weights: Sequence[float]) -> None:
    if not parts or len(parts) != len(weights):
        raise ValueError(f"{len(parts)} sources have {len(weights)} weights")
    if any(len(part.texts) != len(part.tokens) for part in parts):
        raise ValueError("sources that are mixed need their texts")
    if not all(math.isfinite(weight) and weight > 0 for weight in weights):
        raise DataError(f"the weights of a mixture are above zero, not {', '.join(map(str, weights))}",
                        remedy="leave out the source that should give nothing")
    if len({part.has_image for part in parts}) > 1:
        raise DataError("sources with pictures and sources of texts alone cannot share a batch",
                        remedy="name the sets of pairs under `data` and those of texts under `texts`")
    if parts[0].has_image and len({part.pixels.shape[1:] for part in parts}) > 1:
        sizes = ", ".join(str(part.pixels.shape[1]) for part in parts)
        raise DataError(f"sources that are mixed have pictures of one size, not of {sizes} pixels a side",
                        remedy="open all of them at the size of image.size")
    for name in sorted({name for part in parts for name in part.fields}):
        shapes = [part.fields[name].shape[1:] if name in part.fields else None for part in parts]
        if len(set(shapes)) > 1:
            said = ", ".join("none" if shape is None else str(shape) for shape in shapes)
            raise DataError(f"the field {name!r} is not the same in all sources that are mixed; shapes: {said}",
                            remedy="mix sets that all have it, or use an objective that does not want it")


def _joined(parts: Sequence[Examples]) -> dict[str, np.ndarray | dict[str, np.ndarray]]:
    """The arrays of all sources, one behind the other."""
    length = max(part.tokens.shape[1] for part in parts)
    starts = _starts([len(part.tokens) for part in parts])
    pad = [((0, 0), (0, length - part.tokens.shape[1])) for part in parts]
    return {
        "tokens": np.concatenate([np.pad(part.tokens, wide) for part, wide in zip(parts, pad, strict=True)]),
        "mask": np.concatenate([np.pad(part.mask, wide) for part, wide in zip(parts, pad, strict=True)]),
        "image_ids": _dense([part.image_ids for part in parts]),
        "caption_ids": text_ids([text for part in parts for text in part.texts]),
        "first": np.concatenate([part.first + start for part, start in zip(parts, starts, strict=True)]),
        "many": np.concatenate([part.many for part in parts]),
        "fields": {name: np.concatenate([part.fields[name] for part in parts]) for name in parts[0].fields},
    }


def _dense(given: Sequence[np.ndarray]) -> np.ndarray:
    """N: new numbers from nought on; two are equal where they come from one source and were equal there."""
    numbered = [np.unique(ids, return_inverse=True) for ids in given]
    starts = _starts([len(distinct) for distinct, _ in numbered])
    return np.concatenate([where + start for (_, where), start in zip(numbered, starts, strict=True)]).astype(np.int64)


def _starts(lengths: Sequence[int]) -> tuple[int, ...]:
    """Where each begins if all are laid one behind the other."""
    return tuple(accumulate(lengths[:-1], initial=0))
