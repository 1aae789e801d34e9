"""A finished cell as a model: asked about pictures of one's own, scored again, and taken along in a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from vlpbench.config.measured import suite_metrics
from vlpbench.config.task_name import parse_task
from vlpbench.contract.abilities import Backbone
from vlpbench.data.decoding import BadImage, decode
from vlpbench.data.images import prepare_images
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.errors import UserError
from vlpbench.grid import open_source
from vlpbench.records import StageFolder
from vlpbench.runner.pretraining import Pretrained
from vlpbench.runner.trials import trial_of
from vlpbench.runner.workbench import Workbench, opened_here
from vlpbench.tasks.captioning import Captioning, write
from vlpbench.tasks.fine_tuning import Asked, ready
from vlpbench.tasks.suite import scored, task_named
from vlpbench.tasks.task import Answers
from vlpbench.tasks.trial import Scores, Trial

__all__ = ["Finished"]


class Finished:
    """What a cell left, ready to be asked. `vlpbench.load_cell` makes one."""

    def __init__(self, bench: Workbench, pretrained: Pretrained, stages: Mapping[str, StageFolder]) -> None:
        self.bench, self.pretrained, self.stages = bench, pretrained, stages
        self._asked: dict[str, tuple[Trial, Asked]] = {}

    def __repr__(self) -> str:
        cell = self.bench.cell
        return f"Finished({cell.row!r}, seed {cell.seed}, {cell.settings.backbone}, tasks {', '.join(self.tasks)})"

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that it can be asked, in the order of its grid file."""
        return tuple(task for task in self.bench.settings.tasks if task in self.stages)

    @property
    def tokenizer(self) -> Tokenizer:
        """What cuts its texts."""
        return self.bench.tokenizer

    @cached_property
    def backbone(self) -> Backbone:
        """The pretrained backbone (a torch module in evaluation mode) with the abilities that were pretrained."""
        needs, first = self.bench.needs or self.bench.tasks_need, self.bench.settings.tasks[0]
        return trial_of(self.bench, first, self.pretrained, plan=self.bench.blueprint).build(needs).eval()

    def model(self, task: str) -> Backbone:
        """The backbone as it was fine-tuned for a task, in evaluation mode."""
        return self._of(task)[1].backbone

    def pixels(self, task: str) -> int:
        """Pixels a side of the pictures that a task's model sees."""
        return self._of(task)[0].settings.image.size

    def caption(self, images: Sequence[str | Path], task: str = "") -> list[str]:
        """A sentence for each picture file; `task` is captioning, fine-tuned where the cell has it."""
        trial, asked = self._of(task or self._first(Captioning, "writes captions"))
        if not isinstance(task_named(trial.task), Captioning):
            raise UserError(f"{trial.task!r} writes no captions", remedy=f"tasks: {', '.join(self.tasks)}")
        return write(asked.backbone, self._pictures(images, trial), trial, range(len(images)))

    def ask(self, image: str | Path, question: str, task: str = "") -> tuple[str, float]:
        """The likeliest answer to a question about a picture file, and its probability among all that can be given."""
        trial, asked = self._of(task or self._first(Answers, "answers open questions"))
        said = task_named(trial.task)
        if not question.strip():
            raise UserError("there is no question to answer", remedy="write it in quotes behind the picture")
        if not isinstance(said, Answers):
            raise UserError(f"{trial.task!r} answers no open question", remedy=f"tasks: {', '.join(self.tasks)}")
        return said.answers(asked.backbone, asked.readout, self._pictures([image], trial), [question], trial)[0]

    def evaluate(self, task: str) -> Scores:
        """Predict and score once more on the data that the cell was scored on, which has to be there."""
        trial, asked = self._of(task)
        self._refuse_other_data(trial.protocol.data)
        split = trial.open_split(trial.settings.split, "evaluate")
        rows = task_named(task).predict(asked.backbone, asked.readout, split, trial)
        return scored(task, rows, suite_metrics(trial.protocol), trial.extras)

    def refuse_damaged(self) -> None:
        """UserError unless what was learnt for every task is there, whole."""
        for task in self.tasks:
            self._refuse_damaged(task)

    def _refuse_damaged(self, task: str) -> None:
        kept = self.stages[task]
        if kept.told() is None:
            raise UserError(f"what {task} was learnt to is not there, or damaged", str(kept.path), "run the grid again")

    def _first(self, kind: type, does: str) -> str:
        """The first task of a kind, a fine-tuned one where there is any."""
        found = [task for task in self.tasks if isinstance(task_named(task), kind)]
        if not found:
            raise UserError(f"none of the cell's tasks {does}", remedy=f"its tasks: {', '.join(self.tasks) or 'none'}")
        return min(found, key=lambda task: parse_task(task).protocol != "fine-tune")

    def _of(self, task: str) -> tuple[Trial, Asked]:
        """A task's model, read once."""
        if task not in self.stages:
            raise UserError(f"the cell was not asked {task!r}", remedy=f"its tasks: {', '.join(self.tasks) or 'none'}")
        if task not in self._asked:
            self._refuse_damaged(task)
            trial = trial_of(self.bench, task, self.pretrained, self.stages[task])
            self._asked[task] = trial, ready(task_named(task), trial)
        return self._asked[task]

    def _pictures(self, images: Sequence[str | Path], trial: Trial) -> torch.Tensor:
        """B, 3, H, W on the device: picture files as the stem of a task's model sees them."""
        how = trial.settings.image
        pixels = np.stack([_pixels(image, how.size) for image in images])
        on_device = torch.from_numpy(pixels).to(self.bench.device.torch)
        return prepare_images(on_device, how.size, mean=how.mean, std=how.std)

    def _refuse_other_data(self, name: str) -> None:
        dataset = open_source(self.bench.settings.sources[name], self.bench.registry, opened_here)
        if dataset.fingerprint() != self.bench.cell.fingerprints[name]:
            raise UserError(f"data set {name!r} is not the one that the cell was scored on",
                            remedy="set VLPBENCH_DATA to the folder that has it")


def _pixels(image: str | Path, size: int) -> NDArray[np.uint8]:
    """S, S, 3: a picture file, squeezed; one that cannot be read is named."""
    try:
        return decode(Path(image), size)
    except BadImage as wrong:
        raise UserError(f"a picture cannot be read: it {wrong}", str(image), "name a JPEG, PNG or the like") from wrong
