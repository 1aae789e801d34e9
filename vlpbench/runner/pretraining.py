"""The first stage of a cell: pretrain, or take what another cell with the same pretraining has left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from vlpbench.config.identity import settings_to_plain
from vlpbench.config.settings import Init
from vlpbench.contract.sealed import sealed
from vlpbench.errors import UserError
from vlpbench.files import digest
from vlpbench.grid import Cell
from vlpbench.records import StageFolder
from vlpbench.runner.batches import pretraining_loader
from vlpbench.runner.rate import Rate
from vlpbench.runner.sharing import Sharing
from vlpbench.runner.validation import Validation
from vlpbench.runner.workbench import Workbench
from vlpbench.training.checkpoint import Origin, read_weights, save_weights
from vlpbench.training.cost import parameters
from vlpbench.training.course import Course, Training
from vlpbench.training.going import Lesson
from vlpbench.training.initial import start_from
from vlpbench.training.learner import Learner, Term
from vlpbench.training.loop import Heard, train_lesson

__all__ = ["DECIDING", "Pretrained", "learner_of", "learning_code", "learning_versions", "leave", "left_by",
           "lesson_of", "origin_of", "pretrain", "stage_of", "weights_under"]

DECIDING = (
    "objective", "backbone", "data", "texts", "seed", "budget", "optim", "image", "text", "objectives", "wiring",
    "on_bad_sample",
)
"""The settings that decide a pretraining; tasks, protocols and blindness do not. Of `init` its files' contents do."""


@dataclass(frozen=True)
class Pretrained:
    """What pretraining left."""

    weights: dict[str, Tensor]
    """The backbone's, by name; empty for the row without pretraining."""
    heads: dict[str, Tensor]
    """Those of the objectives' own heads, each under the objective's name and a dot."""
    told: Mapping[str, Any]
    """curve, flops, samples, targets, parameters, image_tokens, left_out."""


def stage_of(cell: Cell, results: Path) -> StageFolder | None:
    """Where the cell's pretraining is kept; None where it trains nothing.

    The tokenizer is trained on all data sets of the cell, so all their fingerprints decide it.
    """
    if cell.settings.objective == "none":
        return None
    plain = settings_to_plain(cell.settings)
    decided_by = {
        "settings": {name: plain[name] for name in DECIDING},
        "versions": learning_versions(cell),
        "data": dict(cell.fingerprints),
    }
    return StageFolder.of(results, "pretrain", decided_by, learning_code(cell, "tasks", "metrics"))


def learning_code(cell: Cell, *beside: str) -> dict[str, str]:
    """The code that decides what is learnt: all but our rooms `beside` that."""
    return {name: code for name, code in cell.code.items() if name not in {f"vlpbench/{room}" for room in beside}}


def learning_versions(cell: Cell) -> dict[str, int]:
    """The versions that decide what is learnt: all but that of the metrics."""
    return {name: version for name, version in cell.versions.items() if name != "metrics"}


def pretrain(bench: Workbench, sharing: Sharing, heard: Heard | None = None) -> Pretrained:
    """Run the stage, or read what it left; the result is the same."""
    stage = stage_of(bench.cell, sharing.results)
    with sharing.held(stage):
        if stage is not None and stage.told() is None:
            lesson = lesson_of(bench, stage, heard)
            with sealed("pretraining"):
                told = train_lesson(lesson, bench.device)
            leave(bench, stage, lesson, told)
    return left_by(stage, bench)


def left_by(stage: StageFolder | None, bench: Workbench) -> Pretrained:
    """What a pretraining left; None is that of the row that has none. A stage that was not run is a UserError."""
    weights, started = _initial(bench)
    if stage is None:
        nothing = {"curve": [], "flops": 0, "samples": 0, "targets": 0, "left_out": {}}
        return Pretrained(weights, {}, _facts(bench) | nothing | started)
    told = stage.told()
    if told is None:
        raise UserError("the pretraining of this cell is not there, or damaged", str(stage.path), "run the grid again")
    found = read_weights(stage.weights)
    return Pretrained(weights | weights_under(found, "backbone."), weights_under(found, "terms."), told)


