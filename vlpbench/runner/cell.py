"""One cell's life: pretrain, then for each task fine-tune, predict, score; then the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vlpbench import __version__
from vlpbench.config.identity import settings_to_plain
from vlpbench.config.sums import parse_sum
from vlpbench.device import Device
from vlpbench.files import write_json
from vlpbench.grid import Cell
from vlpbench.records import CellFolder
from vlpbench.registry import Registry
from vlpbench.runner.cause import cause_of
from vlpbench.runner.clock import SPEED, Clock
from vlpbench.runner.finetuning import fine_tune_of
from vlpbench.runner.hearing import Hearing, heard_as
from vlpbench.runner.overlaps import overlaps
from vlpbench.runner.pretraining import Pretrained, pretrain, stage_of
from vlpbench.runner.provenance import of_device
from vlpbench.runner.record import cost_of, curve_of, rows_of, scores_of
from vlpbench.runner.sharing import Sharing
from vlpbench.runner.stages import predict_of
from vlpbench.runner.stopping import Stopping, patiently
from vlpbench.runner.trials import trial_of
from vlpbench.runner.tuning import Tuned, tune
from vlpbench.runner.workbench import Workbench
from vlpbench.tasks.suite import Outcome, outcome_of, ready_for, why_not
from vlpbench.training.pace import PACE, Pace, Stopped

__all__ = ["Hands", "described", "folder_of", "run_cell"]


@dataclass(frozen=True)
class Hands:
    """What a cell is run with; nothing of it changes a number."""

    registry: Registry
    """The components."""
    device: Device
    """Where it computes."""
    pace: Pace = PACE
    """How it goes about its work."""
    hearing: Hearing | None = None
    """Told how far it is."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Versions, commit and command of the run, for the record."""
    bench: Workbench | None = None
    """That of another seed of the cell, whose splits are open already."""
    spent: Mapping[str, float] = field(default_factory=dict)
    """Seconds of the stages that this process has made for the cell together with other seeds'."""


def folder_of(cell: Cell, results: Path) -> CellFolder:
    """Where a cell's record is in a grid's results."""
    return CellFolder(results / "cells" / cell.folder)


def run_cell(cell: Cell, results: Path, hands: Hands) -> bool:
    """Run one cell and leave its record; an error becomes a record too. Returns whether it is done.

    Raises Stopped where the pace says so: there is no record then, and the next run goes on from the last checkpoint.
    """
    folder, clock = folder_of(cell, results), Clock(hands.device, hands.spent)
    folder.begin(described(cell, hands.registry))
    try:
        scores, curve, rows = _live(cell, folder, results, hands, clock)
        folder.finish(scores, curve, rows, _facts(clock, hands))
    except BaseException as error:  # a cell's fault is its own: the grid goes on
        if _was_asked(error, hands.pace.stop):
            raise
        folder.fail(*cause_of(error), _facts(clock, hands))
        return False
    return True


