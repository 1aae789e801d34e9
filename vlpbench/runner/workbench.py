"""All that one cell works with: its data sets, its tokenizer, its objectives and the plan of its backbone."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from vlpbench.backbones.sizes import SIZES
from vlpbench.config.known import backbone_parts
from vlpbench.config.settings import Protocol
from vlpbench.config.sums import names_of, parse_sum
from vlpbench.config.typed import make
from vlpbench.contract.abilities import Visible
from vlpbench.contract.dataset import Dataset
from vlpbench.contract.objective import Objective
from vlpbench.contract.sealed import sealed, sealed_for
from vlpbench.data.errors import DataError
from vlpbench.data.examples import further_texts
from vlpbench.data.folders import cache_folder, data_root
from vlpbench.data.splits import Split, open_split
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.device import Device
from vlpbench.files import digest
from vlpbench.grid import Cell, open_source
from vlpbench.parts.init import seeded
from vlpbench.registry import Registry
from vlpbench.streams import seed_of
from vlpbench.tasks.suite import task_named
from vlpbench.training.build import Blueprint
from vlpbench.training.initial import initial_tokenizer
from vlpbench.training.pace import PACE, Pace
from vlpbench.types import Spec

__all__ = ["Purpose", "TermPlan", "Workbench", "opened_here"]

Purpose = Literal["train", "select", "evaluate"]


@dataclass(frozen=True)
class TermPlan:
    """One objective of the sum, not yet built."""

    weight: float
    """What its mean loss is multiplied by."""
    objective: type[Objective]
    """The class."""
    config: Any
    """Its settings."""

    def build(self, spec: Spec, seed: int) -> Objective:
        """The objective; what its constructor draws depends on the seed and its name alone."""
        with seeded(seed_of(seed, f"init/objective/{self.objective.name}")):
            return self.objective(self.config, spec)


def opened_here(cls: type[Dataset], config: Any) -> Dataset:
    """A data set in this machine's data and cache folders."""
    return cls(config, data_root(), cache_folder())


