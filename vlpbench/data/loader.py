"""Batches as a pure function of (seed, step): drawn, cropped and corrupted on the host, crossed to the device once.

Axes: B samples of a batch, P pictures of it (B, or fewer where neighbours share one), T tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Literal

import numpy as np
import torch

from vlpbench.config.settings import ImageSettings
from vlpbench.data.errors import DataError
from vlpbench.data.examples import Examples
from vlpbench.data.host_batch import Augmentation, HostBatch
from vlpbench.data.images import crop_boxes
from vlpbench.data.lengths import shortest
from vlpbench.data.mixture import Mixture
from vlpbench.data.order import different, drawn
from vlpbench.data.resident import Resident, Wish, resident
from vlpbench.device import Device
from vlpbench.streams import generator
from vlpbench.types import Batch, Vocabulary

__all__ = ["HostBatch", "Loader", "Surgery"]

Corrupt = Callable[[Batch, np.random.Generator, Any], Mapping[str, Any]]


@dataclass(frozen=True)
class Surgery:
    """What one objective does to each batch on the host."""

    name: str
    """The objective's name; part of its random stream."""
    corrupt: Corrupt
    """Batch, generator, settings -> arrays of B rows."""
    config: Any
    """The objective's settings."""
    wants: tuple[str, ...] = ()
    """Fields of the examples that it reads."""
    views: int = 1
    """How often it sees each picture, cropped and mirrored anew."""


