"""The main job: what is done is left alone, what cannot be run is said, the rest is run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vlpbench.contract.launcher import Job, Place
from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.files import as_json, write_json
from vlpbench.grid import Cell
from vlpbench.records import SCHEMA, Claims, StageFolder
from vlpbench.registry import Registry
from vlpbench.runner.added_metrics import lacking, measure_lacking
from vlpbench.runner.cell import folder_of
from vlpbench.runner.code_change import changed
from vlpbench.runner.events import Event
from vlpbench.runner.folding import Group, groups
from vlpbench.runner.launchers.printing import Call, command_of, makers_first
from vlpbench.runner.overlaps import overlaps
from vlpbench.runner.packing import packed
from vlpbench.runner.plan import Plan
from vlpbench.runner.rules import Rules
from vlpbench.runner.scheduler import Scheduler
from vlpbench.runner.sharing import CLAIMS
from vlpbench.runner.stages import stages_of
from vlpbench.runner.workbench import Workbench
from vlpbench.runner.worker import Order, claim_name

__all__ = ["begin", "hand_over", "place_of", "prepare", "run_grid"]

Heard = Callable[[Event], None]


def run_grid(
    plan: Plan, registry: Registry, rules: Rules, call: Call, provenance: Mapping[str, Any], heard: Heard
) -> None:
    """Run what is to be run; each cell's end is heard, and stands in its record.

    `call` is what a person typed, `provenance` what records say of it. Data is prepared before the first cell starts.
    Raises KeyboardInterrupt where somebody asked to stop.
    """
    device = Device.choose(rules.device)
    begin(plan, heard)
    _measure_added(plan, registry, heard)
    waiting = plan.chosen("run")
    if waiting:
        launcher = registry.launcher(rules.launcher)(place_of(device, rules))
        launcher.warm_up()
        prepare(waiting, registry, device, heard)
        found = groups(waiting, plan.results, registry, rules, launcher.place)
        place, found, _ = packed(found, launcher.place, registry, rules, heard)
        if place != launcher.place:
            launcher = type(launcher)(place)

        def job_of(cells: Sequence[Cell]) -> Job:
            plugins = tuple(registry.files), tuple(registry.blocked)
            order = Order(tuple(cells), plan.results, *plugins, device.kind, rules.pace, provenance)
            return _job(cells, plan, rules, call, order)

        tell = _telling(plan, registry, heard)
        Scheduler(plan.results, registry, launcher, rules, job_of, tell).run(found)


def hand_over(plan: Plan, registry: Registry, rules: Rules, call: Call) -> None:
    """Give each group that is to be run to a launcher that runs nothing; those that make shared stages first."""
    launcher = registry.launcher(rules.launcher)(place_of(Device.choose(rules.device), rules))

    def shared(group: Group) -> list[StageFolder]:
        stages = [one for cell in group.cells for one in stages_of(cell, plan.results, registry)]
        return [one.folder for one in stages if one.label in ("tune", "pretrain") and not one.folder.closed]

    for group in makers_first(groups(plan.chosen("run"), plan.results, registry, rules, launcher.place), shared):
        launcher.start(_job(group.cells, plan, rules, call), 0)
    launcher.close()


def _job(cells: Sequence[Cell], plan: Plan, rules: Rules, call: Call, order: Order | None = None) -> Job:
    """What a launcher is to start. The log is the first cell's; those of the others say so, where it is run here."""
    first, *others = (folder_of(cell, plan.results).path / "log.txt" for cell in cells)
    for log in others if order is not None else ():
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as file:
            file.write(f"trains together with other seeds; what their process says stands in {_beside(first)}\n")
    return Job(cells[0].id, command_of(cells, call), first, order, seconds=rules.seconds * len(cells))


def _beside(log: Path) -> str:
    """A cell's log as it is found from another cell's folder."""
    return f"../{log.parent.name}/{log.name}"


def begin(plan: Plan, heard: Heard) -> None:
    """Write down what the grid is, say what is not run, and forget what is to run again."""
    described, file = _described(plan), plan.results / "grid.json"
    try:
        if not (file.is_file() and file.read_bytes() == as_json(described).encode()):
            write_json(file, described)
    except OSError as wrong:
        raise UserError(f"results cannot be written: {wrong.strerror or wrong}", str(plan.results),
                        "name a folder that you may write to, with room: --results DIR") from wrong
    for warning in plan.warnings:
        heard(Event("warning", "", warning))
    for cell in plan.chosen("skip"):
        heard(Event("skipped", cell.id, cell.reason or ""))
    for cell in plan.chosen("done"):
        heard(Event("reused", cell.id))
    claims = Claims(plan.results / CLAIMS)
    for cell in plan.chosen("run"):
        folder = folder_of(cell, plan.results)
        if folder.state() != "pending" and (claim := claims.take(claim_name(cell))):
            with claim:
                if folder.state() == "damaged" or folder.status() == plan.before.get(cell.id):
                    folder.forget()  # failed, damaged or outdated, and not made again by another run meanwhile
    for stage in plan.outdated:
        if claim := claims.take(stage.path.name):
            with claim:
                if changed(stage.code(), stage.made_by):
                    stage.forget()


