"""The main job: what is done is left alone, what cannot be run is said, the rest is run."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vlpbench.config.gridfile import GridFile
from vlpbench.device import Device
from vlpbench.files import write_json
from vlpbench.grid import Cell, cells
from vlpbench.records import SCHEMA
from vlpbench.registry import Registry
from vlpbench.runner.cell import folder_of
from vlpbench.runner.events import Event
from vlpbench.runner.overlaps import overlaps
from vlpbench.runner.scheduler import Slots, run_cells, warm_up
from vlpbench.runner.workbench import Workbench, opened_here
from vlpbench.training.pace import PACE, Pace

__all__ = ["Fate", "Plan", "plan_grid", "prepare", "run_grid"]

Fate = Literal["run", "done", "failed", "skip"]


@dataclass(frozen=True)
class Plan:
    """What a run would do."""

    grid: GridFile
    """The grid."""
    results: Path
    """The grid's own folder under the results."""
    cells: Sequence[Cell]
    """All of its cells."""
    fates: Mapping[str, Fate]
    """Cell id -> run it; done already; failed before (and not asked to retry); cannot be run."""

    def chosen(self, what: Fate) -> list[Cell]:
        """The cells of one kind."""
        return [cell for cell in self.cells if self.fates[cell.id] == what]


def plan_grid(grid: GridFile, registry: Registry, results: Path, retry_failed: bool = False) -> Plan:
    """Look at the grid's cells and at what earlier runs have left. A damaged record counts as not there."""
    found = cells(grid, registry, opened_here)
    folder = results / grid.name
    fates: dict[str, Fate] = {}
    for cell in found:
        state = folder_of(cell, folder).state()
        if cell.reason is not None:
            fates[cell.id] = "skip"
        elif state == "failed" and not retry_failed:
            fates[cell.id] = "failed"
        else:
            fates[cell.id] = "done" if state == "done" else "run"
    return Plan(grid, folder, found, fates)


def run_grid(
    plan: Plan, registry: Registry, device: str = "auto", jobs: int = 0, pace: Pace = PACE,
    heard: Callable[[Event], None] = lambda event: None,
) -> Counter[str]:
    """Run what is to be run, and count how all cells ended: "done", "failed", "skip".

    `jobs` 0: one cell a core on a CPU, one on a GPU; `pace` is how each goes about its work. Neither
    changes a number. Data is prepared before the first cell starts.
    """
    place = Device.choose(device)
    write_json(plan.results / "grid.json", _described(plan))
    waiting = plan.chosen("run")
    for cell in plan.chosen("skip"):
        heard(Event("skipped", cell.id, cell.reason or ""))
    for cell in plan.chosen("done"):
        heard(Event("reused", cell.id))
    if waiting:
        warm_up()
        prepare(waiting, registry, place, heard)
        tell = _telling(plan, registry, heard)
        run_cells(waiting, plan.results, registry, Slots(place.kind, jobs or _jobs(place), pace), tell)
    states = [folder_of(cell, plan.results).status().get("state", "failed") for cell in plan.cells if not cell.reason]
    return Counter({"skip": len(plan.chosen("skip"))}) + Counter(states)


def _telling(plan: Plan, registry: Registry, heard: Callable[[Event], None]) -> Callable[[Event], None]:
    """Also tell plugins that observe (`cell_finished`) of each end, with the cell's record."""

    def tell(event: Event) -> None:
        heard(event)
        if event.what in ("done", "failed"):
            cell = next(cell for cell in plan.cells if cell.id == event.cell)
            folder = folder_of(cell, plan.results)
            record = {"settings": folder.read("settings.json"), "status": folder.status(), "folder": str(folder.path)}
            if event.what == "done":
                record["scores"] = folder.read("scores.json")
            registry.tell(record, lambda said: heard(Event("warning", "", said)))

    return tell


def prepare(waiting: Sequence[Cell], registry: Registry, device: Device, heard: Callable[[Event], None]) -> None:
    """Write worlds, build image stores and tokenizers once, so that no cell waits for another's."""
    seen: set[str] = set()
    for cell in waiting:
        bench = Workbench(cell, registry, device)
        key = repr((sorted(cell.fingerprints.items()), cell.settings.image, cell.settings.text, cell.settings.split))
        if key in seen:
            continue
        seen.add(key)
        for name in cell.settings.sources:
            heard(Event("preparing", "", f"data set {name}"))
            bench.prepare(name, lambda done, of, name=name: heard(  # type: ignore[misc]
                Event("preparing", "", f"data set {name}", done, of)
            ))
        heard(Event("preparing", "", f"tokenizer: {bench.tokenizer.vocabulary.size} ids"))
        heard(Event("preparing", "", "pictures that are both learnt from and tested on"))
        overlaps(bench)


def _jobs(device: Device) -> int:
    if device.kind == "cuda":
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _described(plan: Plan) -> dict[str, object]:
    """What a table needs to know of the grid: the order of its rows and tasks, and what could not be run."""
    return {
        "schema": SCHEMA,
        "name": plan.grid.name,
        "description": plan.grid.description,
        "rows": list(dict.fromkeys(cell.row for cell in plan.cells)),
        "tasks": list(dict.fromkeys(task for cell in plan.cells for task in cell.settings.tasks)),
        "beside": list(plan.grid.beside),
        "published": {cell.row: dict(cell.published) for cell in plan.cells if cell.published},
        "cells": {cell.id: {"row": cell.row, "seed": cell.seed, "reason": cell.reason} for cell in plan.cells},
    }