class Workbench:
    """What a cell's stages take from. Splits and the tokenizer are opened when first asked for, and once."""

    def __init__(
        self, cell: Cell, registry: Registry, device: Device, pace: Pace = PACE, tokenizer: Tokenizer | None = None
    ) -> None:
        self.cell, self.settings, self.registry = cell, cell.settings, registry
        self.device, self.pace = device, pace
        self._given = tokenizer
        self._splits: dict[tuple[str, str, str, bool, int], Split] = {}

    def beside(self, cell: Cell) -> Workbench:
        """That of a cell which differs by its seed alone: it reads the same splits and the same words."""
        other = Workbench(cell, self.registry, self.device, self.pace, self.tokenizer)
        other._splits = self._splits
        return other

    def dataset(self, name: str) -> Dataset:
        """The data set called `name` in the cell's settings."""
        return open_source(self.settings.sources[name], self.registry, opened_here)

    def prepare(self, data: str, heard: Callable[[int, int], None] | None = None) -> None:
        """Write a world where it is one, and build the image stores of the splits that a cell opens."""
        self.dataset(data).prepare(heard)
        for size in self.sizes_of(data):
            self.split(data, "train", "train", heard=heard, size=size)
            if data in self.tested_data:
                self.split(data, self.settings.split, "evaluate", heard=heard, size=size)

    @property
    def pretraining_data(self) -> tuple[str, ...]:
        """The data sets that pretraining reads, of pairs and of texts."""
        said = (self.settings.data, self.settings.texts)
        return tuple(dict.fromkeys(name for one in said for name in names_of(one, "data set")))

    @property
    def tested_data(self) -> frozenset[str]:
        """The data sets that tasks are learnt and tested on."""
        return frozenset(protocol.data for protocol in self.settings.protocol.values())

    def size_of(self, task: str) -> int:
        """Pixels a side at which a task's fine-tune and evaluation see pictures."""
        return self.settings.protocol.get(task, Protocol()).size or self.settings.image.size

    def sizes_of(self, data: str) -> list[int]:
        """Pixels a side at which a data set is seen: as pretraining sees it, and as its tasks do."""
        tested = {self.size_of(task) for task, protocol in self.settings.protocol.items() if protocol.data == data}
        return sorted({self.settings.image.size} | tested)

    def split(
        self, data: str, name: str, purpose: Purpose, blind: bool = False,
        heard: Callable[[int, int], None] | None = None, size: int = 0,
    ) -> Split:
        """A split of a data set, its pictures to be seen at `size` pixels a side, 0 for `image.size`.

        Which purposes may open which is decided where splits are opened.
        """
        pixels = self.stored_for(size or self.settings.image.size)
        key = (data, name, purpose, blind, pixels)  # the purpose too: what one may open, another may not
        if key not in self._splits:
            doing = sealed_for() or {"train": "training", "select": "selection"}.get(purpose, "")
            with sealed(doing) if doing else contextlib.nullcontext():  # it is kept: opened once, for all to learn from
                self._splits[key] = open_split(
                    self.dataset(data), name, purpose=purpose, size=pixels,
                    on_bad=self.settings.on_bad_sample, blind=blind, heard=heard,
                )
        return self._splits[key]

    @property
    def stored(self) -> int:
        """Pixels a side in the image store of what pretraining sees."""
        return self.stored_for(self.settings.image.size)

    def stored_for(self, size: int) -> int:
        """Pixels a side in the image store: a seventh more than is seen where training crops."""
        return size if self.settings.image.crop >= 1 else round(size * 8 / 7)

    def left_out(self) -> dict[str, dict[str, Any]]:
        """Samples that were left out of the splits opened so far: how many, and the first few."""
        found = {f"{key[0]}/{key[1]}": self._splits[key].problems for key in sorted(self._splits)}
        return {
            where: {"count": len(problems), "first": [f"{one.where}: {one.what}" for one in problems[:5]]}
            for where, problems in found.items()
            if problems
        }

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The one given, or what initial weights were learnt with; else trained on training splits and cached."""
        if self._given is not None:
            return self._given
        if (given := initial_tokenizer(self.settings.init)) is not None:
            return given
        prints = {name: self.cell.fingerprints[name] for name in self._spoken}
        decided_by = {"data": prints, "text": self._text_key, "version": 1}
        path: Path = cache_folder() / "tokenizers" / f"{digest(decided_by)[:16]}.json"
        if path.is_file():
            with contextlib.suppress(DataError):  # damaged, or of an earlier version: made again
                return Tokenizer.load(path)
        made = Tokenizer.train(self._training_texts(), self.settings.text)
        made.save(path)
        return made

    @property
    def _spoken(self) -> list[str]:
        """The data sets whose training texts the tokenizer is trained on."""
        said = self.settings.text.trained_on
        return sorted(names_of(said, "data set") if said else self.settings.sources)

    @property
    def _text_key(self) -> list[Any]:
        text = self.settings.text
        key = [text.vocabulary, text.lowercase, self.settings.on_bad_sample, self.stored]
        return [*key, {"rewrites": sorted(self._rewritten)}] if self._rewritten else key

    @property
    def _rewritten(self) -> frozenset[str]:
        """The data sets whose rewrites are drawn, so that the tokenizer is trained on them; where `text.trained_on`
        names what it is trained on, rows share it whichever of them draws rewrites.
        """
        text = self.settings.text
        drawn = text.rewrites and not text.trained_on
        return frozenset(names_of(self.settings.data, "data set")) if drawn else frozenset()

    def _training_texts(self) -> Iterator[str]:
        for data in self._spoken:
            with sealed("the tokenizer"):
                split = self.split(data, "train", "train")
            for sample in split.samples:
                yield from sample.captions
                if sample.captions and data in self._rewritten:
                    yield from further_texts(sample, "rewrites", split)
                yield from (question.text for question in sample.questions)

    @cached_property
    def terms(self) -> list[TermPlan]:
        """The objectives of the sum with their weights and settings; none for "none"."""
        plans = []
        for weight, name in parse_sum(self.settings.objective):
            objective = self.registry.objective(name)
            config = make(objective.config_class, self.settings.objectives.get(name, {}))
            plans.append(TermPlan(weight, objective, config))
        return [plan for plan in plans if plan.objective.uses]

    @property
    def needs(self) -> frozenset[str]:
        """The abilities that pretraining asks for."""
        return frozenset().union(*(plan.objective.needs_with(plan.config) for plan in self.terms))

    @property
    def tasks_need(self) -> frozenset[str]:
        """The abilities that the cell's tasks ask for, as far as its trunk offers them."""
        offers = self.blueprint.offers
        return frozenset().union(*(task_named(task).needs(offers) & offers for task in self.settings.tasks))

    @property
    def trains(self) -> frozenset[str]:
        """What zero-shot evaluation may rely on."""
        return frozenset().union(*(plan.objective.trains for plan in self.terms))

    @property
    def visible(self) -> Visible:
        """Who saw whom in a context while words were learnt; where objectives differ, the most that any saw."""
        found = {plan.objective.visible_with(plan.config) for plan in self.terms if "decode" in plan.objective.trains}
        widest: tuple[Visible, ...] = ("all", "causal-text", "causal")
        return next((one for one in widest if one in found), "all")

    @cached_property
    def blueprint(self) -> Blueprint:
        """How to build the cell's backbone as it is pretrained."""
        stem, trunk, size = backbone_parts(self.settings.backbone)
        return Blueprint(
            stem=self.registry.stem(stem),
            argument=stem.partition(":")[2],
            trunk=self.registry.trunk(trunk),
            size=SIZES[size],
            pixels=self.settings.image.size,
            vocabulary=self.tokenizer.vocabulary,
            length=self.settings.text.length,
            seed=self.settings.seed,
            config=make(self.registry.trunk(trunk).config_class, self.settings.wiring),
        )