def _measure_added(plan: Plan, registry: Registry, heard: Heard) -> None:
    """Extra metrics that the grid names and finished cells lack: measured from their stored predictions."""
    every = [(cell, names) for cell in plan.chosen("done") if (names := lacking(cell, plan.results))]
    said = ", ".join(dict.fromkeys(name for _, names in every for some in names.values() for name in some))
    behind = [one for one in every if not folder_of(one[0], plan.results).is_compact]
    if unread := len(every) - len(behind):
        where = "1 finished cell" if unread == 1 else f"{unread} finished cells"
        heard(Event("warning", "", f"{said}: not measured of {where}, as compact records keep no predictions"))
    for at, (cell, _) in enumerate(behind, 1):
        heard(Event("preparing", "", f"{said} of finished cells", at, len(behind)))
        measure_lacking(cell, plan.results, registry)


def place_of(device: Device, rules: Rules) -> Place:
    """The slots of this machine: one a core on a CPU, `each` on every visible GPU; never more than `jobs`, if given.

    Few jobs are spread over the GPUs, the same number on each.
    """
    if device.kind == "cpu":
        return Place("cpu", rules.jobs or device.cores())
    devices, each = device.visible()[: rules.jobs or None], rules.each or 1
    each = min(each, rules.jobs // max(1, len(devices))) if rules.jobs else each
    return Place("cuda", rules.jobs, devices, each)


def _telling(plan: Plan, registry: Registry, heard: Heard) -> Heard:
    """Also tell plugins that observe (`cell_finished`) of each end, with the cell's record."""

    def tell(event: Event) -> None:
        heard(event)
        if event.what in ("done", "failed", "timeout"):
            cell = next(cell for cell in plan.cells if cell.id == event.cell)
            folder = folder_of(cell, plan.results)
            if folder.state() == "pending":  # its record could not be written
                return
            record = {"settings": folder.read("settings.json"), "status": folder.status(), "folder": str(folder.path)}
            if event.what == "done":
                record["scores"] = folder.read("scores.json")
            registry.tell(record, lambda said: heard(Event("warning", "", said)))

    return tell


def prepare(waiting: Sequence[Cell], registry: Registry, device: Device, heard: Heard) -> None:
    """Write worlds, build image stores and tokenizers once, so that no cell waits for another's.

    What fails for some cells is left to them, to be their record; what fails for all is raised.
    """
    failed: list[Exception] = []
    seen: set[str] = set()
    for cell in waiting:
        bench = Workbench(cell, registry, device)
        sizes = sorted((name, bench.sizes_of(name)) for name in cell.settings.sources)
        key = repr((sorted(cell.fingerprints.items()), sizes, cell.settings.image, cell.settings.text,
                    cell.settings.split))
        if key in seen:
            continue
        seen.add(key)
        try:
            _prepare(bench, heard)
        except Exception as wrong:  # noqa: BLE001 (a stranger's data set; its cells say it again)
            failed.append(wrong)
    if failed and len(failed) == len(seen):
        raise failed[0]


def _prepare(bench: Workbench, heard: Heard) -> None:
    for name in bench.cell.settings.sources:
        heard(Event("preparing", "", f"data set {name}"))
        bench.prepare(name, lambda done, of, name=name: heard(  # type: ignore[misc]
            Event("preparing", "", f"data set {name}", done, of)
        ))
    heard(Event("preparing", "", f"tokenizer: {bench.tokenizer.vocabulary.size} ids"))
    heard(Event("preparing", "", "pictures that are both learnt from and tested on"))
    overlaps(bench)


def _described(plan: Plan) -> dict[str, object]:
    """What a table needs to know of the grid: the order of its rows and tasks, and what could not be run."""
    return {
        "schema": SCHEMA,
        "name": plan.grid.name,
        "description": plan.grid.description,
        "rows": list(dict.fromkeys(cell.row for cell in plan.cells)),
        "tasks": list(dict.fromkeys(task for cell in plan.cells for task in cell.settings.tasks)),
        "beside": list(plan.grid.beside),
        "reference": plan.grid.reference,
        "published": {cell.row: dict(cell.published) for cell in plan.cells if cell.published},
        "cells": {cell.id: {"row": cell.row, "seed": cell.seed, "reason": cell.reason} for cell in plan.cells},
    }