def weights_under(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The weights whose names begin so, without it."""
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


def _initial(bench: Workbench) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The weights that `init` gives to a backbone with every ability of its trunk, and what to tell of them."""
    if bench.settings.init == Init():
        return {}, {}
    backbone = bench.blueprint.build(bench.blueprint.offers)
    started = start_from(backbone, bench.settings.init, bench.tokenizer.digest)
    there = backbone.state_dict()
    return {name: there[name] for name in started.loaded}, {"started": started.told()}


def lesson_of(bench: Workbench, stage: StageFolder, heard: Heard | None = None) -> Lesson:
    """A pretraining that is about to begin, with checkpoints in its stage."""
    loader = pretraining_loader(bench)
    with sealed("pretraining"):  # from the constructors on: a stem and an objective may be a stranger's
        learner = learner_of(bench)
    budget, watch = bench.settings.budget, Validation(bench, learner, loader.steps)
    mark = digest(dict(stage.made_by))
    joined = partial(bench.pace.joined, "pretrain", bench.settings)
    pace = replace(bench.pace, stop=Rate(bench.pace.stop))
    course = Course(heard, watch, budget.micro_batch, stage.checkpoint, pace, mark=mark, joined=joined)
    return Lesson(learner, loader, bench.settings.optim, course)


def leave(bench: Workbench, stage: StageFolder, lesson: Lesson, told: Training) -> None:
    """Keep what a pretraining has learnt, and close its stage."""
    stage.note({"micro_batch": told.micro_batch, **_speed(bench, lesson, told)})
    save_weights(lesson.learner, stage.weights, origin_of(bench))
    bench.tokenizer.save(stage.path / "tokenizer.json")  # so that the weights can be taken along
    read = [f"{name}/train" for name in bench.pretraining_data]
    drawn = [loader.examples for loader in lesson.loader.loaders]  # type: ignore[attr-defined]
    stage.close(_facts(bench) | {
        "curve": [{"stage": "pretrain", **row} for row in told.curve],
        "flops": told.flops,
        "samples": told.samples,
        **_pictures(bench, lesson),
        "targets": told.targets,
        "cut_texts": {
            "cut": sum(one.cut for one in drawn),
            "of": sum(len(one.tokens) for one in drawn),
            "length": bench.settings.text.length,
        },
        "left_out": {where: said for where, said in bench.left_out().items() if where in read},
    } | _initial(bench)[1])


def _speed(bench: Workbench, lesson: Lesson, told: Training) -> dict[str, Any]:
    """How fast it was here and now: facts of the machine, as the micro-batch is."""
    rate = lesson.course.pace.stop
    pairs = 0 if bench.settings.data == "none" else bench.settings.budget.batch
    found = rate.told(pairs, told.flops / lesson.loader.steps) if isinstance(rate, Rate) else {}
    return {**found, "peak_bytes": bench.device.peak_bytes()} if found else {}


def _pictures(bench: Workbench, lesson: Lesson) -> dict[str, int]:
    """How many pictures were seen, where several captions share one; elsewhere each pair has its own."""
    settings, steps = bench.settings, lesson.loader.steps
    if settings.budget.captions == 1 or settings.data == "none":
        return {}
    return {"images": steps * settings.budget.batch // settings.budget.captions}


def learner_of(bench: Workbench) -> Learner:
    """The backbone with the abilities that the objectives ask for, and the objectives."""
    backbone, seed = bench.blueprint.build(bench.needs), bench.settings.seed
    start_from(backbone, bench.settings.init, bench.tokenizer.digest)
    terms = [Term(plan.weight, plan.build(backbone.spec, seed)) for plan in bench.terms]
    return Learner(backbone, terms).to(bench.device.torch)


def origin_of(bench: Workbench) -> Origin:
    """What weights of this cell are trained with, as it is written beside them."""
    settings = bench.settings
    return Origin(settings.backbone, bench.blueprint.spec.grid, settings.text.length, bench.tokenizer.digest)


def _facts(bench: Workbench) -> dict[str, Any]:
    """Size of the backbone as it is pretrained; where it is not, as its tasks ask for it."""
    backbone = bench.blueprint.build(bench.needs or bench.tasks_need)
    rows, columns = backbone.spec.grid
    return {"parameters": parameters(backbone), "image_tokens": rows * columns}