@dataclass(frozen=True)
class Loader:
    """All batches of a stage, in order. The number of workers changes when a batch is made, never what is in it."""

    examples: Examples | Mixture
    """What is drawn from: every example of a source once, in a new order, before any of that source comes again."""
    surgeries: Sequence[Surgery]
    """One for each objective."""
    vocabulary: Vocabulary
    """The tokenizer's special ids."""
    image: ImageSettings
    """How pictures are cropped and mirrored."""
    seed: int
    """Decides everything together with the step."""
    batch: int
    """B."""
    steps: int
    """How many batches there are."""
    stream: str = "pretrain"
    """Keeps the orders of different stages apart."""
    workers: int = 0
    """Threads that make batches ahead of time."""
    device: Device | None = None
    """Where batches go, as far as that is known: to a GPU pictures cross from memory that it fetches itself."""
    resident: Wish = "never"
    """Whether all pictures lie in that device's memory; "auto" where they take no more than half of what is free."""

    captions: int = 1
    """k: captions of one picture in a step, which are neighbours: B pairs show P = B / k pictures."""
    lengths: Literal["one", "few"] = "one"
    """Whether texts are padded to one T, or each batch to the shortest of few that holds its longest text."""
    part: tuple[int, int] = (0, 1)
    """Which of how many equal parts of each batch has its pictures read: those that one of several processes sees."""

    def __post_init__(self) -> None:
        if self.captions < 1 or self.batch % self.captions:
            raise DataError(f"a batch of {self.batch} pairs does not hold whole pictures of {self.captions} captions",
                            "budget.captions", "set budget.batch to a multiple of it")
        if isinstance(self.examples, Mixture):
            self.examples.refuse_small(self.pictures)

    @property
    def pictures(self) -> int:
        """P; of texts alone, as many as there are samples."""
        return self.batch // self.captions

    def __iter__(self) -> Generator[HostBatch, None, None]:
        return self.from_step(0)

    def from_step(self, first: int) -> Generator[HostBatch, None, None]:
        """The batches from this step on: where a training is taken up again."""
        there = resident(self.examples, self.resident, self.device) if self.device else None
        if self.workers == 0:
            yield from (self._made(step, there) for step in range(first, self.steps))
            return
        with ThreadPoolExecutor(self.workers) as pool:
            steps = iter(range(first, self.steps))
            ahead = [pool.submit(self._made, step, there) for step in islice(steps, 2 * self.workers)]
            while ahead:
                yield ahead.pop(0).result()
                ahead.extend(pool.submit(self._made, step, there) for step in islice(steps, 1))

    def host(self, step: int) -> HostBatch:
        """The batch of one step with its pictures: a pure function of the settings, the seed and the step."""
        return self._made(step, None)

    def _made(self, step: int, there: Resident | None) -> HostBatch:
        """The same, of pictures that lie on the device their rows alone."""
        chosen, given = self._chosen(step), self.examples
        texts, shown = self._texts(chosen, step), chosen.repeat(self.captions)
        mask = given.mask[texts]
        length = shortest(mask) if self.lengths == "few" else mask.shape[1]
        base = Batch(
            images=None,
            tokens=given.tokens[texts, :length].astype(np.int64, copy=False),
            mask=mask[:, :length],
            image_ids=given.image_ids[shown],
            caption_ids=given.caption_ids[texts],
            progress=np.array(step / max(1, self.steps - 1), np.float32),
            vocabulary=self.vocabulary,
            has_image=given.has_image,
            captions=self.captions,
        )
        most = max((surgery.views for surgery in self.surgeries), default=1)
        return HostBatch(
            pixels=self._pixels(chosen[self._own]) if base.has_image and there is None else None,
            augmented=tuple(self._augmentation(step, view) for view in range(most)),
            views={surgery.name: self._operated(surgery, base, shown, step) for surgery in self.surgeries},
            image=self.image,
            shown=there.shown(chosen) if there else None,
            padding=(int((~base.mask).sum()), int((~mask).sum())),
        )

    @property
    def _own(self) -> slice:
        """The pictures of a batch that this process reads."""
        number, many = self.part
        return slice(number * self.pictures // many, (number + 1) * self.pictures // many)

    def _pixels(self, chosen: np.ndarray) -> np.ndarray:
        """P, S, S, 3: uint8: for a GPU in memory that it fetches from while the host goes on."""
        pixels: np.ndarray = self.examples.pictures(chosen)
        pinned = self.device is not None and self.device.kind != "cpu"
        return torch.from_numpy(pixels).pin_memory().numpy() if pinned else pixels

    def _chosen(self, step: int) -> np.ndarray:
        """P: which examples; of several sources so many as are due, their order within the batch by chance."""
        given, start, end = self.examples, step * self.pictures, (step + 1) * self.pictures
        if isinstance(given, Examples):
            return drawn(self.seed, self.stream, len(given), start, end, given.runs)
        due = zip(given.parts, given.starts, given.shares(start), given.shares(end), strict=True)
        chosen = [
            first + drawn(self.seed, f"{self.stream}/{source}", len(part), before, after, part.runs)
            for source, (part, first, before, after) in enumerate(due)
        ]
        mixed: np.ndarray = generator(self.seed, f"order/{self.stream}/batch", step).permutation(np.concatenate(chosen))
        return mixed

    def _texts(self, chosen: np.ndarray, step: int) -> np.ndarray:
        """B: which of its texts each example brings; of several they are neighbours."""
        first, many = self.examples.first[chosen], self.examples.many[chosen]
        rng = generator(self.seed, f"caption/{self.stream}", step)
        if self.captions == 1:
            texts: np.ndarray = first + (rng.random(self.batch) * many).astype(np.int64)
        else:
            which = different(rng, many, self.captions, int(self.examples.many.max()))
            texts = (first[:, None] + which).ravel()
        return texts

    def _augmentation(self, step: int, view: int) -> Augmentation:
        """Each view has chance of its own, so that the first is the same whatever else looks at the pictures."""
        rng = generator(self.seed, f"augment/{self.stream}" + (f"/{view}" if view else ""), step)
        boxes = crop_boxes(rng.random((self.pictures, 4)), self.image.crop) if self.image.crop < 1 else None
        flips = rng.random(self.pictures) < 0.5 if self.image.flip else None
        return Augmentation(boxes, flips)

    def _operated(self, surgery: Surgery, base: Batch, shown: np.ndarray, step: int) -> Batch:
        fields = self.examples.fields
        keys = [key for name in surgery.wants for key in (name, f"{name}_mask") if key in fields]
        wanted = {key: fields[key][shown] for key in keys}
        view = replace(base, extras=wanted)
        rng = generator(self.seed, f"corrupt/{self.stream}/{surgery.name}", step)
        made = _arrays(surgery, surgery.corrupt(view, rng, surgery.config), len(base))
        return replace(view, extras={**wanted, **made})


def _arrays(surgery: Surgery, returned: Any, rows: int) -> dict[str, np.ndarray]:
    """What `corrupt` returned as arrays of numbers with one row a sample; anything else is a DataError."""
    remedy = f"return a mapping of names to arrays of numbers whose first axis is the batch: ({rows}, ...)"
    said = f"corrupt() of {surgery.name!r} returned"
    if not isinstance(returned, Mapping):
        raise DataError(f"{said} {type(returned).__name__}", remedy=remedy)
    made: dict[str, np.ndarray] = {}
    for name, given in returned.items():
        try:
            array = made[name] = np.asarray(given)
        except ValueError as error:
            raise DataError(f"{said} {name!r}, which is no array: {error}", remedy=remedy) from error
        if array.dtype.kind not in "biuf":
            raise DataError(f"{said} {name!r} of type {array.dtype}", remedy=remedy)
        if array.ndim == 0 or len(array) != rows:
            raise DataError(f"{said} {name!r} of shape {array.shape}", remedy=remedy)
    return made
