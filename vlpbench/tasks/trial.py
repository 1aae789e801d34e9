"""One task of one cell: what it is measured on, what it starts from, and where it runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal
from typing import Protocol as Protocol_

import numpy as np
import torch
from torch import Tensor

from vlpbench.config.settings import CellSettings, Protocol
from vlpbench.config.task_name import TaskName, parse_task
from vlpbench.contract.abilities import Backbone, Visible
from vlpbench.contract.objective import Objective
from vlpbench.data.images import prepare_images
from vlpbench.data.splits import Split
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.records import StageFolder
from vlpbench.tasks.extra import Extra
from vlpbench.training.checkpoint import load_weights
from vlpbench.training.loop import Heard
from vlpbench.training.other_size import AtSize
from vlpbench.training.pace import PACE, Pace
from vlpbench.types import Spec

__all__ = ["Head", "Plan", "Scores", "Trial", "blocks"]

Head = Literal["match", "similarity"]
"""A method of an objective that zero-shot asks, beside what the backbone can do by itself."""
Opener = Callable[[str, Literal["train", "select", "evaluate"]], Split]


class Plan(Protocol_):
    """How to build the backbone: a `Blueprint`, that at another size, or an outside model that is there already."""

    @property
    def offers(self) -> frozenset[str]:
        """The abilities it can be built with."""

    @property
    def spec(self) -> Spec:
        """The widths that heads are built for."""

    def build(self, abilities: Iterable[str]) -> Backbone:
        """A backbone with these abilities."""


@dataclass(frozen=True)
class Trial:
    """All that a task needs to know of its cell."""

    task: str
    """The task's name in the grid file."""
    settings: CellSettings
    """The cell's settings; `image.size` is that of the task's pictures (`protocol.TASK.size`, where it is set)."""
    protocol: Protocol
    """The task's."""
    open_split: Opener
    """(split, purpose) -> samples with pictures, grey for a blind cell; the test split is for evaluation alone."""
    tokenizer: Tokenizer
    """The one that pretraining used."""
    blueprint: Plan
    """How to build the backbone."""
    weights: Mapping[str, Tensor]
    """The backbone's pretrained weights by name; empty for the row without pretraining."""
    visible: Visible
    """Who saw whom in a context while it was pretrained."""
    device: Device
    """Where it runs."""
    heard: Heard | None = None
    """Told of progress."""
    heads: Mapping[Head, Callable[[Spec], Objective]] = field(default_factory=dict)
    """Makes the objective that trained a head, with the weights that pretraining left."""
    splits: Collection[str] = ("train", "val", "test")
    """The splits of the task's data set; an outside model may be scored on a set that has no training split."""
    trains: frozenset[str] = frozenset()
    """What pretraining trained, which zero-shot relies on: "vectors", "similarity", "decode", "match"."""
    kept: StageFolder | None = None
    """Where the fine-tuned weights are kept; None keeps none."""
    answered: StageFolder | None = None
    """Where the predictions are kept; None keeps none."""
    pace: Pace = PACE
    """How it goes about its work; it changes no result."""
    extras: Sequence[Extra] = ()
    """Metrics of plugins that are measured beside the suite's."""

    @cached_property
    def name(self) -> TaskName:
        """The task's name, taken apart."""
        return parse_task(self.task)

    @property
    def zero_shot(self) -> bool:
        """Whether it is asked without anything learnt for it."""
        return self.name.protocol == "zero-shot"

    def head(self, name: Head) -> Objective:
        """The objective that trained a head, as pretraining left it; UserError where none did.

        So it is where its weights hang on the picture's size, and the task sees another than pretraining did.
        """
        if name not in self.heads:
            said = {"match": "matching head", "similarity": "similarity"}[name]
            raise UserError(f"pretraining left no {said}", self.task, "take the task out of tasks")
        try:
            return self.heads[name](self.blueprint.spec)
        except RuntimeError as wrong:
            if not isinstance(self.blueprint, AtSize):
                raise
            raise UserError(f"the objective's weights cannot be brought to another picture size: {wrong}",
                            self.blueprint.setting, f"leave {self.blueprint.setting} out") from wrong

    def blocks(self, total: int, own: int) -> Iterator[np.ndarray]:
        """0 .. total-1 in consecutive pieces, of `own` at most where nothing else is asked for."""
        return blocks(total, self.pace.at_once or own)

    def build(self, needs: frozenset[str]) -> Backbone:
        """A backbone with these abilities, pretrained where it was, drawn by name elsewhere, on the device.

        Where the task sees pictures of another size than pretraining did, its position tables are interpolated.
        """
        plan, backbone = self.blueprint, self.blueprint.build(needs)
        load_weights(backbone, plan.fitted(backbone, self.weights) if isinstance(plan, AtSize) else self.weights)
        return backbone.to(self.device.torch, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def pictures(self, split: Split, rows: Sequence[int] | np.ndarray) -> Tensor:
        """Some pictures of a split as the stem sees them: B, 3, H, W."""
        pixels = torch.from_numpy(split.pixels[np.asarray(rows, np.int64)]).to(self.device.torch)
        how = self.settings.image
        return prepare_images(pixels, how.size, mean=how.mean, std=how.std)


@dataclass
class Scores:
    """What a task measured."""

    values: dict[str, float | None]
    """Metric -> value in its field's unit; None where `reasons` says why."""
    reasons: dict[str, str] = field(default_factory=dict)
    """Metric -> why there is no value."""
    floors: dict[str, dict[str, float | None]] = field(default_factory=dict)
    """Name of a floor ("chance", "majority") -> metric -> value, on the same examples."""
    ceilings: dict[str, float] = field(default_factory=dict)
    """Metric -> the most that the answer vocabulary allows."""
    examples: int = 0
    """How many questions, pictures or queries were scored."""
    told: dict[str, Any] = field(default_factory=dict)
    """What must be said beside the numbers: how answers were normalised, how many images, how a list was re-ranked."""
    extras: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Extra metric -> its version, who brought it, which way is better, how many rows it says nothing about."""


def blocks(total: int, size: int) -> Iterator[np.ndarray]:
    """0 .. total-1 in consecutive pieces of at most `size`."""
    for start in range(0, total, size):
        yield np.arange(start, min(total, start + size))
