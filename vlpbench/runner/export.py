"""Cells taken along: a folder of weights, settings and tokenizer from which the model comes back, anywhere.

`exported.json`: settings, versions and where each task's weights are, written last; `weights.safetensors`: backbone and
heads as pretrained; `tokenizer.json`; `tasks/TASK/`: what each task learnt. The folder is also an `init.checkpoint`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from vlpbench.config.changes import with_changes
from vlpbench.config.identity import settings_from_plain, settings_to_plain
from vlpbench.config.settings import Init
from vlpbench.config.typed import WrongValue
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.device import Device
from vlpbench.errors import UserError, nearest
from vlpbench.files import readable, write_json
from vlpbench.grid import Cell
from vlpbench.records import CellFolder, StageFolder, cell_folders
from vlpbench.registry import Registry, load_registry
from vlpbench.runner.finished import Finished
from vlpbench.runner.pretraining import Pretrained, left_by, origin_of, weights_under
from vlpbench.runner.workbench import Workbench
from vlpbench.training.checkpoint import read_weights, save_tensors

__all__ = ["SCHEMA", "export_cell", "load_cell"]

SCHEMA = 1
"""Version of the layout of an exported folder."""
_NOTE = "exported.json"


def export_cell(model: Finished, folder: Path) -> None:
    """Write all that `load_cell` needs; a folder that is there already is only written to if it is empty.

    The settings are those that were run: what a trying on validation chose is among them.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} is there already", remedy="name a new folder, or empty that one")
    model.refuse_damaged()
    cell, found = model.bench.cell, model.pretrained
    tensors = {f"backbone.{name}": value for name, value in found.weights.items()}
    tensors |= {f"terms.{name}": value for name, value in found.heads.items()}
    save_tensors(tensors, folder / "weights.safetensors", origin_of(model.bench))
    model.tokenizer.save(folder / "tokenizer.json")
    stages = {task: f"tasks/{readable(task)}" for task in model.tasks}
    for task, place in stages.items():
        shutil.copytree(model.stages[task].path, folder / place)
    write_json(folder / _NOTE, {
        "schema": SCHEMA, "grid": cell.grid, "row": cell.row, "seed": cell.seed, "id": cell.id,
        "settings": settings_to_plain(replace(cell.settings, init=Init())), "versions": dict(cell.versions),
        "fingerprints": dict(cell.fingerprints), "tasks": stages,
    })


def load_cell(
    folder: str | Path, device: str = "auto", registry: Registry | None = None
) -> Finished:
    """A finished cell as a model: from a folder that `vlpbench export` wrote, or from a cell's folder in results.

    `registry` None loads the plugins that are installed; those that the cell needs have to be among them.
    """
    path, plugins = Path(folder), registry or load_registry()
    if (path / _NOTE).is_file():
        return _from_export(path, plugins, Device.choose(device))
    return _from_results(path, plugins, Device.choose(device))


def _from_export(path: Path, registry: Registry, device: Device) -> Finished:
    said = _read(path / _NOTE)
    weights = read_weights(path / "weights.safetensors", "export the cell again")
    bench = Workbench(_cell(said, path), registry, device, tokenizer=Tokenizer.load(path / "tokenizer.json"))
    found = Pretrained(weights_under(weights, "backbone."), weights_under(weights, "terms."), {})
    stages = {task: StageFolder(path / place) for task, place in said["tasks"].items()}
    return Finished(bench, found, stages)


def _from_results(path: Path, registry: Registry, device: Device) -> Finished:
    folder = CellFolder(path)
    if folder.state() != "done":
        raise UserError(f"{path} is no finished cell", remedy=_near(folder))
    said, scores = folder.read("settings.json"), folder.read("scores.json")
    cell = _cell(said, path)
    if "tuned" in scores:
        cell = replace(cell, settings=with_changes(cell.settings, scores["tuned"]["choice"], registry.known()))
    beside = path.resolve().parents[1] / "stages"
    stages = {task: StageFolder(beside / name) for task, name in folder.read("fine_tunes.json").items()}
    held = [stage.path / "tokenizer.json" for stage in stages.values() if (stage.path / "tokenizer.json").is_file()]
    if not held:
        folder.refuse_compact("models")
        raise UserError(f"what the cell learnt is not beside it: {beside}", str(path),
                        "copy that folder along, or export the cell where it is")
    bench = Workbench(cell, registry, device, tokenizer=Tokenizer.load(held[0]))
    has_stage = (path / "pretraining.json").is_file()
    stage = StageFolder(beside / folder.read("pretraining.json")["stage"]) if has_stage else None
    return Finished(bench, left_by(stage, bench), stages)


def _near(folder: CellFolder) -> str:
    """What to do about a folder that holds no finished cell; for one that holds none at all, what was meant."""
    path, state = folder.path, folder.state()
    if state != "pending" or (path / "settings.json").is_file():
        return f"the cell is {state}; run the grid again" + (" with --retry-failed" if state == "failed" else "")
    found = sorted(_done(path))
    if not found:
        beside = {one.name: one for one in _done(path.parent.parent)}
        names = sorted((name for name in beside if name.startswith(path.name)), key=len)
        name = names[0] if names else nearest(path.name, beside)
        found = [beside[name]] if name else []
    return f"did you mean {found[0]}?" if found else "name a cell's folder, results/GRID/cells/CELL, or an exported one"


def _done(results: Path) -> list[Path]:
    return [one.path for one in cell_folders(results) if one.state() == "done"]


def _cell(said: Mapping[str, Any], path: Path) -> Cell:
    """The cell that a record tells of."""
    try:
        settings = settings_from_plain(said["settings"])
        versions = {name: version for name, version in said["versions"].items() if name != "vlpbench"}
        return Cell(said["grid"], said["row"], said["seed"], settings, said["id"], None, {}, versions,
                    said["fingerprints"])
    except (KeyError, TypeError, WrongValue) as wrong:
        raise UserError(f"these settings cannot be read: {wrong}", str(path), "run or export the cell again") from wrong


def _read(path: Path) -> dict[str, Any]:
    try:
        said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as wrong:
        raise UserError(f"{path.name} cannot be read: {wrong}", str(path), "export the cell again") from wrong
    if said.get("schema") != SCHEMA:
        raise UserError(f"{path.name} has layout {said.get('schema')}, known is {SCHEMA}", str(path), "export it again")
    return said
