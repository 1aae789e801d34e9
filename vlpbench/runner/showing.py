"""One training batch exactly as a model sees it, drawn from the very loader that training uses.

Axes: B samples of a batch, T tokens, H pixels a side as seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from vlpbench.data.host_batch import Augmentation, HostBatch
from vlpbench.data.loader import Loader
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.errors import UserError
from vlpbench.runner.batches import pretraining_loader
from vlpbench.runner.showing_text import row_lines
from vlpbench.runner.trials import trial_of
from vlpbench.runner.workbench import Workbench
from vlpbench.tasks.fine_tuning import readout_loader
from vlpbench.tasks.suite import task_named, why_not
from vlpbench.types import Batch

__all__ = ["Look", "look"]


@dataclass(frozen=True)
class Look:
    """One batch, ready to be printed or drawn."""

    stage: str
    """What it is a batch of: "pretraining", or the fine-tune of a task."""
    step: int
    """Which step sees it, from 0."""
    steps: int
    """How many steps there are."""
    views: Mapping[str, Batch]
    """Each objective's view by name, in numpy; they share tokens and ids."""
    pictures: NDArray[np.uint8] | None
    """B, H, H, 3: what the stem sees (cropped, resized, mirrored), turned back into colours; None for texts."""
    augmented: Sequence[Augmentation]
    """How the pictures were cropped and mirrored, for each view of them; `pictures` are of the first."""
    tokenizer: Tokenizer
    """What cut the texts."""
    answers: Sequence[str] = ()
    """VQA: what the columns of its soft targets stand for."""

    @property
    def batch(self) -> Batch:
        """Any view: what all of them share."""
        return next(iter(self.views.values()))

    def headline(self) -> str:
        """What this is a batch of, in a sentence."""
        side = "texts alone" if self.pictures is None else "pictures of {0} x {0} pixels".format(self.pictures.shape[1])
        names = " + ".join(self.views)
        return (
            f"{self.stage}, step {self.step} of {self.steps}, {names}: {len(self.batch)} samples, {side}, "
            f"{self.batch.tokens.shape[1]} tokens a text, {self.tokenizer.vocabulary.size} ids"
        )

    def sample(self, row: int, width: int = 100, ids: bool = False) -> list[str]:
        """One sample as lines of at most `width` characters: where it is from, its words, and what became of them."""
        lines = [self._title(row), f"  {self.tokenizer.decode(self.batch.tokens[row])}"]
        for name, view in self.views.items():
            lines.append(f"  {name}")
            arrays = {"tokens": view.tokens, **view.extras}
            lines += [f"    {line}" for line in row_lines(arrays, row, self.tokenizer, self.answers, width - 4, ids)]
        return lines

    def _title(self, row: int) -> str:
        parts = [f"sample {row}", f"image {self.batch.image_ids[row]}", f"caption {self.batch.caption_ids[row]}"]
        for number, one in enumerate(self.augmented):
            said = ["crop " + " ".join(f"{side:.2f}" for side in one.boxes[row])] if one.boxes is not None else []
            said += ["mirrored"] if one.flips is not None and one.flips[row] else []
            parts += [f"view {number + 1}: {' '.join(said)}"] if said and len(self.augmented) > 1 else said
        return ", ".join(parts)


def look(bench: Workbench, step: int = 0, task: str = "", texts: bool = False) -> Look:
    """The batch of one step of a cell's pretraining (its pairs, or its `texts` alone), or of a task's fine-tune.

    Raises UserError where the cell trains nothing there, and for a step that there is not.
    """
    loader, stage, answers = _fine_tune(bench, task) if task else _pretraining(bench, texts)
    if not 0 <= step < loader.steps:
        raise UserError(f"there is no step {step}", "--step", f"give one from 0 to {loader.steps - 1}")
    host = loader.host(step)
    colours = _colours(host)
    augmented = () if colours is None else host.augmented  # of texts there is nothing to crop
    return Look(stage, step, loader.steps, host.views, colours, augmented, bench.tokenizer, answers)


def _pretraining(bench: Workbench, texts: bool) -> tuple[Loader, str, Sequence[str]]:
    if not bench.terms:
        raise UserError(
            f"row {bench.cell.row!r} pretrains nothing, so it sees no batch", "--row",
            "name a row with an objective, or a task: --task captioning",
        )
    loaders = pretraining_loader(bench).loaders
    meant = [loader for loader in loaders if loader.examples.has_image != texts]
    if texts and not meant:
        raise UserError(f"row {bench.cell.row!r} reads no texts alone", "--texts", "name a set of them: -S texts=NAME")
    return (meant or loaders)[0], "pretraining", ()


def _fine_tune(bench: Workbench, task: str) -> tuple[Loader, str, Sequence[str]]:
    trial, said = trial_of(bench, task), task_named(task)
    why = why_not(task, bench.blueprint.offers, bench.trains)
    if why or trial.name.protocol != "fine-tune":
        raise UserError(why or f"{task} has no fine-tune, so it sees no batch", "--task", f"name {trial.name.task}")
    readout = said.readout(trial, said.facts(trial))
    return readout_loader(said, readout, trial), f"fine-tune for {task}", readout.facts.get("answers", ())


def _colours(host: HostBatch) -> NDArray[np.uint8] | None:
    """B, H, H, 3: normalised pictures turned back into bytes."""
    seen = next(iter(host.to(torch.device("cpu")).get("pairs", {}).values()), None)
    if seen is None or seen.images is None:
        return None
    normalised = np.asarray(seen.images.permute(0, 2, 3, 1).contiguous())
    shares = normalised * np.array(host.image.std, np.float32) + np.array(host.image.mean, np.float32)
    pixels: NDArray[np.uint8] = np.clip(np.rint(shares * 255), 0, 255).astype(np.uint8)
    return pixels