def _live(
    cell: Cell, folder: CellFolder, results: Path, hands: Hands, clock: Clock
) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, list[dict[str, Any]]]]:
    """All stages; gives what the record is made of: scores, curve, predictions."""
    sharing = Sharing(results, hands.pace.stop, _waits(hands.hearing))
    tuned = Tuned(cell)
    if cell.settings.tune.tries:
        with clock.timed("tune"), patiently(hands.pace.stop):
            tuned = tune(cell, sharing, hands.registry, hands.device, hands.hearing, hands.pace)
    if hands.bench is not None:
        bench = hands.bench.beside(tuned.cell)
    else:
        bench = Workbench(tuned.cell, hands.registry, hands.device, hands.pace)
    with clock.timed("pretrain"), patiently(hands.pace.stop):
        pretrained = pretrain(bench, sharing, heard_as(hands.hearing, "pretrain"))
    stage = stage_of(tuned.cell, results)
    if stage is not None:  # where `init.checkpoint` finds the weights of this cell
        write_json(folder.path / "pretraining.json", {"stage": stage.path.name})
        facts = stage.facts()
        clock.micro_batches["pretrain"] = facts.get("micro_batch", 0)
        clock.speeds["pretrain"] = {name: facts[name] for name in SPEED if name in facts}
    outcomes: dict[str, Outcome | str] = {}
    for task in cell.settings.tasks:
        reason = why_not(task, bench.blueprint.offers, bench.trains)
        if reason:
            outcomes[task] = reason
            continue
        with clock.timed(task):
            outcomes[task] = _asked(bench, task, pretrained, sharing, hands)
        clock.micro_batches[task] = fine_tune_of(tuned.cell, task, results).facts().get("micro_batch", 0)
    asked = [task for task, outcome in outcomes.items() if isinstance(outcome, Outcome)]
    names = {task: fine_tune_of(tuned.cell, task, results).path.name for task in asked}
    write_json(folder.path / "fine_tunes.json", names)  # where `export`, `ask` and `caption` find them
    rows = rows_of(outcomes)
    return _scores(cell, tuned, bench, pretrained, outcomes), curve_of(pretrained.told["curve"], outcomes), rows


def _asked(bench: Workbench, task: str, pretrained: Pretrained, sharing: Sharing, hands: Hands) -> Outcome:
    """Fine-tune, predict and score one task, each stage kept."""
    kept, answered = (of(bench.cell, task, sharing.results) for of in (fine_tune_of, predict_of))
    trial = trial_of(bench, task, pretrained, kept, heard_as(hands.hearing, task), answered=answered)
    with sharing.held(answered):
        with sharing.held(kept), patiently(hands.pace.stop):
            asked = ready_for(trial)
        if hands.hearing is not None:
            hands.hearing(f"{task}: predict", 0, 0, {})
        return outcome_of(trial, asked)


def _scores(
    cell: Cell, tuned: Tuned, bench: Workbench, pretrained: Pretrained, outcomes: Mapping[str, Outcome | str]
) -> dict[str, Any]:
    """The content of `scores.json`."""
    told = pretrained.told
    left_out = {**told.get("left_out", {}), **bench.left_out()}  # also what another cell's pretraining left out
    scores = scores_of(cell, outcomes) | {"cost": cost_of(told), "left_out": left_out, "overlap": overlaps(bench)}
    if tuned.told is not None:
        scores["tuned"] = tuned.told
    return scores | {key: told[key] for key in ("started", "cut_texts") if key in told}


def _facts(clock: Clock, hands: Hands) -> dict[str, Mapping[str, Any]]:
    """The contents of `timing.json` and `environment.json`."""
    return {"timing": clock.timing(), "environment": {**of_device(hands.device), **hands.provenance}}


def _waits(hearing: Hearing | None) -> Callable[[str], None]:
    return lambda said: hearing(said, 0, 0, {}) if hearing is not None else None


def described(cell: Cell, registry: Registry) -> dict[str, Any]:
    """What was asked: the content of `settings.json`."""
    names = [name for _, name in parse_sum(cell.settings.objective)]
    return {
        "grid": cell.grid,
        "row": cell.row,
        "seed": cell.seed,
        "id": cell.id,
        "settings": settings_to_plain(cell.settings),
        "versions": {**cell.versions, "vlpbench": __version__},
        "fingerprints": dict(cell.fingerprints),
        "published": dict(cell.published),
        "origins": {name: _origin(registry, name) for name in names},
        "code": dict(cell.code),
    }


def _origin(registry: Registry, name: str) -> dict[str, str]:
    origin = registry.origin("objective", name)
    return {key: getattr(origin, key) for key in ("distribution", "version", "file", "sha256")}


def _was_asked(error: BaseException, stop: Callable[[], bool]) -> bool:
    """Whether somebody asked for this end; a stranger's code may raise what only they should."""
    if isinstance(error, Stopped):
        return not isinstance(stop, Stopping) or stop()
    return isinstance(error, KeyboardInterrupt) and stop()
