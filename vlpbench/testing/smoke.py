"""A short real grid: one cell with somebody's component in it, from the grid file to its record."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from vlpbench.config.reader import read_grid
from vlpbench.config.typed import plain
from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.grid import Cell
from vlpbench.records import CellFolder
from vlpbench.registry import Component, Origin, Registry, load_registry
from vlpbench.registry.code import code_of_class
from vlpbench.runner.cell import folder_of
from vlpbench.runner.grid_run import begin, prepare
from vlpbench.runner.here import run_here
from vlpbench.runner.plan import plan_grid
from vlpbench.runner.rules import Rules
from vlpbench.testing.findings import CheckFailed
from vlpbench.testing.places import place_in

__all__ = ["ABILITY_TASKS", "BATCH", "run_short_grid", "settings_of"]

BATCH = 8
"""Samples of a step; a grid has ten steps."""

ABILITY_TASKS = ("vqa", "captioning", "retrieval", "retrieval@zero-shot")
"""Every kind of readout, and a zero-shot one; what a cell cannot have is a sentence in its record."""

_GRID = """
schema = 1
name = "smoke"
floors = false
[base]
objective = "prefix-lm"
backbone = "linear/encoder-decoder/nano"
data = "shapes"
[image]
size = 16
[text]
vocabulary = 300
length = 12
[protocol.vqa]
samples = 8
batch = 8
answers = 10
[protocol.captioning]
samples = 8
batch = 8
metrics = ["CIDEr"]
[protocol.retrieval]
samples = 8
batch = 8
shortlist = 4
[protocol.classification]
samples = 8
batch = 8
[data.shapes]
size = 32
train = 24
val = 8
test = 8
questions = 1
[data.shapes-texts]
train = 24
val = 8
"""

_PRIMARY = {"vqa": "accuracy", "captioning": "CIDEr", "retrieval": "rsum", "classification": "accuracy"}


def run_short_grid(
    components: Mapping[str, type], said: Mapping[str, Any], folders: Mapping[str, Path] | None = None
) -> str:
    """Run one cell with these classes by kind, and these settings; gives its scores in a sentence.

    `folders` are those of VLPBENCH_DATA and VLPBENCH_CACHE where they are not temporary ones. Raises CheckFailed with
    the cause, remedy and place of a cell that cannot be run or that failed.
    """
    author = next(iter(components.values()))
    with TemporaryDirectory() as place, _elsewhere(folders or {}):
        registry = _with(load_registry(), components)
        file = Path(place) / "smoke.toml"
        file.write_text(_GRID, encoding="utf-8")
        try:
            overrides = [f"{key}={json.dumps(plain(value))}" for key, value in said.items()]
            grid = read_grid(file, overrides, registry.known())
            plan = plan_grid(grid, registry, Path(place) / "results")
            (cell,) = plan.cells
            if cell.reason is not None:
                raise CheckFailed(f"a cell with it is {cell.reason}", "is that so with every trunk and data set?")
            begin(plan, lambda event: None)
            prepare([cell], registry, Device("cpu"), lambda event: None)
        except UserError as wrong:
            raise CheckFailed(f"a grid with it cannot be run: {wrong.cause}", wrong.remedy) from wrong
        run_here([[cell]], plan.results, registry, Rules(device="cpu"), {}, lambda event: None)
        return _told(cell, folder_of(cell, plan.results), author)


def settings_of(kind: str, name: str, config: Any) -> dict[str, Any]:
    """Those of a component's settings that are not its defaults, under their keys in a grid."""
    default = vars(type(config)())
    found: dict[str, Any] = {}
    for key, value in vars(config).items():
        if isinstance(value, Mapping) and value:  # a table is said key by key
            found |= {f"{kind}.{name}.{key}.{one}": said for one, said in value.items()}
        elif default[key] != value:
            found[f"{kind}.{name}.{key}"] = value
    return found


def _told(cell: Cell, folder: CellFolder, author: type) -> str:
    status = folder.status()
    if folder.state() != "done":
        traced = str(status.get("traceback", ""))
        lines = re.findall(r'File "([^"]+)", line (\d+), in (\w+)', traced)
        remedy = str(status.get("remedy") or "look at the line that raised it")
        cause = f"a cell of ten steps {folder.state()}: {status.get('cause', '')}"
        raise CheckFailed(cause, remedy, place=place_in(author, lines))
    scores = folder.read("scores.json")["tasks"]
    said = [f"{task} {_number(one['values'].get(_PRIMARY[task.partition('@')[0]]))}"
            for task, one in scores.items() if "values" in one]
    not_run = [f"{task}: {one['reason']}" for task, one in scores.items() if "reason" in one]
    return "; ".join([f"{', '.join(said) or 'no scores'} ({cell.settings.backbone})", *not_run])


def _number(value: float | None) -> str:
    """A score; a task of very few samples may have none."""
    return "-" if value is None else f"{value:.1f}"


def _with(registry: Registry, components: Mapping[str, type]) -> Registry:
    """The registry with these classes, whatever had their names before."""
    added = {}
    for kind, cls in components.items():
        name = str(cls.name)  # type: ignore[attr-defined]
        origin = Origin("kit", "", "", cls.__module__, code_of_class(cls))
        added[kind, name] = Component(kind, name, cls, origin)
    return replace(registry, components={**registry.components, **added})


@cache
def _folder() -> TemporaryDirectory[str]:
    """The cache of all short grids of this process, with the one small world in it."""
    return TemporaryDirectory(prefix="vlpbench-kit-")


@contextlib.contextmanager
def _elsewhere(folders: Mapping[str, Path]) -> Iterator[None]:
    """Inside, nothing is read from or written to the user's folders, no other plugin is loaded, and no Java is run."""
    temporary = _folder().name
    said = {"VLPBENCH_CACHE": temporary, "VLPBENCH_DATA": temporary, "VLPBENCH_PLUGINS": "", "VLPBENCH_JAVA": "none",
            **{name: str(folder) for name, folder in folders.items()}}
    before = {name: os.environ.get(name) for name in said}
    threads, flushes = torch.get_num_threads(), not bool((torch.tensor([1e-40]) * 1.0).any())
    os.environ.update(said)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        torch.set_num_threads(threads)
        torch.set_flush_denormal(flushes)
