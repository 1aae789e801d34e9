"""One process's rows of each batch where several train one cell: neighbouring rows, in the order of the ranks.

Every process makes the whole batch, since a corruption is a function of all of it, but reads only its own pictures and
hands on only its own rows: so the global batch and its order are those of one process. Axes: B samples of a batch, P
pictures of it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from vlpbench.data.host_batch import Augmentation, HostBatch
from vlpbench.data.joint_loader import Batches, Crossing, HostStep, JointLoader
from vlpbench.data.loader import Loader
from vlpbench.data.resident import Shown
from vlpbench.errors import UserError
from vlpbench.parts import ranks
from vlpbench.types import Batch

__all__ = ["Share", "Shard", "shard", "share_of"]


def shard(loader: Batches) -> Batches:
    """The loader itself in one process, else what this process sees of its batches."""
    return loader if ranks.many() == 1 else Shard(loader, ranks.rank(), ranks.many())


@dataclass(frozen=True)
class Shard:
    """A loader's steps, of whose batches one process crosses its own rows alone."""

    loader: Batches
    """The one that a single process would have."""
    rank: int
    """Which process, from 0."""
    many: int
    """How many there are."""

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return self.loader.steps

    @property
    def seed(self) -> int:
        """Decides everything together with the step."""
        return self.loader.seed

    def __iter__(self) -> Iterator[Share]:
        return self.from_step(0)

    def from_step(self, first: int) -> Generator[Share, None, None]:
        """The steps from this one on."""
        with ExitStack() as stack:
            whole: Any = self._reading().from_step(first)
            if hasattr(whole, "close"):  # worker threads end with the loop
                stack.enter_context(closing(whole))
            for step in whole:
                yield self.share(step)

    def _reading(self) -> Batches:
        """The loader, reading the pictures of this process alone."""
        part, loader = (self.rank, self.many), self.loader
        if isinstance(loader, JointLoader):
            return replace(loader, loaders=tuple(replace(one, part=part) for one in loader.loaders))
        return replace(loader, part=part) if isinstance(loader, Loader) else loader

    def share(self, whole: Crossing) -> Share:
        """What this process sees of a step."""
        return Share(whole, self.rank, self.many)

    def host(self, step: int) -> Share:
        """What this process sees of one step, by its number."""
        return self.share(self.loader.host(step))  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Share:
    """One process's part of a step; its counts are those of the whole step."""

    whole: Crossing
    """The step of all processes."""
    rank: int
    """Which process, from 0."""
    many: int
    """How many there are."""

    @property
    def samples(self) -> int:
        """Samples of the step, of all processes."""
        return self.whole.samples

    @property
    def targets(self) -> int:
        """Terms that the losses of the step will be means of, over all processes."""
        return self.whole.targets

    def to(self, device: torch.device) -> dict[str, dict[str, Batch]]:
        """"pairs" and "texts", as far as there are such -> each objective's view of this process's rows."""
        batches = self.whole.batches if isinstance(self.whole, HostStep) else (self.whole,)
        assert all(isinstance(batch, HostBatch) for batch in batches)
        return HostStep(tuple(share_of(batch, self.rank, self.many) for batch in batches)).to(device)  # type: ignore[arg-type]


def share_of(batch: HostBatch, rank: int, many: int) -> HostBatch:
    """The rows of one process: B / many neighbours, whole pictures with all their captions."""
    first = next(iter(batch.views.values()))
    if batch.samples % (many * first.captions):
        pictures = f", of {first.captions} captions a picture," if first.captions > 1 else ""
        raise UserError(
            f"a batch of {batch.samples}{pictures} cannot be divided among {many} processes",
            "budget.batch", f"take a multiple of {many * first.captions}, or another number of processes",
        )
    samples = batch.samples // many
    rows = slice(rank * samples, (rank + 1) * samples)
    shown = slice(rows.start // first.captions, rows.stop // first.captions)
    return replace(
        batch,
        pixels=_cut(batch.pixels, shown) if batch.pixels is None or len(batch.pixels) == batch.images else batch.pixels,
        augmented=tuple(Augmentation(_cut(one.boxes, shown), _cut(one.flips, shown)) for one in batch.augmented),
        views={name: view.rows(rows) for name, view in batch.views.items()},
        shown=None if batch.shown is None else _seen(batch.shown, shown),
    )


def _cut(array: np.ndarray | None, rows: slice) -> np.ndarray | None:
    return None if array is None else array[rows]


def _seen(shown: Shown, pictures: slice) -> Shown:
    """Those of a batch's resident pictures that stand at some of its places."""
    here = [(places >= pictures.start) & (places < pictures.stop) for places in shown.places]
    return Shown(
        shown.held,
        [rows[mine] for rows, mine in zip(shown.rows, here, strict=True)],
        [places[mine] - pictures.start for places, mine in zip(shown.places, here, strict=True)],
    )
