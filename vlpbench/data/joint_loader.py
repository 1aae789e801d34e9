"""A step of pairs and texts together: two loaders in step, one after the other across to the device."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Protocol

import torch

from vlpbench.data.host_batch import HostBatch
from vlpbench.data.loader import Loader
from vlpbench.types import Batch

__all__ = ["Batches", "Crossing", "HostStep", "JointLoader"]


class Crossing(Protocol):
    """What one step sees, still on the host."""

    @property
    def samples(self) -> int:
        """Samples of the step, pairs and texts."""

    @property
    def targets(self) -> int:
        """Terms that the losses of the step will be means of."""

    def to(self, device: torch.device) -> dict[str, dict[str, Batch]]:
        """"pairs" and "texts", as far as there are such -> each objective's view, as tensors on the device."""


class Batches(Protocol):
    """What a training takes its steps from: a Loader, or a JointLoader."""

    @property
    def steps(self) -> int:
        """How many steps there are."""

    @property
    def seed(self) -> int:
        """Decides everything together with the step."""

    def __iter__(self) -> Iterator[Crossing]:
        """All steps in order."""

    def from_step(self, first: int) -> Iterator[Crossing]:
        """The steps from this one on, in order: those that all steps would end in."""


@dataclass(frozen=True)
class HostStep:
    """The batches of one step in numpy, before they cross."""

    batches: tuple[HostBatch, ...]
    """One of pairs, one of texts, or only one of them."""

    @property
    def samples(self) -> int:
        """Samples of all batches."""
        return sum(batch.samples for batch in self.batches)

    @property
    def images(self) -> int:
        """Pictures of the step: fewer than samples where there are texts, or several captions of one picture."""
        return sum(batch.images for batch in self.batches)

    @property
    def padding(self) -> tuple[int, int]:
        """Places of all texts that hold no token: how many cross, and how many would at the full T."""
        found = [batch.padding for batch in self.batches]
        return sum(left for left, _ in found), sum(most for _, most in found)

    @property
    def targets(self) -> int:
        """Terms that the losses will be means of, over all batches and objectives."""
        return sum(batch.targets for batch in self.batches)

    def to(self, device: torch.device) -> dict[str, dict[str, Batch]]:
        """"pairs" and "texts" -> each objective's view, as tensors on the device."""
        return {kind: views for batch in self.batches for kind, views in batch.to(device).items()}


@dataclass(frozen=True)
class JointLoader:
    """All steps of a stage that sees pairs and texts; each loader may have worker threads of its own."""

    loaders: tuple[Loader, ...]
    """One of pairs, one of texts, or only one of them: of equal steps and seed, and each with a stream of its own."""

    def __post_init__(self) -> None:
        kinds = [loader.examples.has_image for loader in self.loaders]
        if not kinds or len(set(kinds)) < len(kinds):
            raise ValueError(f"a step has one batch of pairs, one of texts, or only one of them; not {len(kinds)}")
        if len({(loader.steps, loader.seed) for loader in self.loaders}) > 1:
            raise ValueError("loaders of one stage have equal steps and one seed")
        if len({loader.stream for loader in self.loaders}) < len(kinds):
            raise ValueError("pairs and texts of one stream would share their chance; give each its own stream")

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return self.loaders[0].steps

    @property
    def seed(self) -> int:
        """Decides everything together with the step."""
        return self.loaders[0].seed

    def __iter__(self) -> Generator[HostStep, None, None]:
        return self.from_step(0)

    def from_step(self, first: int) -> Generator[HostStep, None, None]:
        """The steps from this one on: where a training is taken up again."""
        with ExitStack() as stack:  # worker threads end with the loop, also where it is left early
            running = [stack.enter_context(closing(loader.from_step(first))) for loader in self.loaders]
            for batches in zip(*running, strict=True):
                yield HostStep(batches)

    @property
    def images(self) -> int:
        """Pictures of each step: fewer than pairs where several captions of one picture are seen at once."""
        return sum(loader.pictures for loader in self.loaders if loader.examples.has_image)

    def host(self, step: int) -> HostStep:
        """The batches of one step: a pure function of the settings, the seed and the step."""
        return HostStep(tuple(loader.host(step) for loader in self.loaders))
