"""A check that runs a cell on somebody's data set: pretrained on it, and tested where it can be."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from vlpbench.contract.dataset import BadSample, Dataset
from vlpbench.data.labels import LABEL
from vlpbench.files import digest
from vlpbench.testing.findings import CheckFailed
from vlpbench.testing.smoke import BATCH, run_short_grid, settings_of
from vlpbench.types import Sample

__all__ = ["check_dataset_smoke_grid"]

_SAMPLES = 24
"""Of each split: a cell on all of a large set would take hours."""

_STEPS = 3


def check_dataset_smoke_grid(dataset: Dataset) -> str:
    """A grid of one cell on the first samples of each split, and each task it serves, ends in a record; tells them."""
    given = list(islice(dataset.read("train"), _SAMPLES)) if "train" in dataset.splits() else []
    first = [one for one in given if isinstance(one, Sample)]
    if not first:
        raise CheckFailed("there is no sample to train on", 'a data set has a split "train"')
    name = dataset.name
    pictures = bool(first[0].image)
    split = next((one for one in ("test", "val") if one in dataset.splits()), "")
    tasks = _tasks(first) if pictures and split else []
    described = any(sample.captions for sample in first)
    said: dict[str, Any] = {
        "objective": "prefix-lm" if described else "none", "image.size": 16, "budget.batch": BATCH,
        "budget.samples": _STEPS * BATCH, "budget.texts": BATCH, "tasks": tasks or ["retrieval@zero-shot"],
        "on_bad_sample": "error" if first == given else "skip", **settings_of("data", name, dataset.config),
    }
    if pictures:
        said |= {"data": name, "split": split or "test"}
    else:
        said |= {"data": "shapes", "texts": name, "tasks": ["captioning"]}
    if pictures and not tasks:
        said |= {"protocol.retrieval.data": "shapes", "tasks": ["retrieval"]}
    folders = {"VLPBENCH_DATA": dataset.root, "VLPBENCH_CACHE": dataset.cache}
    return run_short_grid({"data set": _short(type(dataset))}, said, folders)


def _tasks(samples: list[Sample]) -> list[str]:
    """The tasks that these samples can be learnt for and tested on."""
    answered = any(question.answers and not question.choices for sample in samples for question in sample.questions)
    tasks = ["vqa"] if answered else []
    tasks += ["captioning", "retrieval"] if any(sample.captions for sample in samples) else []
    return [*tasks, "classification@probe"] if all(LABEL in sample.fields for sample in samples) else tasks


def _short(cls: type[Dataset]) -> type[Dataset]:
    """The same kind of set, of which a few samples are read."""

    def read(self: Dataset, split: str) -> Iterator[Sample | BadSample]:
        return islice(cls.read(self, split), _SAMPLES)

    def fingerprint(self: Dataset) -> str:
        return digest({"name": cls.name, "config": repr(self.config)})

    body = {"read": read, "fingerprint": fingerprint, "__module__": cls.__module__, "__doc__": cls.__doc__}
    return type(cls.__name__, (cls,), body)
